// CUDA's types, and its arithmetic: halves, the fast functions as inexact as a GPU's may be.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>

#include "fibres.h"

struct alignas(8) uint2 { u32 x, y; };
struct alignas(16) uint4 { u32 x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
static inline uint2 make_uint2(u32 x, u32 y) { return {x, y}; }
static inline uint4 make_uint4(u32 x, u32 y, u32 z, u32 w) { return {x, y, z, w}; }
static inline int2 make_int2(int x, int y) { return {x, y}; }
static inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

namespace shim {
template <typename To, typename From> static inline To bits_as(From value) {
    static_assert(sizeof(To) == sizeof(From), "another size");
    To result;
    memcpy(&result, &value, sizeof result);
    return result;
}
static inline float flushed(float x) {
    return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0f, x) : x;
}
}  // namespace shim

static inline u32 __float_as_uint(float x) { return shim::bits_as<u32>(x); }
static inline int __float_as_int(float x) { return shim::bits_as<int>(x); }
static inline float __uint_as_float(u32 x) { return shim::bits_as<float>(x); }
static inline float __int_as_float(int x) { return shim::bits_as<float>(x); }

// To the nearest, what is too large to the nearest there is, NaN to 0.
static inline int __float2int_rn(float x) {
    if (x != x) return 0;
    return x >= 2147483648.0f ? INT32_MAX : x <= -2147483648.0f ? INT32_MIN : (int)rintf(x);
}
static inline u32 __float2uint_rn(float x) {
    return !(x > 0) ? 0 : x >= 4294967296.0f ? UINT32_MAX : (u32)rintf(x);
}
static inline float __int2float_rn(int x) { return (float)x; }
static inline float __uint2float_rn(u32 x) { return (float)x; }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
static inline float __fadd_rn(float x, float y) { return x + y; }
static inline float __fmul_rn(float x, float y) { return x * y; }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
#define __expf expf  // the name is the C library's own, of something else
static inline float rsqrtf(float x) { return 1 / sqrtf(x); }
// Four bytes of the eight of y:x, each chosen by a digit of `which`.
static inline u32 __byte_perm(u32 x, u32 y, u32 which) {
    const u64 both = (u64)y << 32 | x;
    u32 result = 0;
    for (int i = 0; i < 4; i++) result |= (u32)(both >> (which >> 4 * i & 7) * 8 & 0xff) << 8 * i;
    return result;
}
static inline int __popc(u32 x) { return __builtin_popcount(x); }
static inline int __clz(u32 x) { return x ? __builtin_clz(x) : 32; }
static inline int __ffs(u32 x) { return __builtin_ffs((int)x); }
static inline u32 __umulhi(u32 x, u32 y) { return (u32)((u64)x * y >> 32); }

template <typename X, typename Y> static inline auto min(X x, Y y) {
    if constexpr (std::is_floating_point<decltype(x + y)>::value) return std::fmin(x, y);
    else return (decltype(x + y))x < (decltype(x + y))y ? (decltype(x + y))x : (decltype(x + y))y;
}
template <typename X, typename Y> static inline auto max(X x, Y y) {
    if constexpr (std::is_floating_point<decltype(x + y)>::value) return std::fmax(x, y);
    else return (decltype(x + y))x > (decltype(x + y))y ? (decltype(x + y))x : (decltype(x + y))y;
}

// To nearest, ties to even; what is too large is infinite.
static inline u32 half_bits(float x) {
    const u32 bits = __float_as_uint(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return 0x7fff;
    if (size >= 0x477ff000) return sign | 0x7c00;  // 65520
    if (size < 0x38800000)  // 2^-14: below, halves are multiples of 2^-24, as floats of [1/2, 1) are
        return sign | (__float_as_uint(__uint_as_float(size) + 0.5f) - 0x3f000000);
    return sign | ((size + 0xfff + (size >> 13 & 1) - (112u << 23)) >> 13);
}
static inline float from_half(u32 bits) {
    const u32 sign = (bits & 0x8000) << 16, size = bits & 0x7fff;
    const u32 large = size >= 0x7c00 ? 0x7f800000 | size << 13 : 0;
    const float x = __uint_as_float(size << 13) * 0x1p112f;
    return __uint_as_float(sign | (large ? large : __float_as_uint(x)));
}

static inline float exp2_fast(float x) { return shim::flushed(exp2f(shim::flushed(x))); }
static inline float reciprocal_fast(float x) { return shim::flushed(1 / shim::flushed(x)); }
// Right to 2^-12 of itself and no further, as a GPU's is to 2^-11.
static inline float tanh_fast(float x) {
    const float y = tanhf(x);
    return y != y ? y : __uint_as_float((__float_as_uint(y) + 0x800) & ~0xfffu);
}
