/* y = init + x @ W for several rows x, in three precisions behind one name.
 *
 *   PRECISION     weights                                 activations (a "row")
 *   FP32          float                                   float
 *   BF16          upper half of a float                   float
 *   INT8          int8, one scale per output column       int16, one scale per row
 *
 * A matrix [k][n] is stored in tiles of TILE columns, each read once from front to back:
 *
 *   FP32 [k][tile]      BF16 [k/2][tile][2]      INT8 as layout.h says
 *
 * A patch of a tile (some rows, some vectors of columns) has its sums in registers while the
 * inputs are broadcast one after the other; a weight once loaded serves all rows of the patch.
 * k and n are multiples of 16 (zero padded). The order of additions is that of one row, however many
 * rows there are.
 */
#ifndef WN_MATRIX_H
#define WN_MATRIX_H

#include "vector.h"

/* After the system's headers: its names are short. */
#include "sizes.h"

typedef unsigned char row; /* k activations in ROW_BYTES(k) bytes */

#if PRECISION == INT8
typedef int8_t weight;
#include "layout.h"
#else
#if PRECISION == BF16
typedef uint16_t weight;
#else
typedef float weight;
#endif
#define ROW_BYTES(k) (4 * (k))
#define TWIN 0 /* these three as in layout.h */
#define SPAN 1
#define PER_VECTOR 1
#endif

#define SUMS (REGISTERS / 2 / PER_VECTOR) /* vectors of sums that registers hold beside the rest */
#define TILE_VECTORS (SUMS < 8 ? SUMS : 8)
#define TILE (LANES * TILE_VECTORS)
#define PART (TILE / 2) /* columns that a thread can have of a matrix: whole parts */
#define PATCH_ROWS 4
#if PRECISION == FP32 && WN_AVX2
/* Eight sums do not hide a multiply-add's latency; beside twelve there are registers for the weights
 * of one input at a time. */
#define PATCH_SUMS(nb) ((nb) == PATCH_ROWS ? 12 : SUMS)
#define ONE_BY_ONE 1
#else
#define PATCH_SUMS(nb) SUMS
#define ONE_BY_ONE 0
#endif
#define MOST 32 /* size of arrays of sums: constant, or compilers put them in memory */

#define EXACT_INPUTS 512 /* int16 x int8 products that an int32 sums without overflow */

#if PRECISION == INT8
/* shifts[j] = 128 * the column's weights, over each EXACT_INPUTS of the inputs: undoes the shift of
 * bytes to the signedness that the CPU multiplies. */
#define MATRIX(k, n)                                                                 \
    struct {                                                                         \
        _Alignas(64) weight w[(k) * (n)];                                            \
        _Alignas(64) float scale[n];                                                 \
        _Alignas(64) int32_t shifts[((k) + EXACT_INPUTS - 1) / EXACT_INPUTS * (n)];  \
    }
#define COLUMNS(m) ((columns){(m)->w, (m)->scale, (m)->shifts})
#else
#define MATRIX(k, n) struct { _Alignas(64) weight w[(k) * (n)]; }
#define COLUMNS(m) ((columns){(m)->w, 0, 0})
#endif

/* Where some columns of a matrix begin. */
typedef struct {
    const weight *w;
    const float *scale;
    const int32_t *shifts;
} columns;

#define WHOLE -1 /* INT8 and k up to EXACT_INPUTS: the sums, not rescaled; see add_whole */

/* Rows in and rows out: y[r] = init[r] + x[r] @ W. `init` and `y` may be the same. */
typedef struct {
    const row *x;         /* ROW_BYTES(k) apart */
    const float *x_scale; /* one a row; INT8 only */
    const float *init;
    int init_stride; /* floats; 0: one init for all rows; WHOLE: none, y are integers */
    float *y;        /* n floats apart */
} rows_io;

INLINE rows_io from_row(rows_io io, int r, int k, int n) {
    return (rows_io){io.x + r * ROW_BYTES(k), io.x_scale + r, io.init + r * io.init_stride,
                     io.init_stride, io.y + r * n};
}

/* Asks for the weights a kilobyte further. In int8 a product that waits for them would be issued
 * again and again on the port that it shares with others: 7 % of L30 R64 S256 on a Xeon with VNNI.
 * Where they come from beyond the L2, three kilobytes: 3 % of r9y9's default model. In float32 and
 * bfloat16 3 to 5 % of a Zen 3. */
