/* Int16 activations in two bytes, int8 weights, int32 sums. */
#ifndef WN_INT8_H
#define WN_INT8_H

#include "products.h"

/* `count` (16 or a multiple) integers to int16, saturated, at position i of a row of k. */
INLINE void put16(row *to, int i, int k, const vi *v) {
#if BYTES && WN_AVX512
    /* v holds 64 integers; only `k - i` of them are stored. Packs interleave by 128-bit lane, the
     * last permutation undoes that. */
    __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i a = _mm512_packs_epi32((__m512i)v[0], (__m512i)v[1]);
    __m512i b = _mm512_packs_epi32((__m512i)v[2], (__m512i)v[3]);
    __m512i bytes = _mm512_set1_epi16(0xff), shift = _mm512_set1_epi8((char)HIGH_SHIFT);
    __m512i low = _mm512_packus_epi16(_mm512_and_si512(a, bytes), _mm512_and_si512(b, bytes));
    __m512i high = _mm512_packus_epi16(_mm512_srli_epi16(a, 8), _mm512_srli_epi16(b, 8));
    low = _mm512_permutexvar_epi32(order, low);
    high = _mm512_xor_si512(_mm512_permutexvar_epi32(order, high), shift);
    row *h = to + i, *l = to + k + i;
    if (k - i >= 64) {
        _mm512_storeu_si512(h, high);
        _mm512_storeu_si512(l, low);
        return;
    }
    if (k - i >= 32) {
        _mm256_storeu_si256((__m256i *)h, _mm512_castsi512_si256(high));
        _mm256_storeu_si256((__m256i *)l, _mm512_castsi512_si256(low));
        h += 32, l += 32;
        high = _mm512_shuffle_i32x4(high, high, 2), low = _mm512_shuffle_i32x4(low, low, 2);
    }
    if ((k - i) % 32 >= 16) {
        _mm_storeu_si128((__m128i *)h, _mm512_castsi512_si128(high));
        _mm_storeu_si128((__m128i *)l, _mm512_castsi512_si128(low));
    }
#elif WN_AVX512
    _mm256_storeu_si256((__m256i *)(to + 2 * i), _mm512_cvtsepi32_epi16((__m512i)v[0]));
    (void)k;
#elif WN_AVX2
    __m256i words = _mm256_packs_epi32((__m256i)v[0], (__m256i)v[1]);
    words = _mm256_permute4x64_epi64(words, 0xd8);
#if BYTES
    __m256i high = _mm256_srli_epi16(words, 8);
    __m256i low = _mm256_and_si256(words, _mm256_set1_epi16(0xff));
    __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(high, low), 0xd8);
    __m128i shift = _mm_set1_epi8((char)HIGH_SHIFT);
    __m128i upper = _mm_xor_si128(_mm256_castsi256_si128(bytes), shift);
    _mm_storeu_si128((__m128i *)(to + i), upper);
    _mm_storeu_si128((__m128i *)(to + k + i), _mm256_extracti128_si256(bytes, 1));
#else
    _mm256_storeu_si256((__m256i *)(to + 2 * i), words);
    (void)k;
#endif
#elif WN_SSE
    for (int j = 0; j < 2; j++) {
        __m128i words = _mm_packs_epi32((__m128i)v[2 * j], (__m128i)v[2 * j + 1]);
        _mm_storeu_si128((__m128i *)(to + 2 * i + 16 * j), words);
    }
    (void)k;
#elif WN_NEON && !BYTES
    for (int j = 0; j < 2; j++) {
        int16x4_t a = vqmovn_s32((int32x4_t)v[2 * j]), b = vqmovn_s32((int32x4_t)v[2 * j + 1]);
        vst1q_s16((int16_t *)(to + 2 * i + 16 * j), vcombine_s16(a, b));
    }
    (void)k;
