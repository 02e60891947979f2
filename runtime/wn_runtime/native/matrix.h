/* y = init + x @ W for every stream, in three precisions behind one name.
 *
 *   PRECISION     weights                                 activations (a "row")
 *   FP32          float                                   float
 *   BF16          upper half of a float                   float
 *   INT8          int8, one scale per output column       int16, one scale per row
 *
 * A matrix [k][n] is stored in column tiles of TILE columns, each read once from front to back:
 *
 *   FP32 [k][tile]      BF16 [k/2][tile][2]      INT8 [k/4][tile][4]
 *
 * A tile's accumulators stay in registers while the inputs are broadcast one after the other, so
 * every weight is loaded once for all BLOCK streams. k and n are multiples of 16 (zero padded).
 *
 * INT8 is exact integer arithmetic: x = 256 hi + lo, and two byte products a weight. All ISAs give
 * the same bits.
 */
#ifndef WN_MATRIX_H
#define WN_MATRIX_H

#include "vector.h"


typedef unsigned char row; /* k activations in ROW_BYTES(k) bytes */

#if PRECISION == INT8
typedef int8_t weight;
#define ROW_BYTES(k) (2 * (k))
#define PER_VECTOR 2 /* accumulators for each vector of columns */
#elif PRECISION == BF16
typedef uint16_t weight;
#define ROW_BYTES(k) (4 * (k))
#define PER_VECTOR 1
#else
typedef float weight;
#define ROW_BYTES(k) (4 * (k))
#define PER_VECTOR 1
#endif

#define BLOCK (BATCH < 4 ? BATCH : 4) /* streams that share a loaded weight */
/* Half of the registers hold accumulators. */
#define TILE_VECTORS (REGISTERS / 2 / PER_VECTOR / (BLOCK == 3 ? 4 : BLOCK))
#ifndef TILE
#define TILE (LANES * (TILE_VECTORS < 1 ? 1 : TILE_VECTORS > 8 ? 8 : TILE_VECTORS))
#endif

/* Arrays of accumulators have this constant size: of a variable one, compilers make memory. */
#define MOST 32

#define EXACT_INPUTS 512 /* int16 x int8 products that an int32 sums without overflow */

#if PRECISION == INT8
/* sums[j] = 128 * the column's weights, over each EXACT_INPUTS of the inputs: undoes the shift of
 * bytes to the signedness that the CPU multiplies. */
#define MATRIX(k, n)                                                                    \
    struct {                                                                            \
        _Alignas(64) weight w[(k) * (n)];                                               \
        _Alignas(64) float scale[n];                                                    \
        _Alignas(64) int32_t sums[((k) + EXACT_INPUTS - 1) / EXACT_INPUTS * (n)];       \
    }
#define MULTIPLY(k, n, m, x, x_scale, init, init_stride, y) \
    multiply(k, n, (m)->w, (m)->scale, (m)->sums, x, x_scale, init, init_stride, y)
#else
#define MATRIX(k, n) struct { _Alignas(64) weight w[(k) * (n)]; }
#define MULTIPLY(k, n, m, x, x_scale, init, init_stride, y) \
    multiply(k, n, (m)->w, 0, 0, x, x_scale, init, init_stride, y)
#endif

#if PRECISION == INT8
#include "int8.h"
#else
#include "floats.h"
#endif

/* One tile of `nv` vectors for `nb` streams; all sizes are constants once inlined. */
INLINE void multiply_tile(int nb, int nv, int k, int n, const weight *w, const float *scale,
                          const int32_t *sums, const row *x, const float *x_scale,
                          const float *init, int init_stride, float *y) {
    vf total[MOST];
    dot(nb, nv, k, n, w, scale, sums, x, x_scale, total);
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++)
            store(y + b * n + v * LANES, load(init + b * init_stride + v * LANES) + total[b * nv + v]);
}

INLINE void multiply_columns(int nv, int k, int n, const weight *w, const float *scale,
                             const int32_t *sums, const row *x, const float *x_scale,
                             const float *init, int init_stride, float *y) {
    int b = 0;
    for (; b + BLOCK <= BATCH; b += BLOCK)
        multiply_tile(BLOCK, nv, k, n, w, scale, sums, x + b * ROW_BYTES(k), x_scale + b,
                      init + b * init_stride, init_stride, y + b * n);
    if (BATCH % BLOCK)
        multiply_tile(BATCH % BLOCK, nv, k, n, w, scale, sums, x + b * ROW_BYTES(k), x_scale + b,
                      init + b * init_stride, init_stride, y + b * n);
}

/* y[b][0..n) = init[b][0..n) + x[b] @ W. Rows of y are n floats apart; init_stride 0 gives all
 * streams the same init. y may be init itself. */
INLINE void multiply(int k, int n, const weight *w, const float *scale, const int32_t *sums,
                     const row *x, const float *x_scale, const float *init, int init_stride,
                     float *y) {
    int column = 0;
    for (; column + TILE <= n; column += TILE)
        multiply_columns(TILE / LANES, k, n, w + column * k, scale + column, sums + column, x,
                         x_scale, init + column, init_stride, y + column);
    if (n % TILE)
        multiply_columns(n % TILE / LANES, k, n, w + column * k, scale + column, sums + column, x,
                         x_scale, init + column, init_stride, y + column);
}

#endif
