// The gates: z = tanh(filter) sigmoid(gate) of a sum that lacks one product.
//
// They are the chain that the next sample waits for, with the residual warps or, where CHAINED, alone:
// what needs neither this step's h nor the z before is done by others, or before it comes.
#ifndef WN_GATE_CUH
#define WN_GATE_CUH

#define MG (M_GATE / GATE_WARPS)  // tiles of outputs of a warp
// Tiles are held in registers while the warps wait, where those are few.
#define HOLD_GATE(KT) (PRECISION != FP32 && MG * (KT) <= 8)
#define HELD_GATE(KT) (HOLD_GATE(KT) ? (KT) : 0)
#define Z_BYTES ((int)sizeof(Columns) * KT_Z * NT)

typedef float Sums[KEPT_OF(MG)][NT][2 * PER];

FORCE int gate_tile(const Here &here, int m) { return here.lane.tile<MG, GATE_WARPS>(here.warp, m); }

// A warp's tiles, read ahead.
template <int KT>
struct GateTiles {
    uint4 held[MG][HOLD_GATE(KT) ? KT : 1];
    const Tile (*tiles)[KT];
    METHOD GateTiles(const Here &here, const Tile (*of)[KT]) : tiles(of) {
#pragma unroll
        for (int m = 0; m < MG; m++)
            if (HOLD_GATE(KT)) hold(held[m], Tiles(tiles[here.warp + m * GATE_WARPS], here.lane));
    }
};

FORCE void read_sums(const Here &here, int slot, Sums &y) {
#pragma unroll
    for (int m = 0; m < KEPT_OF(MG); m++) {
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int e = 0; e < 2 * PER; e++) y[m][n][e] = 0;
        each_sum(here, slot, gate_tile(here, m), [&](int n, int s, float &one, float &other) {
            y[m][n][s] = one, y[m][n][PER + s] = other;
        });
    }
}

// The product, and z of it to `z`: the lane's place in a slot, for each of its tiles.
template <int KT>
FORCE void finish_gates(const Here &here, Sums &y, const GateTiles<KT> &ahead,
                        const float (*scales)[16], const Columns *rows,
                        unsigned char *const (&z)[KEPT_OF(MG)], int z_slot) {
    multiply_all<KT, MG, GATE_WARPS>(
        y,
        [&](int m) {
            const Tiles tiles(ahead.tiles[here.warp + m * GATE_WARPS], here.lane);
            return HeldTiles<HELD_GATE(KT)>{ahead.held[m], tiles};
        },
        LayerRows(rows, here.lane), scales, here.lane, here.warp);
#pragma unroll
    for (int m = 0; m < KEPT_OF(MG); m++) {
        const int c = gate_tile(here, m) * 8 + here.lane.row;
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < KEPT_PER; s++)
                put_gated(z[m] + z_slot * Z_BYTES + (n * (8 / A_STREAM) + s) * A_STREAM * 32, c,
                          gated(y[m][n][s], y[m][n][PER + s]));
    }
}

FORCE void gates(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    Ring ring(here);
    unsigned char *z[KEPT_OF(MG)];
#pragma unroll
    for (int m = 0; m < KEPT_OF(MG); m++) {
        const int c = gate_tile(here, m) * 8 + here.lane.row;
        z[m] = (unsigned char *)shared->z[0] + pair_at(c & ~1, here.lane.kept_stream(0, 0), 8 * NT);
    }
#if CHAINED
    const int layers = here.last - here.first;
    for (int step = 0; step < block.steps; step++) {
        const Layer &first = weights_of(here, ring, here.first);
        Sums y;
        {
            const GateTiles<KT_R> tiles(here, first.current);
            barrier_sync(SUMS_READY, SUMS_THREADS);
            read_sums(here, 0, y);
#if FLAGS
            barrier_sync(INPUT_READY, INPUT_THREADS);
#else
            signal_wait(&shared->h_ready, step & 1);
#endif
            finish_gates<KT_R>(here, y, tiles, SCALE_OF(first, current), shared->h[0], z, 0);
        }
        for (int slot = 0;;) {
            barrier_arrive(Z_READY + (slot & 1), CHAIN_THREADS);
            __syncwarp();
            if (here.lane.index == 0) signal_arrive(&shared->z_ready[slot]);
            if (++slot == layers) break;
            const Layer &w = weights_of(here, ring, here.first + slot);
            const GateTiles<KT_Z> tiles(here, w.chained);
            barrier_sync(LAYER_READY + (slot & 1), SUMS_THREADS);
            read_sums(here, slot, y);
            finish_gates<KT_Z>(here, y, tiles, SCALE_OF(w, chained), shared->z[slot - 1], z, slot);
        }
    }
#else
    int z_slot = 0, z_used = 0, turn = 0;  // z_used: slots that have been filled so far
    for (int step = 0; step < block.steps; step++) {
        for (int layer = here.first; layer < here.last; layer++) {
            const Layer &w = weights_of(here, ring, layer);
            if (z_used == Z_DEPTH)
                barrier_sync(Z_FREE + z_slot, SKIP_THREADS);
            else
                z_used++;
            Sums y;
            const GateTiles<KT_R> tiles(here, w.current);
            barrier_sync(SUMS_READY + turn, SUMS_THREADS);
            read_sums(here, turn, y);
            barrier_arrive(SUMS_FREE + turn, SUMS_THREADS);
            turn ^= 1;
            if (FLAGS || layer > here.first) {
                barrier_sync(H_READY, H_THREADS);
            } else {
#if BY_CLUSTER
                signal_wait(&shared->h_ready, step & 1);
#endif
            }
            finish_gates<KT_R>(here, y, tiles, SCALE_OF(w, current), shared->h[0], z, z_slot);
            barrier_arrive(Z_READY, CHAIN_THREADS);
            barrier_arrive(Z_FOR_SKIP + z_slot, SKIP_THREADS);
            z_slot = z_slot + 1 == Z_DEPTH ? 0 : z_slot + 1;
            ring.next();
        }
#if CLUSTER == 1
        head(here, ring, step);
#endif
    }
    for (int i = 0; i < z_used; i++) {
        z_slot = z_slot == 0 ? Z_DEPTH - 1 : z_slot - 1;
        barrier_sync(Z_FREE + z_slot, SKIP_THREADS);
    }
#endif
}

#endif