#elif WN_NEON
    for (int j = 0; j < 2; j++) {
        int16x4_t a = vqmovn_s32((int32x4_t)v[2 * j]), b = vqmovn_s32((int32x4_t)v[2 * j + 1]);
        int16x8_t words = vcombine_s16(a, b);
#if WN_I8MM
        uint8x16_t shift = vcombine_u8(vdup_n_u8(HIGH_SHIFT), vdup_n_u8(LOW_SHIFT));
        int8x16_t both = vmovn_high_s16(vshrn_n_s16(words, 8), words);
        vst1q_u8(to + 2 * i + 16 * j, veorq_u8(vreinterpretq_u8_s8(both), shift));
#else
        vst1_s8((int8_t *)to + i + 8 * j, vshrn_n_s16(words, 8));
        vst1_u8(to + k + i + 8 * j,
                veor_u8(vreinterpret_u8_s8(vmovn_s16(words)), vdup_n_u8(LOW_SHIFT)));
#endif
    }
    (void)k;
#elif WN_WASM
    for (int j = 0; j < 2; j++)
        wasm_v128_store(to + 2 * i + 16 * j,
                        wasm_i16x8_narrow_i32x4((v128_t)v[2 * j], (v128_t)v[2 * j + 1]));
    (void)k;
#else
    for (int j = 0; j < 16; j++) {
        int32_t x = v[j / LANES][j % LANES];
        int16_t word = (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
        memcpy(to + 2 * (i + j), &word, 2);
    }
    (void)k;
#endif
}

/* Integers that one put16 takes. */
#if BYTES && WN_AVX512
#define PUT 64
#else
#define PUT 16
#endif

INLINE void encode_times(row *to, const float *x, int k, vf times) {
    vi pairs = {0};
    UNROLL for (int i = 0; i < k; i += PUT) {
        vi v[PUT / LANES];
        UNROLL for (int j = 0; j < PUT / LANES; j++)
            v[j] = i + j * LANES < k ? nearest(load(x + i + j * LANES) * times) : (vi){0};
        put16(to, i, k, v);
#if TWIN /* what `begun` takes away */
        UNROLL for (int j = i; j < i + PUT; j += 2 * LANES)
            pairs += pairs_added(load_int(to + 2 * j));
        if (i + PUT == k || (i + PUT) % EXACT_INPUTS == 0) {
            store_int(to + 2 * k + i / EXACT_INPUTS * sizeof(vi),
                      (vi)(0 - ((vu)total(pairs) << 7)));
            pairs = (vi){0};
        }
#endif
    }
    (void)pairs;
}

/* x to int16 with the smallest power of two as scale that fits all of the row; returns the scale.
 * A power of two makes decode exact, so that a state can leave and come back bit for bit. */
INLINE float encode(row *to, const float *x, int k) {
    vf most = all(0x1p-90f);
    UNROLL for (int i = 0; i < k; i += LANES) most = larger(most, absolute(load(x + i)));
    vi exponent = (vi)maximum(most) & 0x7f800000;
    encode_times(to, x, k, (vf)((268u << 23) - (vu)exponent)); /* 2^(14 - e): |x| < 2^15 */
    vf scale = (vf)(exponent - (14 << 23));
    return scale[0];
}

/* The same for |x| <= 1, which needs no search for the largest. */
#define UNIT_SCALE (1 / 32767.0f)
INLINE float encode_unit(row *to, const float *x, int k) {
    encode_times(to, x, k, all(32767.0f));
    return UNIT_SCALE;
}

INLINE void decode(float *to, const row *x, float scale, int k) {
    for (int i = 0; i < k; i++) {
#if BYTES
        int high = (int8_t)(x[UPPER(i, k)] ^ HIGH_SHIFT), low = x[LOWER(i, k)] ^ LOW_SHIFT;
        to[i] = scale * (float)(high * 256 + low);
#else
        int16_t word;
        memcpy(&word, x + 2 * i, 2);
        to[i] = scale * word;
#endif
    }
}

#define SPLIT_SUMS(width) ((width) <= 2 * LANES) /* see floats.h */

