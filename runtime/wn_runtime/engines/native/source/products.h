/* Products of some int8 weights and int16 inputs, once per ISA: GROUP inputs, and the running sums of
 * SPAN vectors of columns. layout.h has how both lie in memory.
 */
#ifndef WN_PRODUCTS_H
#define WN_PRODUCTS_H

INLINE vi wrapping(vi a, vi b) { return (vi)((vu)a + (vu)b); }

#if WN_I8MM
typedef vi inputs; /* 8 upper bytes, 8 lower bytes */
typedef struct { vi left, right; } running; /* column 0 upper, 0 lower, 1 upper, 1 lower; 2 ... */

INLINE running join(running a, running b) {
    return (running){a.left + b.left, a.right + b.right};
}
INLINE inputs inputs_at(const row *x, int i, int k) {
    (void)k;
    return load_int(x + 2 * i);
}
INLINE vi matrix_product(vi sum, inputs x, const weight *w) {
    return (vi)vmmlaq_s32((int32x4_t)sum, (int8x16_t)load_int(w), (int8x16_t)x);
}
INLINE running add_group(running sum, inputs x, const weight *w) {
    return (running){matrix_product(sum.left, x, w), matrix_product(sum.right, x, w + 16)};
}
/* Shifted, neighbours added, and only then the shifts: it all stays within 32 bits. */
INLINE vi finished(running sum, const int32_t *shifts) {
    const int32x4_t eight = {8, 0, 8, 0};
    int32x4_t left = vshlq_s32((int32x4_t)sum.left, eight);
    int32x4_t right = vshlq_s32((int32x4_t)sum.right, eight);
    return (vi)vpaddq_s32(left, right) + load_int(shifts);
}
#elif BYTES /* inputs are broadcast */
typedef struct { vi high, low; } inputs;
typedef struct { vi high, low; } running;

INLINE running join(running a, running b) { return (running){a.high + b.high, a.low + b.low}; }
INLINE inputs inputs_at(const row *x, int i, int k) {
    int32_t high, low;
    memcpy(&high, x + i, 4);
    memcpy(&low, x + k + i, 4);
    return (inputs){all_int(high), all_int(low)};
}
INLINE vi byte_products(vi sum, vi bytes, vi weights) {
#if WN_AVX512
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)bytes, (__m512i)weights);
#elif WN_AVX2
    return (vi)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)bytes, (__m256i)weights);
#else
    return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)weights, (int8x16_t)bytes);
#endif
}
INLINE running add_group(running sum, inputs x, const weight *w) {
    vi weights = load_int(w);
    return (running){byte_products(sum.high, x.high, weights),
                     byte_products(sum.low, x.low, weights)};
}
INLINE vi unshifted(running sum, vi shifts) {
#if HIGH_SHIFT
    return ((sum.high - shifts) << 8) + sum.low;
#else
    return (sum.high << 8) + (sum.low + shifts);
#endif
}
INLINE vi finished(running sum, const int32_t *shifts) { return unshifted(sum, load_int(shifts)); }
#elif TWIN && !WN_NEON
/* A word is 256 times the weight of the column TWIN further, plus this column's, plus 128. So its
 * upper byte is one weight, and the word as a whole, times the input, leaves the other's product once
 * that weight's and 128 times the input are gone. Sums of words wrap: what is left of them does not. */
typedef vi inputs; /* two, again and again */
typedef struct { vi upper, words; } running;

INLINE running join(running a, running b) {
    return (running){a.upper + b.upper, wrapping(a.words, b.words)};
}
INLINE inputs inputs_at(const row *x, int i, int k) {
    int32_t words;
    memcpy(&words, x + 2 * i, 4);
    (void)k;
    return all_int(words);
}
INLINE vi pairs_added(vi words) {
#if WN_AVX2
    return (vi)_mm256_madd_epi16((__m256i)words, _mm256_set1_epi16(1));
#elif WN_SSE
    return (vi)_mm_madd_epi16((__m128i)words, _mm_set1_epi16(1));
#else
    return (vi)wasm_i32x4_extadd_pairwise_i16x8((v128_t)words);
#endif
}
INLINE vi pair_products(vi a, vi b) {
#if WN_AVX2
    return (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif WN_SSE
    return (vi)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return (vi)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b);
#endif
}
INLINE vi upper_bytes(vi words) {
#if WN_AVX2
    return (vi)_mm256_srai_epi16((__m256i)words, 8);
#elif WN_SSE
    return (vi)_mm_srai_epi16((__m128i)words, 8);
#else
    return (vi)wasm_i16x8_shr((v128_t)words, 8);
#endif
}
/* 128 times the inputs are gone before the first. */
INLINE running begun(const row *x, int k, int begin) {
    return (running){{0}, load_int(x + 2 * k + begin / EXACT_INPUTS * sizeof(vi))};
}
INLINE running add_group(running sum, inputs x, const weight *w) {
    vi words = load_int(w);
    return (running){sum.upper + pair_products(upper_bytes(words), x),
                     wrapping(sum.words, pair_products(words, x))};
}
INLINE void finish(running sum, const int32_t *shifts, vi *columns) {
    (void)shifts;
    columns[0] = (vi)((vu)sum.words - ((vu)sum.upper << 8));
    columns[1] = sum.upper;
}
#elif TWIN && WN_NEON /* the same; a product takes four words and one input, twice */
typedef vi inputs;
typedef struct { vi upper_left, upper_right, left, right; } running;

