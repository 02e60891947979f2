// The skip sum, beside the chain: each layer's z through its skip matrix. The first block's begins with
// the bias.
#ifndef WN_SKIP_CUH
#define WN_SKIP_CUH

#define MS (M_SKIP / SKIP_WARPS)

FORCE void skips(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    Ring ring(here);
    int slot = 0;
    float bias[MS][2];
#pragma unroll
    for (int m = 0; m < MS; m++) {
        const int c = (here.warp + m * SKIP_WARPS) * 16 + 2 * here.lane.row;
        const float *own = &block.model->skip_bias[c];
        bias[m][0] = here.rank == 0 ? own[0] : 0, bias[m][1] = here.rank == 0 ? own[1] : 0;
    }
    for (int step = 0; step < block.steps; step++) {
        float sum[MS][NT][2 * PER];
#pragma unroll
        for (int m = 0; m < MS; m++)
#pragma unroll
            for (int n = 0; n < NT; n++)
#pragma unroll
                for (int e = 0; e < 2 * PER; e++) sum[m][n][e] = bias[m][e / PER];
#if CHAINED
        barrier_sync(INPUT_TAKEN, INPUT_THREADS);
        // Only the last block's share is waited for: the others keep out of the chain's way.
        if (here.last < LAYERS) signal_wait(&shared->z_ready[here.last - here.first - 1], step & 1);
#endif
        for (int layer = here.first; layer < here.last; layer++) {
            const Layer &w = weights_of(here, ring, layer);
#if CHAINED
            signal_wait(&shared->z_ready[slot], step & 1);
#else
            barrier_sync(Z_FOR_SKIP + slot, SKIP_THREADS);
#endif
            const LayerRows z(shared->z[slot], here.lane);
#pragma unroll
            for (int m = 0; m < MS; m++) {
                const int tile = here.warp + m * SKIP_WARPS;
#if PRECISION == INT8
                const float *scale = w.skip_rows[tile];
#else
                const float *scale = nullptr;
#endif
                multiply<KT_Z>(sum[m], Tiles(w.skip[tile], here.lane), z, scale, here.lane);
            }
#if !CHAINED
            barrier_arrive(Z_FREE + slot, SKIP_THREADS);
#endif
            slot = slot + 1 == Z_DEPTH ? 0 : slot + 1;
            ring.next();
        }
        if (CHAINED) slot = 0;
#pragma unroll
        for (int m = 0; m < MS; m++)
#pragma unroll
            for (int n = 0; n < NT; n++)
#pragma unroll
                for (int s = 0; s < PER; s++) {
                    const int stream = here.lane.stream(n, s);
                    const int c = (here.warp + m * SKIP_WARPS) * 16 + 2 * here.lane.row;
                    if (!is_stream(stream)) continue;
                    float *to = &shared->skip_in[here.rank][stream][c];
                    const float2 share = make_float2(sum[m][n][s], sum[m][n][PER + s]);
#if CLUSTER > 1
                    send(remote(to, HEAD_RANK), share, remote(&shared->skip_ready, HEAD_RANK));
#else
                    *(float2 *)to = share;
#endif
                }
#if CLUSTER == 1
        head(here, ring, step);
#endif
    }
}

#endif
