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

/* The weights of the first or the second of two inputs, of the vector of columns at w. */
INLINE vf load_weights(const weight *w, int width, int second) {
#if PRECISION == BF16
    vi pair = load_int(w);
    (void)width;
    return (vf)(second ? pair & (int32_t)0xffff0000 : pair << 16);
#else
    return load(w + second * width);
#endif
}

/* sums[b][v] += x[b][0] * the weights of the first or the second of two inputs. */
INLINE void add_input(int nb, int nv, int k, int width, const float *x, const weight *w, int second,
                      vf *sums) {
    vf weights[MOST];
    UNROLL for (int v = 0; v < nv; v++)
        weights[v] = load_weights(w + v * LANES * GROUP, width, second);
    UNROLL for (int b = 0; b < nb; b++) {
        vf input = all(x[b * k]);
        UNROLL for (int v = 0; v < nv; v++) sums[b * nv + v] += input * weights[v];
    }
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
    if (ONE_BY_ONE && !SPLIT_SUMS(width))
        FOUR_TIMES for (int i = 0; i < k; i++, w += width) {
            if (nb == 1) ahead(w, nv * LANES); /* more rows wait less */
            add_input(nb, nv, k, width, x + i, w, 0, y);
        }
    else
        for (int i = 0; i < k; i += 2, w += 2 * width) {
            if (nb == 1) ahead(w, 2 * nv * LANES);
            add_input(nb, nv, k, width, x + i, w, 0, y);
            add_input(nb, nv, k, width, x + i + 1, w, 1, SPLIT_SUMS(width) ? odd : y);
        }
    if (SPLIT_SUMS(width))
        UNROLL for (int j = 0; j < nb * nv; j++) y[j] += odd[j];
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++) store(io.y + b * n + v * LANES, y[b * nv + v]);
}

#endif
