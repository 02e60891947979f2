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

/* weights[v]: of the first or the second of two inputs. */
INLINE void load_weights(int nv, int width, const weight *w, int second, vf *weights) {
    UNROLL for (int v = 0; v < nv; v++) {
#if PRECISION == BF16
        vi pair = load_int(w + v * LANES * GROUP);
        weights[v] = (vf)(second ? pair & (int32_t)0xffff0000 : pair << 16);
        (void)width;
#else
        weights[v] = load(w + second * width + v * LANES);
#endif
    }
}

/* sums[v] += an input * its weights. */
INLINE void add_input(int nv, float x, const vf *weights, vf *sums) {
    vf input = all(x);
    UNROLL for (int v = 0; v < nv; v++) sums[v] += input * weights[v];
}

/* Of all rows: sums[b] += one input * its weights. */
INLINE void add_one(int nb, int nv, int k, int width, const float *x, const weight *w, int second,
                    vf *sums) {
    vf weights[MOST];
    load_weights(nv, width, w, second, weights);
    UNROLL for (int b = 0; b < nb; b++) add_input(nv, x[b * k], weights, sums + b * nv);
}

/* Of all rows: two inputs, one after the other where the weights of both find no registers; what is
 * multiplied may also be read as it is, bfloat16 may not. */
INLINE void add_two(int nb, int nv, int k, int width, const float *x, const weight *w, vf *even,
                    vf *odd) {
    const int chains = SPLIT_SUMS(width) ? 2 : 1;
    if (PRECISION == FP32 || chains * nb * nv + 2 * nv + 2 <= REGISTERS) {
        vf first[MOST], second[MOST];
        load_weights(nv, width, w, 0, first);
        load_weights(nv, width, w, 1, second);
        UNROLL for (int b = 0; b < nb; b++) {
            add_input(nv, x[b * k], first, even + b * nv);
            add_input(nv, x[b * k + 1], second, odd + b * nv);
        }
    } else {
        add_one(nb, nv, k, width, x, w, 0, even);
        add_one(nb, nv, k, width, x + 1, w, 1, odd);
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
    vf rest[MOST], *odd = SPLIT_SUMS(width) ? rest : y;
    UNROLL for (int j = 0; j < nb * nv; j++) rest[j] = (vf){0};
    if (ONE_BY_ONE && !SPLIT_SUMS(width))
        FOUR_TIMES for (int i = 0; i < k; i++, w += width) {
            if (nb == 1) ahead(w, nv * LANES); /* more rows wait less */
            add_one(nb, nv, k, width, x + i, w, 0, y);
        }
    else
        for (int i = 0; i < k; i += 2, w += 2 * width) {
            if (nb == 1) ahead(w, 2 * nv * LANES);
            add_two(nb, nv, k, width, x + i, w, y, odd);
        }
    if (SPLIT_SUMS(width))
        UNROLL for (int j = 0; j < nb * nv; j++) y[j] += rest[j];
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++) store(io.y + b * n + v * LANES, y[b * nv + v]);
}

#endif
