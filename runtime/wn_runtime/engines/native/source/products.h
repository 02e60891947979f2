/* Products of some int8 weights and int16 inputs, once per ISA: GROUP inputs, and the running sums of
 * a vector of columns. int8.h has how both lie in memory.
 */
#ifndef WN_PRODUCTS_H
#define WN_PRODUCTS_H

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
INLINE vi finish(running sum, const int32_t *shifts) {
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
INLINE vi finish(running sum, const int32_t *shifts) { return unshifted(sum, load_int(shifts)); }
#elif WN_AVX512 || WN_AVX2 || WN_WASM
typedef vi inputs;
typedef struct { vi first, second; } running; /* pairs of inputs; halves of the columns */

INLINE running join(running a, running b) {
    return (running){a.first + b.first, a.second + b.second};
}
INLINE inputs inputs_at(const row *x, int i, int k) {
    int64_t words;
    memcpy(&words, x + 2 * i, 8);
    (void)k;
#if WN_AVX512
    return (vi)_mm512_set1_epi64(words);
#elif WN_AVX2
    return (vi)_mm256_set1_epi64x(words);
#else
    return (vi)wasm_i64x2_splat(words);
#endif
}
INLINE running add_group(running sum, inputs x, const weight *w) {
#if WN_AVX512
    __m512i a = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)w));
    __m512i b = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)w + 1));
    return (running){sum.first + (vi)_mm512_madd_epi16(a, (__m512i)x),
                     sum.second + (vi)_mm512_madd_epi16(b, (__m512i)x)};
#elif WN_AVX2
    __m256i a = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w));
    __m256i b = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w + 1));
    return (running){sum.first + (vi)_mm256_madd_epi16(a, (__m256i)x),
                     sum.second + (vi)_mm256_madd_epi16(b, (__m256i)x)};
#else
    v128_t a = wasm_i16x8_load8x8(w), b = wasm_i16x8_load8x8(w + 8);
    return (running){sum.first + (vi)wasm_i32x4_dot_i16x8(a, (v128_t)x),
                     sum.second + (vi)wasm_i32x4_dot_i16x8(b, (v128_t)x)};
#endif
}
INLINE vi finish(running sum, const int32_t *shifts) {
    (void)shifts;
#if WN_AVX512
    __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    __m512i a = (__m512i)sum.first, b = (__m512i)sum.second;
    __m512i odds = _mm512_add_epi32(evens, _mm512_set1_epi32(1));
    return (vi)_mm512_permutex2var_epi32(a, evens, b) + (vi)_mm512_permutex2var_epi32(a, odds, b);
#elif WN_AVX2
    __m256i pairs = _mm256_hadd_epi32((__m256i)sum.first, (__m256i)sum.second);
    return (vi)_mm256_permute4x64_epi64(pairs, 0xd8);
#else
    v128_t a = (v128_t)sum.first, b = (v128_t)sum.second;
    return (vi)wasm_i32x4_shuffle(a, b, 0, 2, 4, 6) + (vi)wasm_i32x4_shuffle(a, b, 1, 3, 5, 7);
#endif
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
INLINE vi finish(running sum, const int32_t *shifts) {
    (void)shifts;
    return sum.sum;
}
#endif

#endif
