/* Float activations: rows are the floats themselves, weights float or bfloat16. */
#ifndef WN_FLOATS_H
#define WN_FLOATS_H

INLINE float encode(row *to, const float *x, int k) {
    memcpy(to, x, 4 * (size_t)k);
    return 1;
}

#define UNIT_SCALE 1.0f
INLINE float encode_unit(row *to, const float *x, int k) { return encode(to, x, k); }

INLINE void decode(float *to, const row *x, float scale, int k) {
    (void)scale;
    memcpy(to, x, 4 * (size_t)k);
}

#define GROUP (PRECISION == BF16 ? 2 : 1) /* weights of a column that lie together */
/* Few columns: even and odd inputs have sums of their own, to hide a multiply-add's latency. */
#define SPLIT_SUMS(width) ((width) <= 4 * LANES)

/* The weights of inputs i and i + 1, of the vector of columns at w. */
INLINE void load_pair(vf *even, vf *odd, const weight *w, int width) {
#if PRECISION == BF16
    vi pair = load_int(w);
    *even = (vf)(pair << 16);
    *odd = (vf)(pair & (int32_t)0xffff0000);
    (void)width;
#else
    *even = load(w);
    *odd = load(w + width);
#endif
}

/* y[b][v] = init[b][v] + x[b] @ W. */
INLINE void add_products(int nb, int nv, int k, int n, int width, columns m, rows_io io) {
    const float *x = (const float *)io.x;
    vf y[MOST];
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++)
            y[b * nv + v] = load(io.init + b * io.init_stride + v * LANES);
    const weight *w = m.w;
    vf odd[MOST];
    UNROLL for (int j = 0; j < nb * nv; j++) odd[j] = (vf){0};
    for (int i = 0; i < k; i += 2, w += 2 * width) {
        vf w0[MOST], w1[MOST];
        UNROLL for (int v = 0; v < nv; v++)
            load_pair(&w0[v], &w1[v], w + v * LANES * GROUP, width);
        UNROLL for (int b = 0; b < nb; b++) {
            vf x0 = all(x[b * k + i]), x1 = all(x[b * k + i + 1]);
            UNROLL for (int v = 0; v < nv; v++) {
                int j = b * nv + v;
                y[j] += x0 * w0[v];
                if (SPLIT_SUMS(width)) odd[j] += x1 * w1[v];
                else y[j] += x1 * w1[v];
            }
        }
    }
    if (SPLIT_SUMS(width))
        UNROLL for (int j = 0; j < nb * nv; j++) y[j] += odd[j];
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++) store(io.y + b * n + v * LANES, y[b * nv + v]);
}

#endif
