// The end of a step, by all warps of the blocks that have it: skip sum, two products, the draw.
#ifndef WN_HEAD_CUH
#define WN_HEAD_CUH

// Tiles of the head are read ahead into registers, as many as there are, where a warp has one row of few.
#define HOLD_HEAD0 (SOURCE != RING && PRECISION != FP32 && NH == 1 && M_HEAD <= WORKERS && KT_S <= 16)
#define HOLD_HEAD1 (SOURCE != RING && PRECISION != FP32 && NH == 1 && M_PARAMS <= WORKERS && KT_H <= 16)
#define MOST_HELD 16
#define HELD0 (KT_S < MOST_HELD ? KT_S : MOST_HELD)
#define HELD1 (KT_H < MOST_HELD ? KT_H : MOST_HELD)

FORCE float positive(float x) { return x > 0 ? x : 0; }

// What one warp does with its tile of 16 outputs: bias, product, and `take(channel, stream, x, y)`
// for each two channels.
template <int KT, typename Weights, typename Take>
FORCE void head_tile(const Here &here, int m, const Weights tiles, const Columns *rows, float2 bias,
                     const Take &take) {
    float y[NH][4];
#pragma unroll
    for (int n = 0; n < NH; n++) y[n][0] = y[n][1] = bias.x, y[n][2] = y[n][3] = bias.y;
    multiply_head<KT>(y, tiles, HeadRows(rows, here.lane), here.lane);
#pragma unroll
    for (int n = 0; n < NH; n++)
#pragma unroll
        for (int s = 0; s < 2; s++) {
            const int stream = here.lane.head_stream(n, s);
            if (is_head_stream(stream)) take(m * 16 + 2 * here.lane.row, stream, y[n][s], y[n][2 + s]);
        }
}
FORCE float2 head_bias(const Here &here, const float *bias, int m) {
    return *(const float2 *)&bias[m * 16 + 2 * here.lane.row];
}

// relu(skip sum) as rows of the head.
FORCE void sum_skips(const Here &here, int step) {
    for (int e = here.thread; e < STREAMS * S / 2; e += ALL_THREADS) {
        const int stream = e / (S / 2), c = e % (S / 2) * 2;
        float2 sum = make_float2(0, 0);
#pragma unroll
        for (int rank = 0; rank < LAYER_RANKS; rank++) {
#if FLAGS
            const float2 share = collect<float2>(&here.mail->skip[rank][stream][c], step + 1);
#else
            const float2 share = *(const float2 *)&here.shared->skip_in[rank][stream][c];
#endif
            sum.x += share.x, sum.y += share.y;
        }
        put_head(here.shared->skip_rows, c, stream, positive(sum.x), positive(sum.y));
    }
    (void)step;
}

// What a draw reads from global memory, before it is needed.
struct Draw {
    int uniforms[UNIFORMS];
    float inverse;
    Sample forced;
};
FORCE size_t sample_at(const Here &here, int step, int stream) {
    return (size_t)step * here.block->width + here.group * STREAMS + stream;
}
FORCE Draw read_draw(const Here &here, int step, int stream) {
    const Block &block = *here.block;
    const size_t at = sample_at(here, step, stream);
    Draw draw;
#pragma unroll
    for (int u = 0; u < UNIFORMS; u++) draw.uniforms[u] = block.uniforms[at * UNIFORMS + u];
    draw.inverse = block.inverse[here.group * STREAMS + stream];
    draw.forced = block.forced ? block.forced[at] : (Sample)0;
    return draw;
}
#define FIRST_DRAWN (WORKERS - 1 - here.thread / 32)  // the streams are dealt to the warps

FORCE Sample *window_of(const Here &here, int stream) {
    return here.block->window + (size_t)here.group * INPUT_KERNEL * STREAMS + stream;
}
FORCE float first_inverse(const Here &here) {
#if PRECISION == INT8
    return here.block->model->layer[0].inverse[0];
#else
    (void)here;
    return 1;
#endif
}

