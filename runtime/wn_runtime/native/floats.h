/* Float activations: rows are the floats themselves, weights float or bfloat16. */
#ifndef WN_FLOATS_H
#define WN_FLOATS_H

INLINE float encode(row *to, const float *x, int k) {
    memcpy(to, x, 4 * (size_t)k);
    return 1;
}

INLINE float encode_unit(row *to, const float *x, int k) { return encode(to, x, k); }

INLINE void decode(float *to, const row *x, float scale, int k) {
    (void)scale;
    memcpy(to, x, 4 * (size_t)k);
}

/* Two inputs' weights for the columns at w: rows i and i + 1 of the tile. */
INLINE void load_pair(vf *even, vf *odd, const weight *w, int columns, int column) {
#if PRECISION == BF16
    vi pair = load_int(w + 2 * column);
    *even = (vf)(pair << 16);
    *odd = (vf)(pair & (int32_t)0xffff0000);
    (void)columns;
#else
    *even = load(w + column);
    *odd = load(w + columns + column);
#endif
}

/* total[b][v] = x[b] @ W. Even and odd inputs have accumulators of their own where there would
 * be too few of them to hide the latency of a multiply-add. */
INLINE void dot(int nb, int nv, int k, int n, const weight *w, const float *scale,
                const int32_t *sums, const row *rows, const float *x_scale, vf *total) {
    (void)n, (void)scale, (void)sums, (void)x_scale;
    const float *x = (const float *)rows;
    const int split = nb * nv <= 4;
    vf even[MOST], odd[MOST];
    UNROLL for (int j = 0; j < nb * nv; j++) even[j] = odd[j] = (vf){0};
    for (int i = 0; i < k; i += 2, w += 2 * nv * LANES) {
        vf w0[MOST], w1[MOST];
        UNROLL for (int v = 0; v < nv; v++) load_pair(&w0[v], &w1[v], w, nv * LANES, v * LANES);
        UNROLL for (int b = 0; b < nb; b++) {
            vf x0 = all(x[b * k + i]), x1 = all(x[b * k + i + 1]);
            UNROLL for (int v = 0; v < nv; v++) {
                int j = b * nv + v;
                even[j] += x0 * w0[v];
                if (split) odd[j] += x1 * w1[v];
                else even[j] += x1 * w1[v];
            }
        }
    }
    UNROLL for (int j = 0; j < nb * nv; j++) total[j] = split ? even[j] + odd[j] : even[j];
}

#endif
