/* How int16 activations and int8 weights lie in memory: as the CPU multiplies them.
 *
 * BYTES: rows are k upper bytes, then k lower bytes, each shifted to the signedness that the CPU's
 * byte product wants. Arm's product of matrices, 2 x 8 bytes times 8 x 2, takes two columns and both
 * bytes of eight inputs at once: there rows are 8 upper bytes, their 8 lower bytes, the next 8 upper
 * bytes, ... All other rows are k int16.
 *
 * GROUP weights of a column lie together, of as many inputs. TWIN: the weights of two columns, so far
 * from each other, share a word of 16 bits, as products.h tells: with those of the next input they
 * are the group. There a row ends in -128 times the sum of its words, in every lane of a vector, for
 * each EXACT_INPUTS of them.
 */
#ifndef WN_LAYOUT_H
#define WN_LAYOUT_H

#if (WN_AVX512 && defined(__AVX512VNNI__)) || (WN_AVX2 && defined(__AVXVNNI__))
#define BYTES 1
#define HIGH_SHIFT 0x80 /* unsigned bytes times signed weights */
#define LOW_SHIFT 0
#elif WN_NEON && (defined(__ARM_FEATURE_DOTPROD) || defined(__ARM_FEATURE_MATMUL_INT8))
#define BYTES 1
#ifdef __ARM_FEATURE_MATMUL_INT8
#define WN_I8MM 1
#endif
#define HIGH_SHIFT 0 /* signed bytes times signed weights */
#define LOW_SHIFT 0x80
#else
#define BYTES 0
#endif

#if WN_I8MM
#define GROUP 8
#define UPPER(i, k) (2 * (i) - (i) % 8) /* where the bytes of input i are in a row */
#define LOWER(i, k) (UPPER(i, k) + 8)
#else
#if !BYTES && WN_NEON /* a product of words of four columns and one input */
#define GROUP 1
#define TWIN (2 * LANES)
#elif !BYTES && (WN_AVX2 || WN_SSE || WN_WASM) /* of words of a column and two inputs, added up */
#define GROUP 2
#define TWIN LANES
#else
#define GROUP 4
#endif
#define UPPER(i, k) (i)
#define LOWER(i, k) ((k) + (i))
#endif

#ifdef TWIN
#define ROW_BYTES(k) (2 * (k) + ((k) + EXACT_INPUTS - 1) / EXACT_INPUTS * 4 * LANES)
#define SPAN (2 * TWIN / LANES) /* vectors of columns that are added up together */
#define PER_VECTOR 1 /* sums for each of them */
#else
#define TWIN 0
#define ROW_BYTES(k) (2 * (k))
#define SPAN 1
#define PER_VECTOR 2
#endif

#endif
