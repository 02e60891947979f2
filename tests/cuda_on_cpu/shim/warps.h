// What the 32 lanes of a warp do together: shuffles, votes, products of matrices.
//
// Each lane leaves its part in an exchange; the last of them lets all go on. Nothing else waits.
#pragma once

#include "blocks.h"
#include "numbers.h"

#define ALL_LANES 0xffffffffu

namespace shim {

static inline Exchange &exchange() { return warp->exchange[warp->exchanges & 1]; }

// `last` is what the last lane does for all.
template <typename Last> static inline void meet(const char *operation, Last last) {
    if (warp->lanes != LANES) fail("%s in a warp of %d threads", operation, warp->lanes);
    if (warp->met == 0) warp->operation = operation;
    if (warp->operation != operation)
        fail("lanes of warp %d of block %u meet in %s and in %s", warp->first / LANES,
             warp->block->index, warp->operation, operation);
    if (++warp->met == LANES) {
        warp->met = 0;
        last();
        warp->exchanges++;
    } else {
        leave({&warp->exchanges, ~0ull, warp->exchanges}, IN_WARP, 0);
    }
}
static inline void meet(const char *operation) {
    meet(operation, [] {});
}

static inline void all_lanes(u32 mask, const char *operation) {
    if (mask != ALL_LANES) fail("%s of lanes %#x; the stand-in has it for all only", operation, mask);
}

static const char SHUFFLE[] = "a shuffle", VOTE[] = "a vote", SYNC[] = "__syncwarp";
static const char MMA_HALF[] = "mma_half", MMA_INT8[] = "mma_int8";

// The value of lane from(me), or the own one where that is negative.
template <typename T, typename From> static inline T shuffle(u32 mask, T value, From from) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "a shuffle is of 4 or 8 bytes");
    Unseen unseen;
    all_lanes(mask, SHUFFLE);
    const int me = lane, source = from(me);
    Exchange &now = exchange();
    memcpy(&now.words[me], &value, sizeof value);
    meet(SHUFFLE);
    if (source >= 0) memcpy(&value, &now.words[source], sizeof value);
    return value;
}

// product = a @ b, a 16 x K and b K x 8.
template <int K> static inline void multiply(Exchange &now) {
    for (int i = 0; i < 16; i++) {
        float sum[8] = {};
        for (int k = 0; k < K; k++)
            for (int j = 0; j < 8; j++) sum[j] += now.a[i][k] * now.b[k][j];
        memcpy(now.product[i], sum, sizeof sum);
    }
}

// Fragments of matrices (PTX ISA, "Matrix fragments for mma.m16n8k16" and "…k32"): a register of A
// holds neighbours of one row, one of B neighbours of one column. `EACH` of them, each Element.
template <int EACH, typename Element>
static inline Exchange &product(const char *operation, uint4 a, uint2 b, Element element) {
    Unseen unseen;
    const int group = lane / 4, in_group = lane % 4, half = 4 * EACH;
    const u32 rows[4] = {a.x, a.y, a.z, a.w}, columns[2] = {b.x, b.y};
    Exchange &now = exchange();
    for (int r = 0; r < 4; r++)
        for (int i = 0; i < EACH; i++)
            now.a[group + r % 2 * 8][in_group * EACH + i + r / 2 * half] = element(rows[r], i);
    for (int r = 0; r < 2; r++)
        for (int i = 0; i < EACH; i++)
            now.b[in_group * EACH + i + r * half][group] = element(columns[r], i);
    meet(operation, [&] { multiply<8 * EACH>(now); });
    return now;
}

// c += product, where c[0], c[1] are neighbours of one row and c[2], c[3] of the eighth after it.
template <typename T> static inline void add(T (&c)[4], const Exchange &now) {
    Unseen unseen;
    for (int i = 0; i < 4; i++)
        c[i] += (T)now.product[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
}

}  // namespace shim

static inline void __syncwarp(u32 mask = ALL_LANES) {
    shim::Unseen unseen;
    shim::all_lanes(mask, shim::SYNC);
    shim::meet(shim::SYNC);
}

template <typename T> static inline T __shfl_sync(u32 mask, T value, int source, int width = 32) {
    return shim::shuffle(mask, value,
                         [=](int me) { return (me & -width) | (source & (width - 1)); });
}
template <typename T> static inline T __shfl_xor_sync(u32 mask, T value, int bits, int width = 32) {
    return shim::shuffle(mask, value, [=](int me) {
        return (me ^ bits) <= (me | (width - 1)) ? (me ^ bits) & 31 : -1;
    });
}
template <typename T> static inline T __shfl_up_sync(u32 mask, T value, u32 by, int width = 32) {
    return shim::shuffle(mask, value, [=](int me) {
        return me - (int)by >= (me & -width) ? me - (int)by : -1;
    });
}
template <typename T> static inline T __shfl_down_sync(u32 mask, T value, u32 by, int width = 32) {
    return shim::shuffle(mask, value, [=](int me) {
        return me + (int)by <= (me | (width - 1)) ? me + (int)by : -1;
    });
}

static inline u32 __ballot_sync(u32 mask, int predicate) {
    shim::Unseen unseen;
    shim::all_lanes(mask, shim::VOTE);
    shim::Exchange &now = shim::exchange();
    now.words[shim::lane] = predicate != 0;
    shim::meet(shim::VOTE);
    u32 votes = 0;
    for (int i = 0; i < shim::LANES; i++) votes |= (u32)now.words[i] << i;
    return votes;
}
static inline int __any_sync(u32 mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
static inline int __all_sync(u32 mask, int predicate) {
    return __ballot_sync(mask, predicate) == ALL_LANES;
}

static inline void mma_half(float (&c)[4], const uint4 a, const uint2 b) {
    shim::add(c, shim::product<2>(shim::MMA_HALF, a, b, [](u32 pair, int i) {
                  return from_half(pair >> 16 * i & 0xffff);
              }));
}
// In floats: no sum of products is too large to be exact.
static inline void mma_int8(int (&c)[4], const uint4 a, const uint2 b) {
    shim::add(c, shim::product<4>(shim::MMA_INT8, a, b, [](u32 four, int i) {
                  return (float)(signed char)(four >> 8 * i);
              }));
}
