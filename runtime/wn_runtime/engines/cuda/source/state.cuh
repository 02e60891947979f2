// The state of all streams, to and from no engine's own layout: delay lines [rows][B][R] of float,
// rows oldest first, layer after layer; samples [k0][B], oldest first.
#ifndef WN_STATE_CUH
#define WN_STATE_CUH

FORCE void clear(void *from, const void *end) {
    const int count = (int)((unsigned char *)end - (unsigned char *)from) / 4;
    for (int i = threadIdx.x; i < count; i += blockDim.x) ((u32 *)from)[i] = 0;
}
FORCE void clear_rows(const Here &here) {
    clear(here.shared->h, here.shared->h_in);
    if (here.has_head()) clear(here.shared->skip_rows, here.shared->head0_bias);
}

// One channel of one row, in memory of any engine's layout and in ours.
FORCE float line_value(const unsigned char *row, int c, int stream, float scale) {
    const unsigned char *at = row + pair_at(c & ~1, stream, COLUMNS);
#if PRECISION == FP32
    (void)scale;
    return ((const float *)at)[c & 1];
#elif PRECISION == FP16
    (void)scale;
    return from_half(((const unsigned short *)at)[c & 1]);
#else
    const int high = (signed char)at[c & 1], low = (signed char)at[32 + (c & 1)];
    return (float)(high * 256 + low) * scale;
#endif
}

// Walks over all rows (of one layer each), streams and pairs of channels; `slot`: where a row lies.
template <typename Visit>
FORCE void each_pair(long long width, u64 t, const Visit &visit) {
    const long long pairs = R / 2, streams = width, rows = line_first[LAYERS] - LAYERS;
    const long long threads = (long long)gridDim.x * blockDim.x;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < rows * streams * pairs;
         e += threads) {
        const int c = (int)(e % pairs) * 2, stream = (int)(e / pairs % streams);
        const long long row = e / pairs / streams;
        int layer = 0;  // whose rows, one less than it keeps, these are
        while (row >= line_first[layer + 1] - (layer + 1)) layer++;
        const int age = (int)(row - (line_first[layer] - layer)), size = line_rows(layer);
        const int slot = (int)((t + 1 + age) % size);  // slot t is free: it is written next
        visit(row, layer, slot, stream, c);
    }
}

extern "C" __global__ void wn_snapshot(const Model *model, const unsigned char *lines,
                                       const Sample *window, float *rows, Sample *samples,
                                       long long t, long long width) {
    each_pair(width, (u64)t, [&](long long row, int layer, int slot, int stream, int c) {
        const size_t at = (size_t)(stream / STREAMS) * line_first[LAYERS] + line_first[layer] + slot;
        const float scale = model->input_scale[layer];
        for (int i = 0; i < 2 && c + i < RESIDUAL; i++)
            rows[(row * width + stream) * RESIDUAL + c + i] =
                line_value(lines + at * LINE_BYTES, c + i, stream % STREAMS, scale);
    });
    const long long threads = (long long)gridDim.x * blockDim.x;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < INPUT_KERNEL * width;
         e += threads) {
        const int stream = (int)(e % width), slot = (int)(((u64)t + e / width) % INPUT_KERNEL);
        samples[e] =
            window[((size_t)(stream / STREAMS) * INPUT_KERNEL + slot) * STREAMS + stream % STREAMS];
    }
}

// Another engine's state, or one that was tampered with, may hold what no input can be.
FORCE float within(float x, float inverse) {
#if PRECISION == INT8
    return fminf(fmaxf(x, -LARGEST / inverse), LARGEST / inverse);
#else
    (void)inverse;
    return x;
#endif
}

// As at t = 0.
extern "C" __global__ void wn_restore(const Model *model, unsigned char *lines, Sample *window,
                                      const float *rows, const Sample *samples, long long width) {
    each_pair(width, 0, [&](long long row, int layer, int slot, int stream, int c) {
        const size_t at = (size_t)(stream / STREAMS) * line_first[LAYERS] + line_first[layer] + slot;
        const float *from = rows + (row * width + stream) * RESIDUAL + c;
        const float one = c < RESIDUAL ? from[0] : 0, other = c + 1 < RESIDUAL ? from[1] : 0;
        const float inverse = 1 / model->input_scale[layer];
        put(lines + at * LINE_BYTES + pair_at(c, stream % STREAMS, COLUMNS),
            encode(within(one, inverse), within(other, inverse), inverse));
    });
    const long long threads = (long long)gridDim.x * blockDim.x;
    for (long long e = (long long)blockIdx.x * blockDim.x + threadIdx.x; e < INPUT_KERNEL * width;
         e += threads) {
        const int stream = (int)(e % width), slot = (int)(e / width);
        window[((size_t)(stream / STREAMS) * INPUT_KERNEL + slot) * STREAMS + stream % STREAMS] =
            samples[e];
    }
}

#endif
