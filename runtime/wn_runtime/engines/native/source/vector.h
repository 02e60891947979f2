/* Vectors of LANES floats or 32-bit integers, and the few operations that need naming per ISA.
 *
 * The types are the compiler's own vector types (GCC and Clang): + - * / & | << work on every
 * CPU. What the compilers have no operator for is named here, once per ISA. Without a known ISA,
 * or with -DWN_PLAIN, there are four lanes and no intrinsic at all.
 */
#ifndef WN_VECTOR_H
#define WN_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#if __STDC_HOSTED__ && __has_include(<string.h>)
#include <string.h>
#else /* no C library; compilers make code of their own of these, or call what its target has */
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#endif

#if !defined(WN_PLAIN) && defined(__AVX512F__) && defined(__AVX512BW__)
#include <immintrin.h>
#define WN_AVX512 1
#define LANES 16
#define REGISTERS 32
#elif !defined(WN_PLAIN) && defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define WN_AVX2 1
#define LANES 8
#define REGISTERS 16
#elif !defined(WN_PLAIN) && defined(__SSE2__)
#include <emmintrin.h>
#define WN_SSE 1
#define LANES 4
#define REGISTERS 16
#elif !defined(WN_PLAIN) && defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#define WN_NEON 1
#define LANES 4
#define REGISTERS 32
#elif !defined(WN_PLAIN) && defined(__wasm_simd128__)
#include <wasm_simd128.h>
#define WN_WASM 1
#define LANES 4
#define REGISTERS 16 /* of x86-64, which has the fewest */
#else
#define LANES 4
#define REGISTERS 16
#endif

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef uint32_t vu __attribute__((vector_size(4 * LANES))); /* where sums may wrap */

/* Not each is used in every build; clang tells of those that are not. */
#define INLINE static inline __attribute__((always_inline, unused))
/* Full unrolling keeps arrays of accumulators in registers: their indices become constants. */
#define UNROLL _Pragma("GCC unroll 32")
#define FOUR_TIMES _Pragma("GCC unroll 4")