/* 64 inputs are eight groups of i8mm, which GCC 12 would unroll whole, and then keep sums on the
 * stack: with two streams a sixth of all instructions. Of small groups the loop itself is a tenth.
 * WebAssembly's compilers are better left alone: four at once take 1.3 times as long in node. */
#if WN_I8MM || (TWIN && !WN_WASM)
#define GROUPS FOUR_TIMES
#else
#define GROUPS
#endif

/* whole[b][v] = x[b] @ W over inputs `begin` to before `end`, EXACT_INPUTS at most; m has the
 * weights and the shifts of these inputs. */
INLINE void sum_products(int nb, int nv, int begin, int end, int k, int width, columns m,
                         const row *x, vi *whole) {
    const int chains = SPLIT_SUMS(width) ? 2 : 1;
    const weight *w = m.w;
    running sum[MOST];
    UNROLL for (int j = 0; j < chains * nb * nv; j += SPAN)
        sum[j] = j < nb * nv ? begun(x + j / nv * ROW_BYTES(k), k, begin) : (running){0};
    GROUPS for (int i = begin; i < end; i += GROUP * chains)
        UNROLL for (int c = 0; c < chains; c++, w += GROUP * width) {
            ahead(w, nv * GROUP * LANES);
            UNROLL for (int b = 0; b < nb; b++) {
                inputs xs = inputs_at(x + b * ROW_BYTES(k), i + GROUP * c, k);
                UNROLL for (int v = 0; v < nv; v += SPAN) {
                    int j = (c * nb + b) * nv + v;
                    sum[j] = add_group(sum[j], xs, w + GROUP * v * LANES);
                }
            }
        }
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v += SPAN) {
            running each = sum[b * nv + v];
            if (chains == 2) each = join(each, sum[(nb + b) * nv + v]);
            finish(each, m.shifts + v * LANES, whole + b * nv + v);
        }
}

INLINE void add_rescaled(int nb, int nv, columns m, const float *x_scale, const vi *whole, vf *y) {
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++)
            y[b * nv + v] +=
                to_float(whole[b * nv + v]) * (load(m.scale + v * LANES) * x_scale[b]);
}

/* y[b][v] = init[b][v] + x[b] @ W. Sums are exact within EXACT_INPUTS inputs and are added in float
 * beyond. */
INLINE void add_products(int nb, int nv, int k, int n, int width, columns m, rows_io io) {
    vi whole[MOST];
    vf y[MOST];
    sum_products(nb, nv, 0, k < EXACT_INPUTS ? k : EXACT_INPUTS, k, width, m, io.x, whole);
    /* Not before: while sums take up the registers, it would wait on the stack. */
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++)
            y[b * nv + v] = load(io.init + b * io.init_stride + v * LANES);
    add_rescaled(nb, nv, m, io.x_scale, whole, y);
    for (int begin = EXACT_INPUTS; begin < k; begin += EXACT_INPUTS) {
        m.w += EXACT_INPUTS * width, m.shifts += n;
        int end = k - begin < EXACT_INPUTS ? k : begin + EXACT_INPUTS;
        sum_products(nb, nv, begin, end, k, width, m, io.x, whole);
        add_rescaled(nb, nv, m, io.x_scale, whole, y);
    }
    UNROLL for (int b = 0; b < nb; b++)
        UNROLL for (int v = 0; v < nv; v++) store(io.y + b * n + v * LANES, y[b * nv + v]);
}

/* y += integer sums that were kept, rescaled: what add_products would have added. */
INLINE void add_whole(int rows, int n, columns m, const int32_t *whole, const float *x_scale,
                      float *y) {
    for (int b = 0; b < rows; b++, whole += n, y += n)
        for (int i = 0; i < n; i += LANES)
            store(y + i, load(y + i) + to_float(load_int(whole + i)) *
                                           (load(m.scale + i) * x_scale[b]));
}

#endif
