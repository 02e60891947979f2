/* What follows from a model's shapes: padded widths, and which products are made together. */
#ifndef WN_SIZES_H
#define WN_SIZES_H

/* The most steps whose older taps are computed together, a power of two: those inputs are known
 * beforehand where a layer looks back at least so far. Their weights are then read once for all the
 * steps. Small int8 matrices are read so fast that it does not pay; where those of the older taps are
 * over a megabyte, they do not stay in the cache, and twice the steps gain 3 %. */
#define WIDE (PRECISION == INT8 && (KERNEL - 1) * LAYERS * RESIDUAL * GATE > 1 << 20)
#ifndef TAP_STEPS
#define SMALL (PRECISION == INT8 && RESIDUAL < 48)
#define TAP_STEPS (BATCH > 2 || SMALL ? 1 : (WIDE ? 16 : 8) / BATCH)
#endif
_Static_assert(TAP_STEPS >= 1 && TAP_STEPS <= 16 && !(TAP_STEPS & (TAP_STEPS - 1)), "see SOME");

/* Whether a tap that looks back further than tap 1 is computed for more steps together than that:
 * it waits as integers for the sum of those before it, as floats are added in one order only. */
#define EARLY (PRECISION == INT8 && TAP_STEPS > 1 && KERNEL > 2 && R <= EXACT_INPUTS)

/* Of the sums of older taps: with helpers, the next steps' are made before this one's have been read. */
#define SUM_HALVES (TEAM && TAP_STEPS > 1 ? 2 : 1)

#define PADDED(n) (((n) + 15) / 16 * 16) /* widths are padded with zeros to 16 */
#define R PADDED(RESIDUAL)
#define Z PADDED(GATE / 2)
#define G (2 * Z) /* gate columns: 16 filters, their 16 gates, the next 16 filters, ... */
#define S PADDED(SKIP)
#define H PADDED(HEAD)
#define A PADDED(PARAMS)
#define OLDER (KERNEL - 1) /* taps from the delay line */
#define LINE_ROW ROW_BYTES(R)
/* What int8 leaves of a matrix is another: params bear rounding worst, see pack.py. */
#define HEAD0_PARTS (PRECISION == INT8 && !CODES ? 2 : 1)
#define HEAD1_PARTS (PRECISION == INT8 ? 2 : 1)

#endif
