// The skip sum, beside the chain: each layer's z through its skip matrix. The first block's begins with
// the bias.
#ifndef WN_SKIP_CUH
#define WN_SKIP_CUH

#define MS (M_SKIP / SKIP_WARPS)
// Where the weights are in global memory a warp has those of so many of its tiles read ahead.
#define SKIP_AHEAD                                        \
    (!SKIP_READ                          ? 0              \
     : MS * KT_Z <= 8                    ? MS             \
     : MS % 2 == 0 && MS / 2 * KT_Z <= 8 ? MS / 2         \
                                         : KT_Z <= 8)

struct SkipTiles {
    uint4 tiles[KT_Z];
    float2 scale;
    METHOD void read(const Here &here, const Skip &w, int m) {
        const int tile = here.warp + m * SKIP_WARPS;
        hold(tiles, Tiles(w.tiles[tile], here.lane));
#if PRECISION == INT8
        scale = scale_of(w.rows[tile], here.lane);
#endif
    }
};

FORCE void skips(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    Ring ring(here);
    int slot = 0;
#if SKIP_READ
    const Skip *skips = skips_of(here);
#endif
#if SKIP_AHEAD
    SkipTiles ahead[SKIP_AHEAD];
#pragma unroll
    for (int m = 0; m < SKIP_AHEAD; m++) ahead[m].read(here, skips[0], m);
#endif
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
#if CHAINED && !FLAGS
        barrier_sync(INPUT_TAKEN, INPUT_THREADS);
#endif
#if CHAINED
        // Only the last block's share is waited for: the others keep out of the chain's way, but for
        // those that would not be done in time.
        if (here.rank < SKIP_EARLY) signal_wait(&shared->z_ready[here.last - here.first - 1], step & 1);
#endif
        for (int layer = here.first; layer < here.last; layer++) {
#if SKIP_READ
            const Skip &w = skips[layer - here.first];
#else
            const Skip &w = weights_of(here, ring, layer).skip;
#endif
#if CHAINED
            signal_wait(&shared->z_ready[slot], step & 1);
#else
            barrier_sync(Z_FOR_SKIP + slot, SKIP_THREADS);
#endif
            const LayerRows z(shared->z[slot], here.lane);
#pragma unroll
            for (int m = 0; m < MS; m++) {
                const int tile = here.warp + m * SKIP_WARPS;
                const Tiles tiles(w.tiles[tile], here.lane);
#if SKIP_AHEAD
                SkipTiles &held = ahead[m % SKIP_AHEAD];
                multiply<KT_Z>(sum[m], HeldTiles<KT_Z>{held.tiles, tiles}, z, held.scale, here.lane);
                // The next one's: the layer after the last is the first, of the next step.
                const bool same = m + SKIP_AHEAD < MS;
                const Skip &of = same ? w : layer + 1 < here.last ? (&w)[1] : skips[0];
                held.read(here, of, (m + SKIP_AHEAD) % MS);
#else
#if PRECISION == INT8
                const float *scale = w.rows[tile];
#else
                const float *scale = nullptr;
#endif
                multiply<KT_Z>(sum[m], tiles, z, scale, here.lane);
#endif
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
                    const float2 share = make_float2(sum[m][n][s], sum[m][n][PER + s]);
#if FLAGS
                    post(&here.mail->skip[here.rank][stream][c], share, step + 1);
#else
                    float *to = &shared->skip_in[here.rank][stream][c];
#if CLUSTER > 1
                    send(remote(to, HEAD_RANK), share, remote(&shared->skip_ready, HEAD_RANK));
#else
                    *(float2 *)to = share;
#endif
#endif
                }
#if CLUSTER == 1
        head(here, ring, step);
#endif
    }
}

#endif