INLINE void ahead(const weight *w, int count) {
#if (WN_AVX512 && PRECISION == INT8 && BYTES) || (WN_AVX2 && (PRECISION != INT8 || TWIN))
    UNROLL for (int i = 0; i < count; i += 64 / (int)sizeof(weight))
        __builtin_prefetch((const char *)(w + i) + (WIDE ? 3072 : 1024));
#else
    (void)w, (void)count;
#endif
}

#if PRECISION == INT8
#include "int8.h"
#else
#include "floats.h"
#endif
#include "amx.h"

/* `nb` rows and `nv` vectors of columns of a tile `width` columns wide; constants once inlined. */
INLINE void multiply_patch(int nb, int nv, int k, int n, int width, columns m, rows_io io) {
#if PRECISION == INT8
    if (io.init_stride == WHOLE) {
        vi whole[MOST];
        sum_products(nb, nv, 0, k, k, width, m, io.x, whole);
        UNROLL for (int b = 0; b < nb; b++)
            UNROLL for (int v = 0; v < nv; v++)
                store_int(io.y + b * n + v * LANES, whole[b * nv + v]);
        return;
    }
#endif
    add_products(nb, nv, k, n, width, m, io);
}

INLINE void multiply_vectors(int nv, int rows, int k, int n, int width, columns m, rows_io io) {
    const int nb = rows < PATCH_ROWS ? rows : PATCH_ROWS, rest = rows % nb;
    int r = 0;
    for (; r + nb <= rows; r += nb)
        multiply_patch(nb, nv, k, n, width, m, from_row(io, r, k, n));
    if (rest) multiply_patch(rest, nv, k, n, width, m, from_row(io, r, k, n));
}

INLINE columns from_vector(columns m, int v, int group) {
    return (columns){m.w + v * LANES * group, m.scale + v * LANES, m.shifts + v * LANES};
}

/* The first `vectors` vectors of columns of a tile. */
INLINE void multiply_first(int vectors, int rows, int k, int n, int width, columns m, rows_io io) {
    const int nb = rows < PATCH_ROWS ? rows : PATCH_ROWS;
    const int room = PATCH_SUMS(nb) / nb / (SPLIT_SUMS(width) ? 2 : 1);
    const int nv = rows == 1 || room >= vectors ? vectors : room > SPAN ? room / SPAN * SPAN : SPAN;
    int v = 0;
    for (; v + nv <= vectors; v += nv) {
        multiply_vectors(nv, rows, k, n, width, from_vector(m, v, GROUP), io);
        io.init += nv * LANES, io.y += nv * LANES;
    }
    if (vectors % nv)
        multiply_vectors(vectors % nv, rows, k, n, width, from_vector(m, v, GROUP), io);
}

INLINE void multiply_tile(int rows, int k, int n, int width, columns m, rows_io io) {
    const int done = amx_rows(rows, k, n, width, m, io); /* the first rows may be done at once */
    if (done < rows)
        multiply_first(width / LANES, rows - done, k, n, width, m, from_row(io, done, k, n));
}

INLINE void multiply(int rows, int k, int n, columns m, rows_io io) {
    for (int column = 0; column + TILE <= n; column += TILE) {
        multiply_tile(rows, k, n, TILE, m, io);
        m = (columns){m.w + TILE * k, m.scale + TILE, m.shifts + TILE};
        io.init += TILE, io.y += TILE;
    }
    if (n % TILE) multiply_tile(rows, k, n, n % TILE, m, io);
}

/* The columns from `begin` to before `end`, multiples of PART; `end` may be past the last. */
INLINE void multiply_part(int rows, int k, int n, columns m, rows_io io, int begin, int end) {
    const int rest = n % TILE; /* the columns of a last, narrower tile */
    for (int c = begin; c < end; c += PART) {
        const int tile = c / TILE * TILE, inside = c - tile;
        columns part = {m.w + tile * k, m.scale + tile, m.shifts + tile};
        rows_io here = io;
        here.init += c, here.y += c;
        if (tile + TILE <= n && !inside && c + TILE <= end) {
            multiply_tile(rows, k, n, TILE, part, here);
            c += PART;
        } else if (tile + TILE <= n) {
            part = from_vector(part, inside / LANES, GROUP);
            multiply_first(PART / LANES, rows, k, n, TILE, part, here);
        } else if (inside) {
            part = from_vector(part, PART / LANES, GROUP);
            if (rest > PART) multiply_first((rest - PART) / LANES, rows, k, n, rest, part, here);
        } else if (rest) {
            const int vectors = (rest < PART ? rest : PART) / LANES;
            multiply_first(vectors, rows, k, n, rest, part, here);
        }
    }
}

#endif