// The first layer's input at the launch's first step.
FORCE void embed_last(const Here &here) {
    const int now = (int)((here.block->t + INPUT_KERNEL - 1) % INPUT_KERNEL);
    for (int stream = FIRST_DRAWN; stream < STREAMS; stream += WORKERS) {
        const Sample *window = window_of(here, stream);
        embed(here, stream, window[now * STREAMS], window, now, first_inverse(here), 0);
    }
}

// Draws, or takes what is given; the sample goes out, and through the first convolution.
FORCE void take_samples(const Here &here, int step, Draw mine, float inverse) {
    const Block &block = *here.block;
    const bool last = step + 1 == block.steps;
    const int now = (int)((block.t + step) % INPUT_KERNEL);
    for (int stream = FIRST_DRAWN; stream < STREAMS; stream += WORKERS) {
        if (stream >= WORKERS) mine = read_draw(here, step, stream);
        const size_t at = sample_at(here, step, stream);
        const float *params = here.shared->params[stream];
        const Sample sample =
            block.forced ? mine.forced : draw(params, PARAMS, mine.inverse, mine.uniforms);
        Sample *window = window_of(here, stream);
        if (!last) embed(here, stream, sample, window, now, inverse, step + 1);
        if (block.forced)
            for (int c = here.lane.index; c < PARAMS; c += 32) block.out[at * PARAMS + c] = params[c];
        if (here.lane.index == 0) {
            if (!block.forced) block.samples[at] = sample;
            if (last || INPUT_KERNEL > 1) window[now * STREAMS] = sample;
        }
        __syncwarp();  // the window is read by all lanes
    }
}

FORCE void head0(const Here &here, Ring &ring, int step) {
    Shared *shared = here.shared;
    const int worker = here.thread / 32;
    const float *bias = shared->head0_bias;
    const auto take = [&](int c, int stream, float x, float y) {
#if FLAGS
        post(&here.mail->hidden[stream][c / 2], encode_head(positive(x), positive(y)), step + 1);
#elif CLUSTER > 1
        unsigned char *to = (unsigned char *)shared->hidden + head_pair_at(c, stream);
        send(remote(to, PARAMS_RANK), encode_head(positive(x), positive(y)),
             remote(&shared->hidden_ready, PARAMS_RANK));
#else
        put_head(shared->hidden, c, stream, positive(x), positive(y));
#endif
    };
#if HOLD_HEAD0
    uint4 held[HELD0];
    const Tile *own = head0_tiles(here) + worker * KT_S;
    const float2 held_bias = head_bias(here, bias, worker < M_HEAD ? worker : 0);
    if (worker < M_HEAD) hold(held, Tiles(own, here.lane));
#endif
#if BY_CLUSTER
    signal_wait(&shared->skip_ready, step & 1);
    if (here.thread == 0) signal_expect(&shared->skip_ready, LAYER_RANKS * STREAMS * S * 4);
#elif !FLAGS
    barrier_sync(ALL_WORKERS, ALL_THREADS);
#endif
    sum_skips(here, step);
    barrier_sync(ALL_WORKERS, ALL_THREADS);
#if HOLD_HEAD0
    if (worker < M_HEAD)
        head_tile<KT_S>(here, worker, HeldTiles<HELD0>{held, Tiles(own, here.lane)}, shared->skip_rows, held_bias, take);
#elif SOURCE == RING
    for (int chunk = 0; chunk < CHUNKS0; chunk++, ring.next()) {
        const Tile *tiles = (const Tile *)ring.wait();
        const int end = M_HEAD - chunk * M_CHUNK0 < M_CHUNK0 ? M_HEAD - chunk * M_CHUNK0 : M_CHUNK0;
        for (int m = (worker + WORKERS - chunk * M_CHUNK0 % WORKERS) % WORKERS; m < end; m += WORKERS)
            head_tile<KT_S>(here, chunk * M_CHUNK0 + m, Tiles(tiles + m * KT_S, here.lane), shared->skip_rows,
                            head_bias(here, bias, chunk * M_CHUNK0 + m), take);
    }
#else
    for (int m = worker; m < M_HEAD; m += WORKERS)
        head_tile<KT_S>(here, m, Tiles(head0_tiles(here) + m * KT_S, here.lane), shared->skip_rows,
                        head_bias(here, bias, m), take);
#endif
    (void)ring;
}

