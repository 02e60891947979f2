// The gates: a = sums + h[t] @ Wgate[0], z = tanh(filter) sigmoid(gate).
//
// With the residual warps they are the chain that the next sample waits for: what does not need this
// step's h is done by others, or before it comes.
#ifndef WN_GATE_CUH
#define WN_GATE_CUH

#define MG (M_GATE / GATE_WARPS)  // tiles of outputs of a warp
// Tiles are held in registers while the warps wait, where those are few.
#define HOLD_GATE (PRECISION != FP32 && MG * KT_R <= 8)

FORCE void gates(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    Ring ring(here);
    int z_slot = 0, z_used = 0, sums_slot = 0;
    for (int step = 0; step < block.steps; step++) {
        for (int layer = here.first; layer < here.last; layer++) {
            const Layer &w = weights_of(here, ring, layer);
            if (z_used == Z_DEPTH)
                barrier_sync(Z_FREE + z_slot, SKIP_THREADS);
            else
                z_used++;
            float y[MG][NT][2 * PER];
            barrier_sync(SUMS_READY + sums_slot, SUMS_THREADS);
#pragma unroll
            for (int m = 0; m < MG; m++)
#pragma unroll
                for (int n = 0; n < NT; n++)
#pragma unroll
                    for (int e = 0; e < 2 * PER; e++)
                        y[m][n][e] = shared->gate_sums[sums_slot][here.warp + m * GATE_WARPS][n]
                                                      [here.lane][e];
#if HOLD_GATE
            uint4 held[MG][KT_R];
#pragma unroll
            for (int m = 0; m < MG; m++)
#pragma unroll
                for (int k = 0; k < KT_R; k++)
                    held[m][k] = Tiles{w.current[here.warp + m * GATE_WARPS]}(k);
#endif
            barrier_arrive(SUMS_FREE + sums_slot, SUMS_THREADS);
            sums_slot = sums_slot + 1 == SUMS_DEPTH ? 0 : sums_slot + 1;
            if (layer > here.first) {
                barrier_sync(H_READY, CHAIN_THREADS);
            } else {
#if CLUSTER > 1
                signal_wait(&shared->h_ready, step & 1);
#endif
            }
#pragma unroll
            for (int m = 0; m < MG; m++) {
                const int tile = here.warp + m * GATE_WARPS;
#if PRECISION == INT8
                const float *scale = w.current_scale[tile];
#else
                const float *scale = nullptr;
#endif
#if HOLD_GATE
                multiply<KT_R>(y[m], HeldTiles{held[m]}, Rows<NT>{shared->h}, scale);
#else
                multiply<KT_R>(y[m], Tiles{w.current[tile]}, Rows<NT>{shared->h}, scale);
#endif
#pragma unroll
                for (int n = 0; n < NT; n++)
#pragma unroll
                    for (int s = 0; s < PER; s++)
                        put_gated(shared->z[z_slot], tile * 8 + lane_row(), n, s,
                                  gated(y[m][n][s], y[m][n][PER + s]));
            }
            barrier_arrive(Z_READY, CHAIN_THREADS);
            barrier_arrive(Z_FOR_SKIP + z_slot, SKIP_THREADS);
            z_slot = z_slot + 1 == Z_DEPTH ? 0 : z_slot + 1;
            ring.next();
        }
        head(here, ring, step);
    }
    for (int i = 0; i < z_used; i++) {
        z_slot = z_slot == 0 ? Z_DEPTH - 1 : z_slot - 1;
        barrier_sync(Z_FREE + z_slot, SKIP_THREADS);
    }
}

#endif
