// The residual path: z to the next layer's input; and each layer's input to its delay line, which with
// CHAINED the older warps do.
//
// h stays in float in the registers of these warps from a block's first layer to its last; what others
// see of it is a row in the precision of the products.
#ifndef WN_RESIDUAL_CUH
#define WN_RESIDUAL_CUH

#define MR (M_RESIDUAL / RESIDUAL_WARPS)
#if PRECISION == INT8
#define RESIDUAL_SCALES(w) (w).residual_rows
#else
#define RESIDUAL_SCALES(w) nullptr
#endif
#define HOLD_RESIDUAL (PRECISION != FP32 && MR * KT_Z <= 8)

FORCE int residual_tile(const Here &here, int m) {
    return here.lane.tile<MR, RESIDUAL_WARPS>(here.warp, m);
}

// `visit(m, n, s, channel, stream)` for each pair of channels of each stream that a lane holds.
template <typename Visit>
FORCE void each_held(const Here &here, const Visit &visit) {
#pragma unroll
    for (int m = 0; m < KEPT_OF(MR); m++)
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < KEPT_PER; s++)
                visit(m, n, s, residual_tile(here, m) * 16 + 2 * here.lane.row,
                      here.lane.kept_stream(n, s));
}

FORCE void residuals(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    const bool clerk = here.warp == 0 && here.lane.index == 0;
    Ring ring(here);
    int z_slot = 0;
    float h[KEPT_OF(MR)][NT][2 * PER] = {};
    int row_at[KEPT_OF(MR)][NT][PER];  // of a pair, in shared memory
    each_held(here, [&](int m, int n, int s, int c, int stream) {
        row_at[m][n][s] = pair_at(c, stream, 8 * NT);
    });
#if CLUSTER > 1
    Handover next_block[KEPT_OF(MR)][NT][PER];
    each_held(here, [&](int m, int n, int s, int c, int stream) {
        const int to = here.last < LAYERS ? here.rank + 1 : here.rank;
        next_block[m][n][s] = Handover(here, to, c, stream);
        if (SPREAD && here.lane.column >= MR) next_block[m][n][s].there = false;  // another lane's too
    });
#endif
    for (int step = 0; step < block.steps; step++) {
#if !CHAINED
        int4 line = shared->lines[here.first], next_line = line;
#endif
        float inverse = 1;
#if PRECISION == INT8
        inverse = weights_of(here, ring, here.first).inverse[0];
#endif
#if BY_CLUSTER
        signal_wait(&shared->h_ready, step & 1);
        if (clerk) signal_expect(&shared->h_ready, HANDED_BYTES);
#endif
        each_held(here, [&](int m, int n, int s, int c, int stream) {
            if (!is_kept(stream)) return;
#if FLAGS
            const float2 x = collect<float2>(&here.mail->h[here.rank][stream][c], step + 1);
#else
            const float2 x = *(const float2 *)&shared->h_in[stream][c];
#endif
            h[m][n][s] = x.x, h[m][n][PER + s] = x.y;
        });
#if FLAGS
        __syncwarp();
#elif CHAINED
        barrier_arrive(INPUT_TAKEN, INPUT_THREADS);
#endif
        for (int layer = here.first; layer < here.last; layer++) {
            Pair pairs[KEPT_OF(MR)][NT][PER];
            const bool first = layer == here.first, give = FLAGS || !first;
            unsigned char *rows = (unsigned char *)shared->h[CHAINED ? layer - here.first : 0];
            each_held(here, [&](int m, int n, int s, int, int) {
                pairs[m][n][s] = encode(h[m][n][s], h[m][n][PER + s], inverse);
                if (give) put(rows + row_at[m][n][s], pairs[m][n][s]);
            });
#if FLAGS && CHAINED
            if (first)
                barrier_arrive(INPUT_READY, INPUT_THREADS);
            else
#endif
            if (give) barrier_arrive(H_READY + (CHAINED ? layer - here.first & 1 : 0), H_THREADS);

            // While the gate warps work: the delay line, and all that the product needs but z.
#if !CHAINED
            unsigned char *row = line_row(here, line.x, line.w);
            each_held(here, [&](int m, int n, int s, int c, int stream) {
                if (is_stream(stream)) put(row + pair_at(c, stream, COLUMNS), pairs[m][n][s]);
            });
            if (layer + 1 < here.last) next_line = shared->lines[layer + 1];
            const int slot = line.w + 1 == line.y ? 0 : line.w + 1;
#endif
            const Layer &w = weights_of(here, ring, layer);
#if PRECISION == INT8
            inverse = w.inverse[1];
#endif
#pragma unroll
            for (int m = 0; m < KEPT_OF(MR); m++) {
                const float *bias = w.residual_bias[residual_tile(here, m)];
                const float one = bias[here.lane.row], other = bias[here.lane.row + 8];
#pragma unroll
                for (int n = 0; n < NT; n++)
#pragma unroll
                    for (int s = 0; s < KEPT_PER; s++) {
                        h[m][n][s] = h[m][n][s] * RESIDUAL_SCALE + one;
                        h[m][n][PER + s] = h[m][n][PER + s] * RESIDUAL_SCALE + other;
                    }
            }
            uint4 held[MR][HOLD_RESIDUAL ? KT_Z : 1];
#pragma unroll
            for (int m = 0; m < MR; m++)
                if (HOLD_RESIDUAL)
                    hold(held[m], Tiles(w.residual[here.warp + m * RESIDUAL_WARPS], here.lane));
            barrier_sync(Z_READY + (CHAINED ? layer - here.first & 1 : 0), CHAIN_THREADS);
            if (layer + 1 < LAYERS) {
                multiply_all<KT_Z, MR, RESIDUAL_WARPS>(
                    h,
                    [&](int m) {
                        const Tiles tiles(w.residual[here.warp + m * RESIDUAL_WARPS], here.lane);
                        return HeldTiles<HOLD_RESIDUAL ? KT_Z : 0>{held[m], tiles};
                    },
                    LayerRows(shared->z[z_slot], here.lane), RESIDUAL_SCALES(w), here.lane, here.warp);
            }
#if !CHAINED
            if (clerk) shared->lines[layer].w = slot;  // z came: nobody needs the old one any more
            line = next_line;
#endif
            z_slot = z_slot + 1 == Z_DEPTH ? 0 : z_slot + 1;
            ring.next();
        }
        if (CHAINED) z_slot = 0;
#if CLUSTER > 1
        if (here.last < LAYERS)
            each_held(here, [&](int m, int n, int s, int, int) {
                next_block[m][n][s].give(h[m][n][s], h[m][n][PER + s], inverse, 4, step);
            });
#endif
#if CHAINED
        barrier_arrive(STEP_DONE, STEP_THREADS);
#else
        barrier_sync(STEP_DONE, STEP_THREADS);
#endif
#if CLUSTER == 1
        head(here, ring, step);
#endif
    }
}

#endif