INLINE running join(running a, running b) {
    return (running){a.upper_left + b.upper_left, a.upper_right + b.upper_right,
                     wrapping(a.left, b.left), wrapping(a.right, b.right)};
}
INLINE inputs inputs_at(const row *x, int i, int k) {
    int16_t word;
    memcpy(&word, x + 2 * i, 2);
    (void)k;
    return (vi)vdupq_n_s16(word);
}
INLINE vi pairs_added(vi words) { return (vi)vpaddlq_s16((int16x8_t)words); }
INLINE running begun(const row *x, int k, int begin) {
    const vi taken = load_int(x + 2 * k + begin / EXACT_INPUTS * sizeof(vi));
    return (running){{0}, {0}, taken, taken};
}
INLINE vi add_left(vi sum, int16x8_t words, inputs x) {
    return (vi)vmlal_s16((int32x4_t)sum, vget_low_s16(words), vget_low_s16((int16x8_t)x));
}
INLINE vi add_right(vi sum, int16x8_t words, inputs x) {
    return (vi)vmlal_high_s16((int32x4_t)sum, words, (int16x8_t)x);
}
INLINE running add_group(running sum, inputs x, const weight *w) {
    const int16x8_t words = (int16x8_t)load_int(w), upper = vshrq_n_s16(words, 8);
    return (running){add_left(sum.upper_left, upper, x), add_right(sum.upper_right, upper, x),
                     add_left(sum.left, words, x), add_right(sum.right, words, x)};
}
INLINE void finish(running sum, const int32_t *shifts, vi *columns) {
    (void)shifts;
    columns[0] = (vi)((vu)sum.left - ((vu)sum.upper_left << 8));
    columns[1] = (vi)((vu)sum.right - ((vu)sum.upper_right << 8));
    columns[2] = sum.upper_left, columns[3] = sum.upper_right;
}
#elif WN_AVX512
typedef vi inputs;
typedef struct { vi first, second; } running; /* pairs of inputs; halves of the columns */

INLINE running join(running a, running b) {
    return (running){a.first + b.first, a.second + b.second};
}
INLINE inputs inputs_at(const row *x, int i, int k) {
    int64_t words;
    memcpy(&words, x + 2 * i, 8);
    (void)k;
    return (vi)_mm512_set1_epi64(words);
}
INLINE running add_group(running sum, inputs x, const weight *w) {
    __m512i a = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)w));
    __m512i b = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)w + 1));
    return (running){sum.first + (vi)_mm512_madd_epi16(a, (__m512i)x),
                     sum.second + (vi)_mm512_madd_epi16(b, (__m512i)x)};
}
INLINE vi finished(running sum, const int32_t *shifts) {
    __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    __m512i a = (__m512i)sum.first, b = (__m512i)sum.second;
    __m512i odds = _mm512_add_epi32(evens, _mm512_set1_epi32(1));
    (void)shifts;
    return (vi)_mm512_permutex2var_epi32(a, evens, b) + (vi)_mm512_permutex2var_epi32(a, odds, b);
}
#else
typedef struct { vi x[4]; } inputs;
typedef struct { vi sum; } running;

INLINE running join(running a, running b) { return (running){a.sum + b.sum}; }
INLINE inputs inputs_at(const row *x, int i, int k) {
    int16_t words[4];
    memcpy(words, x + 2 * i, 8);
    (void)k;
    return (inputs){{all_int(words[0]), all_int(words[1]), all_int(words[2]), all_int(words[3])}};
}
INLINE running add_group(running sum, inputs x, const weight *w) {
    vi bytes = load_int(w); /* on a big-endian CPU the four would be the other way round */
    sum.sum += x.x[0] * ((bytes << 24) >> 24);
    sum.sum += x.x[1] * ((bytes << 16) >> 24);
    sum.sum += x.x[2] * ((bytes << 8) >> 24);
    sum.sum += x.x[3] * (bytes >> 24);
    return sum;
}
INLINE vi finished(running sum, const int32_t *shifts) {
    (void)shifts;
    return sum.sum;
}
#endif

#if !TWIN
INLINE running begun(const row *x, int k, int begin) { /* of nothing */
    (void)x, (void)k, (void)begin;
    return (running){0};
}
INLINE void finish(running sum, const int32_t *shifts, vi *columns) {
    *columns = finished(sum, shifts);
}
#endif

#endif
