// The gates: z = tanh(filter) sigmoid(gate) of a sum that lacks one product.
//
// They are the chain that the next sample waits for, with the residual warps or, where CHAINED, alone:
// what needs neither this step's h nor the z before is done by others, or before it comes.
#ifndef WN_GATE_CUH
#define WN_GATE_CUH

#define MG (M_GATE / GATE_WARPS)  // tiles of outputs of a warp
// Tiles are held in registers while the warps wait, where those are few.
#define HOLD_GATE(KT) (PRECISION != FP32 && MG * (KT) <= 8)

// Where the gate warps stand.
struct Gates {
    int z_slot, z_used;  // of z; how many have been filled so far, up to their number
    int turn;            // which of two barriers
    unsigned char *z[MG];  // the lane's place in slot 0
};
#define Z_BYTES ((int)sizeof(Columns) * KT_Z * NT)

// One layer: z of the product of `tiles` ([M_GATE][KT]) and `rows`, once `wait()` returned.
template <int KT, typename Wait>
FORCE void gate_layer(const Here &here, Gates &at, int slot, const Tile (*tiles)[KT],
                      const float (*scale)[16], const Columns *rows, const Wait &wait) {
    if (at.z_used == Z_DEPTH)
        barrier_sync(Z_FREE + at.z_slot, SKIP_THREADS);
    else
        at.z_used++;
    float y[MG][NT][2 * PER];
    uint4 held[MG][HOLD_GATE(KT) ? KT : 1];
    barrier_sync(SUMS_READY + at.turn, SUMS_THREADS);
#pragma unroll
    for (int m = 0; m < MG; m++) {
        const int tile = here.warp + m * GATE_WARPS;
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int e = 0; e < 2 * PER; e++) y[m][n][e] = 0;
        each_sum(here, slot, tile, [&](int n, int s, float &one, float &other) {
            y[m][n][s] = one, y[m][n][PER + s] = other;
        });
        if (HOLD_GATE(KT)) hold(held[m], Tiles(tiles[tile], here.lane));
    }
#if !CHAINED
    barrier_arrive(SUMS_FREE + at.turn, SUMS_THREADS);
#endif
    const int turn = at.turn;
    at.turn ^= 1;
    wait();
    const LayerRows inputs(rows, here.lane);
#pragma unroll
    for (int m = 0; m < MG; m++) {
        const int tile = here.warp + m * GATE_WARPS, c = tile * 8 + here.lane.row;
        const float *own = PRECISION == INT8 ? scale[tile] : nullptr;
        multiply<KT>(y[m], HeldTiles<HOLD_GATE(KT) ? KT : 0>{held[m], Tiles(tiles[tile], here.lane)},
                     inputs, own, here.lane);
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < PER; s++)
                put_gated(at.z[m] + at.z_slot * Z_BYTES + (n * (8 / A_STREAM) + s) * A_STREAM * 32, c,
                          gated(y[m][n][s], y[m][n][PER + s]));
    }
    barrier_arrive(Z_READY + (CHAINED ? turn : 0), CHAIN_THREADS);
    barrier_arrive(Z_FOR_SKIP + at.z_slot, SKIP_THREADS);
    at.z_slot = at.z_slot + 1 == Z_DEPTH ? 0 : at.z_slot + 1;
}

#if PRECISION == INT8
#define SCALE_OF(w, matrix) (w).matrix##_scale
#else
#define SCALE_OF(w, matrix) nullptr
#endif

FORCE void gates(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    Ring ring(here);
    Gates at = {0, 0, 0, {}};
#pragma unroll
    for (int m = 0; m < MG; m++) {
        const int c = (here.warp + m * GATE_WARPS) * 8 + here.lane.row;
        at.z[m] = (unsigned char *)shared->z[0] + pair_at(c & ~1, here.lane.column * PER, 8 * NT);
    }
    for (int step = 0; step < block.steps; step++) {
        for (int layer = here.first; layer < here.last; layer++) {
            const Layer &w = weights_of(here, ring, layer);
#if CHAINED
            const int slot = layer - here.first;
            if (slot > 0) {
                const int before = at.z_slot == 0 ? Z_DEPTH - 1 : at.z_slot - 1;
                gate_layer<KT_Z>(here, at, slot, w.chained, SCALE_OF(w, chained), shared->z[before],
                                 [] { barrier_sync(Z_COMPLETE, GATE_WARPS * 32); });
                continue;
            }
            at.turn = 0;
#else
            const int slot = at.turn;
#endif
            gate_layer<KT_R>(here, at, slot, w.current, SCALE_OF(w, current), shared->h[0], [&] {
                if (CLUSTER > 1 && layer == here.first) {
#if CLUSTER > 1
                    signal_wait(&shared->h_ready, step & 1);
#endif
                } else if (layer > here.first) {
                    barrier_sync(H_READY, CHAIN_THREADS);
                }
            });
            ring.next();
        }
#if CLUSTER == 1
        head(here, ring, step);
#endif
    }
    for (int i = 0; i < at.z_used; i++) {
        at.z_slot = at.z_slot == 0 ? Z_DEPTH - 1 : at.z_slot - 1;
        barrier_sync(Z_FREE + at.z_slot, SKIP_THREADS);
    }
}

#endif