FORCE void head1(const Here &here, Ring &ring, int step) {
    Shared *shared = here.shared;
    const int worker = here.thread / 32;
    const float *bias = shared->head1_bias;
    const auto take = [&](int c, int stream, float x, float y) {
        *(float2 *)&shared->params[stream][c] = make_float2(x, y);
    };
#if HOLD_HEAD1
    uint4 held[HELD1];
    const Tile *own = head1_tiles(here) + worker * KT_H;
    const float2 held_bias = head_bias(here, bias, worker < M_PARAMS ? worker : 0);
    if (worker < M_PARAMS) hold(held, Tiles(own, here.lane));
#endif
    Draw mine{};
    if (FIRST_DRAWN < STREAMS) mine = read_draw(here, step, FIRST_DRAWN);
    const float inverse = first_inverse(here);
#if BY_CLUSTER
    signal_wait(&shared->hidden_ready, step & 1);
    if (here.thread == 0) signal_expect(&shared->hidden_ready, STREAMS * H * 2);
#else
#if FLAGS
    for (int e = here.thread; e < STREAMS * H / 2; e += ALL_THREADS) {
        const int stream = e / (H / 2), pair = e % (H / 2);
        *(u32 *)((unsigned char *)shared->hidden + head_pair_at(2 * pair, stream)) =
            collect<u32>(&here.mail->hidden[stream][pair], step + 1);
    }
#endif
    barrier_sync(ALL_WORKERS, ALL_THREADS);
#endif
#if HOLD_HEAD1
    if (worker < M_PARAMS)
        head_tile<KT_H>(here, worker, HeldTiles<HELD1>{held, Tiles(own, here.lane)}, shared->hidden, held_bias, take);
#elif SOURCE == RING
    for (int chunk = 0; chunk < CHUNKS1; chunk++, ring.next()) {
        const Tile *tiles = (const Tile *)ring.wait();
        const int left = M_PARAMS - chunk * M_CHUNK1, end = left < M_CHUNK1 ? left : M_CHUNK1;
        for (int m = (worker + WORKERS - chunk * M_CHUNK1 % WORKERS) % WORKERS; m < end; m += WORKERS)
            head_tile<KT_H>(here, chunk * M_CHUNK1 + m, Tiles(tiles + m * KT_H, here.lane), shared->hidden,
                            head_bias(here, bias, chunk * M_CHUNK1 + m), take);
    }
#else
    for (int m = worker; m < M_PARAMS; m += WORKERS)
        head_tile<KT_H>(here, m, Tiles(head1_tiles(here) + m * KT_H, here.lane), shared->hidden, head_bias(here, bias, m),
                        take);
#endif
    barrier_sync(ALL_WORKERS, ALL_THREADS);
    take_samples(here, step, mine, inverse);
#if CLUSTER == 1
    barrier_sync(ALL_WORKERS, ALL_THREADS);
#endif
    (void)ring;
}

#if CLUSTER > 1
// A block that has the head, or half of it, has no layers.
FORCE void heads(const Here &here) {
    Ring ring(here);
    if (here.rank == HEAD_RANK)
        for (int step = 0; step < here.block->steps; step++) head0(here, ring, step);
    else
        for (int step = 0; step < here.block->steps; step++) head1(here, ring, step);
}
#else
FORCE void head(const Here &here, Ring &ring, int step) {
    head0(here, ring, step);
    head1(here, ring, step);
}
#endif

#endif
