// The residual path: z to the next layer's input, and each layer's input to its delay line.
//
// h stays in float in the registers of these warps from a block's first layer to its last; what others
// see of it is a row in the precision of the products.
#ifndef WN_RESIDUAL_CUH
#define WN_RESIDUAL_CUH

#define MR (M_RESIDUAL / RESIDUAL_WARPS)
#define HOLD_RESIDUAL (PRECISION != FP32 && MR * KT_Z <= 8)

typedef float Activations[MR][NT][2 * PER];
typedef Pair Pairs[MR][NT][PER];

// `visit(m, n, s, channel, stream)` for each pair of channels of each stream that a lane holds.
template <typename Visit>
FORCE void each_held(const Here &here, const Visit &visit) {
#pragma unroll
    for (int m = 0; m < MR; m++)
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < PER; s++)
                visit(m, n, s, (here.warp + m * RESIDUAL_WARPS) * 16 + 2 * lane_row(),
                      stream_of(n, s));
}

FORCE void residuals(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    const bool any = here.first < here.last, clerk = threadIdx.x == GATE_WARPS * 32;
    Ring ring(here);
    int z_slot = 0;
    Activations h;
    for (int step = 0; step < block.steps; step++) {
        int4 line, next_line;
        float inverse = 1;
        if (any) {
            line = shared->lines[here.first];
#if PRECISION == INT8
            inverse = weights_of(here, ring, here.first).inverse[0];
#endif
#if CLUSTER > 1
            signal_wait(&shared->h_ready, step & 1);
            if (clerk) signal_expect(&shared->h_ready, HANDED_BYTES);
#endif
            each_held(here, [&](int m, int n, int s, int c, int stream) {
                if (stream >= STREAMS) return;
                const float2 x = *(const float2 *)&shared->h_in[stream][c];
                h[m][n][s] = x.x, h[m][n][PER + s] = x.y;
            });
        }
        for (int layer = here.first; layer < here.last; layer++) {
            Pairs pairs;
            each_held(here, [&](int m, int n, int s, int c, int stream) {
                pairs[m][n][s] = encode(h[m][n][s], h[m][n][PER + s], inverse);
                if (layer > here.first)
                    put((unsigned char *)shared->h + pair_at(c, stream, 8 * NT), pairs[m][n][s]);
            });
            if (layer > here.first) barrier_arrive(H_READY, CHAIN_THREADS);

            // While the gate warps work: the delay line, and all that the product needs but z.
            unsigned char *row = line_row(here, line.x, line.w);
            each_held(here, [&](int m, int n, int s, int c, int stream) {
                if (stream < STREAMS) put(row + pair_at(c, stream, COLUMNS), pairs[m][n][s]);
            });
            const Layer &w = weights_of(here, ring, layer);
            if (layer + 1 < here.last) next_line = shared->lines[layer + 1];
#if PRECISION == INT8
            inverse = w.inverse[1];
#endif
#pragma unroll
            for (int m = 0; m < MR; m++) {
                const float *bias = w.residual_bias[here.warp + m * RESIDUAL_WARPS];
                const float one = bias[lane_row()], other = bias[lane_row() + 8];
#pragma unroll
                for (int n = 0; n < NT; n++)
#pragma unroll
                    for (int s = 0; s < PER; s++) {
                        h[m][n][s] = h[m][n][s] * RESIDUAL_SCALE + one;
                        h[m][n][PER + s] = h[m][n][PER + s] * RESIDUAL_SCALE + other;
                    }
            }
#if HOLD_RESIDUAL
            uint4 held[MR][KT_Z];
#pragma unroll
            for (int m = 0; m < MR; m++)
#pragma unroll
                for (int k = 0; k < KT_Z; k++)
                    held[m][k] = Tiles{w.residual[here.warp + m * RESIDUAL_WARPS]}(k);
#endif
            const int slot = line.w + 1 == line.y ? 0 : line.w + 1;
            barrier_sync(Z_READY, CHAIN_THREADS);
            if (layer + 1 < LAYERS) {
                const Rows<NT> z{shared->z[z_slot]};
#pragma unroll
                for (int m = 0; m < MR; m++) {
                    const int tile = here.warp + m * RESIDUAL_WARPS;
#if PRECISION == INT8
                    const float *scale = w.residual_rows[tile];
#else
                    const float *scale = nullptr;
#endif
#if HOLD_RESIDUAL
                    multiply<KT_Z>(h[m], HeldTiles{held[m]}, z, scale);
#else
                    multiply<KT_Z>(h[m], Tiles{w.residual[tile]}, z, scale);
#endif
                }
            }
            if (clerk) shared->lines[layer].w = slot;  // z came: nobody needs the old one any more
            line = next_line;
            z_slot = z_slot + 1 == Z_DEPTH ? 0 : z_slot + 1;
            ring.next();
        }
#if CLUSTER > 1
        if (any && here.last < LAYERS)
            each_held(here, [&](int m, int n, int s, int c, int stream) {
                hand_over(here, here.rank + 1, c, stream < STREAMS ? stream : 0, h[m][n][s],
                          h[m][n][PER + s], inverse, 4, stream < STREAMS);
            });
#endif
        if (any) barrier_sync(STEP_DONE, STEP_THREADS);
        head(here, ring, step);
    }
}

#endif