INLINE vf load(const float *p) { vf v; memcpy(&v, p, sizeof v); return v; }
INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE vi load_int(const void *p) { vi v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_int(void *p, vi v) { memcpy(p, &v, sizeof v); }
INLINE vf to_float(vi v) { return __builtin_convertvector(v, vf); }
INLINE vf absolute(vf v) { return (vf)((vi)v & 0x7fffffff); }

#if WN_AVX512
INLINE vf all(float x) { return _mm512_set1_ps(x); }
INLINE vi all_int(int32_t x) { return (vi)_mm512_set1_epi32(x); }
INLINE vf larger(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf smaller(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vi nearest(vf v) { return (vi)_mm512_cvtps_epi32(v); } /* ties to even */
INLINE vf maximum(vf v) { /* of all lanes, in every lane */
    v = larger(v, _mm512_shuffle_f32x4(v, v, 0x4e));
    v = larger(v, _mm512_shuffle_f32x4(v, v, 0xb1));
    v = larger(v, _mm512_permute_ps(v, 0x4e));
    return larger(v, _mm512_permute_ps(v, 0xb1));
}
/* One Newton step on the 14-bit estimate: 2 ulp, a third of a division's time. */
INLINE vf quotient(vf a, vf b) {
    vf r = _mm512_rcp14_ps(b);
    return a * (r + r * (1.0f - b * r));
}
#elif WN_AVX2
INLINE vf all(float x) { return _mm256_set1_ps(x); }
INLINE vi all_int(int32_t x) { return (vi)_mm256_set1_epi32(x); }
INLINE vf larger(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf smaller(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vi nearest(vf v) { return (vi)_mm256_cvtps_epi32(v); }
INLINE vf maximum(vf v) {
    v = larger(v, _mm256_permute2f128_ps(v, v, 1));
    v = larger(v, _mm256_permute_ps(v, 0x4e));
    return larger(v, _mm256_permute_ps(v, 0xb1));
}
INLINE vi total(vi v) { /* of all lanes, in every lane */
    v += (vi)_mm256_permute2x128_si256((__m256i)v, (__m256i)v, 1);
    v += (vi)_mm256_shuffle_epi32((__m256i)v, 0x4e);
    return v + (vi)_mm256_shuffle_epi32((__m256i)v, 0xb1);
}
INLINE vf quotient(vf a, vf b) { return a / b; }
#elif WN_SSE
INLINE vf all(float x) { return _mm_set1_ps(x); }
INLINE vi all_int(int32_t x) { return (vi)_mm_set1_epi32(x); }
INLINE vf larger(vf a, vf b) { return _mm_max_ps(a, b); }
INLINE vf smaller(vf a, vf b) { return _mm_min_ps(a, b); }
INLINE vi nearest(vf v) { return (vi)_mm_cvtps_epi32(v); }
INLINE vf maximum(vf v) {
    v = larger(v, _mm_shuffle_ps(v, v, 0x4e));
    return larger(v, _mm_shuffle_ps(v, v, 0xb1));
}
INLINE vi total(vi v) {
    v += (vi)_mm_shuffle_epi32((__m128i)v, 0x4e);
    return v + (vi)_mm_shuffle_epi32((__m128i)v, 0xb1);
}
INLINE vf quotient(vf a, vf b) { return a / b; }
#elif WN_NEON
INLINE vf all(float x) { return (vf)vdupq_n_f32(x); }
INLINE vi all_int(int32_t x) { return (vi)vdupq_n_s32(x); }
INLINE vf larger(vf a, vf b) { return (vf)vmaxq_f32((float32x4_t)a, (float32x4_t)b); }
INLINE vf smaller(vf a, vf b) { return (vf)vminq_f32((float32x4_t)a, (float32x4_t)b); }
INLINE vi nearest(vf v) { return (vi)vcvtnq_s32_f32((float32x4_t)v); }
INLINE vf quotient(vf a, vf b) { return a / b; }
INLINE vf maximum(vf v) { return all(vmaxvq_f32((float32x4_t)v)); }
INLINE vi total(vi v) { return all_int(vaddvq_s32((int32x4_t)v)); }
#elif WN_WASM
INLINE vf all(float x) { return (vf)wasm_f32x4_splat(x); }
INLINE vi all_int(int32_t x) { return (vi)wasm_i32x4_splat(x); }
INLINE vf larger(vf a, vf b) { return (vf)wasm_f32x4_pmax((v128_t)b, (v128_t)a); }
INLINE vf smaller(vf a, vf b) { return (vf)wasm_f32x4_pmin((v128_t)b, (v128_t)a); }
INLINE vi nearest(vf v) { return (vi)(v + 12582912.0f) - 0x4b400000; } /* |v| <= 2^22 */
INLINE vf quotient(vf a, vf b) { return a / b; }
INLINE vi total(vi v) {
    v += (vi)wasm_i32x4_shuffle((v128_t)v, (v128_t)v, 2, 3, 0, 1);
    return v + (vi)wasm_i32x4_shuffle((v128_t)v, (v128_t)v, 1, 0, 3, 2);
}
INLINE vf maximum(vf v) {
    v = larger(v, (vf)wasm_i32x4_shuffle((v128_t)v, (v128_t)v, 2, 3, 0, 1));
    return larger(v, (vf)wasm_i32x4_shuffle((v128_t)v, (v128_t)v, 1, 0, 3, 2));
}
#else
INLINE vf all(float x) { vf v; for (int i = 0; i < LANES; i++) v[i] = x; return v; }
INLINE vi all_int(int32_t x) { vi v; for (int i = 0; i < LANES; i++) v[i] = x; return v; }
INLINE vf larger(vf a, vf b) { vi m = a > b; return (vf)(((vi)a & m) | ((vi)b & ~m)); }
INLINE vf smaller(vf a, vf b) { vi m = a < b; return (vf)(((vi)a & m) | ((vi)b & ~m)); }
/* Adding 1.5 * 2^23 leaves the nearest integer, ties to even, in the low bits (|v| < 2^22). */
INLINE vi nearest(vf v) { return (vi)(v + 12582912.0f) - 0x4b400000; }
INLINE vf quotient(vf a, vf b) { return a / b; }
#endif

/* The sum of all lanes; it must not overflow. */
INLINE uint32_t lanes_total(vi v) {
#if WN_AVX512
    return (uint32_t)_mm512_reduce_add_epi32((__m512i)v);
#elif WN_AVX2
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128((__m256i)v),
                                _mm256_extracti128_si256((__m256i)v, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
#elif WN_NEON
    return (uint32_t)vaddvq_s32((int32x4_t)v);
#else
    uint32_t sum = 0;
    for (int i = 0; i < LANES; i++) sum += (uint32_t)v[i];
    return sum;
#endif
}

#if !WN_AVX512 && !WN_AVX2 && !WN_SSE && !WN_NEON && !WN_WASM
INLINE vf maximum(vf v) {
    float most = v[0];
    for (int i = 1; i < LANES; i++) most = v[i] > most ? v[i] : most;
    return all(most);
}
#endif

/* Decaying activations would become denormal numbers, which CPUs compute many times slower. While
 * C runs they are zero; the caller's own setting comes back afterwards. */
#if defined(__SSE__)
INLINE uint64_t flush_denormals(void) {
    uint32_t before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040);
    return before;
}
INLINE void restore_denormals(uint64_t before) { __builtin_ia32_ldmxcsr((uint32_t)before); }
#elif defined(__aarch64__)
INLINE uint64_t flush_denormals(void) {
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | 1 << 24));
    return before;
}
INLINE void restore_denormals(uint64_t before) {
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}
#elif defined(__arm__) && defined(__ARM_FP) /* of scalars: its vectors know no denormals */
INLINE uint64_t flush_denormals(void) {
    uint32_t before;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(before));
    __asm__ volatile("vmsr fpscr, %0" : : "r"(before | 1u << 24));
    return before;
}
INLINE void restore_denormals(uint64_t before) {
    __asm__ volatile("vmsr fpscr, %0" : : "r"((uint32_t)before));
}
#else
INLINE uint64_t flush_denormals(void) { return 0; }
INLINE void restore_denormals(uint64_t before) { (void)before; }
#endif

/* 2^t to 2e-7 relative, |t| <= 126: t = n + f, |f| <= 1/2, and a polynomial for 2^f (degree 5, fitted
 * at Chebyshev nodes). */
INLINE vf exp2_within(vf t) {
    vf shifted = t + 12582912.0f; /* rounds to an integer, held in the low bits */
    vf n = shifted - 12582912.0f, f = t - n;
    vf p = all(1.3276466e-3f);
    p = p * f + 9.6755410e-3f;
    p = p * f + 5.5507135e-2f;
    p = p * f + 2.4022120e-1f;
    p = p * f + 6.9314694e-1f;
    p = p * f + 1.0f;
#if WN_AVX512
    return _mm512_scalef_ps(p, n);
#else
    return (vf)((vi)p + (((vi)shifted - 0x4b400000) << 23));
#endif
}

INLINE vf within(vf v, float most) { return smaller(larger(v, all(-most)), all(most)); }

/* The same for any t, clamped to [-126, 126]. */
INLINE vf exp2_of(vf t) { return exp2_within(within(t, 126.0f)); }

#define LOG2E 1.44269504088896f
#define SATURATED 43.2808512f /* 30 log2 e */

INLINE vf exp_of(vf x) { return exp2_of(x * LOG2E); }

/* tanh(f) * sigmoid(g) with one division: (1 - e^-2f) / ((1 + e^-2f) (1 + e^-g)). Absolute error
 * under 3e-7. Beyond |f| = 15, |g| = 30 both have saturated in float32. What is raised is clamped, not
 * f and g: so no compiler makes one operation of the product and what follows, and CPUs without
 * such an operation have the same bits. */
INLINE vf gated(vf f, vf g) {
    vf ef = exp2_within(within(f * (-2 * LOG2E), SATURATED));
    vf eg = exp2_within(within(g * -LOG2E, SATURATED));
    return quotient(1.0f - ef, (1.0f + ef) * (1.0f + eg));
}

#endif
