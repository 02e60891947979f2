// Words of global memory by which blocks hand over: a value and a mark, written and read as one.
//
// What is posted arrives at a random time, in a random order, as nothing else is known of it on a GPU.
#pragma once

#include "signals.h"

struct alignas(8) Flagged {
    u32 value, mark;
};

namespace shim {

struct Post {
    Flagged *to;
    Flagged what;
    void deliver() const { *to = what; }
};

static std::vector<Post> posts;

}  // namespace shim

// To ThreadSanitizer a word orders what was done before it was posted and what is done once it is
// there. On a GPU that is so of what the number was made of, not of other writes.
static inline void post(Flagged *to, u32 value, u32 mark) {
    shim::Unseen unseen;
    shim::come({(char *)to, "mark", 0, 0}, "come");
    if ((u64)to % 8 != 0) shim::fail("a place at no multiple of 8");
    for (const shim::Post &before : shim::posts)
        if (before.to == to) shim::fail("mark %u is posted before %u has arrived", mark, before.what.mark);
    if (mark <= to->mark) shim::fail("mark %u is posted where %u is", mark, to->mark);
    shim::posts.push_back({to, {value, mark}});
}
static inline void post(Flagged *to, float2 value, u32 mark) {
    if ((u64)to % 16 != 0) shim::fail("two places at no multiple of 16");
    post(to, __float_as_uint(value.x), mark);
    post(to + 1, __float_as_uint(value.y), mark);
}
namespace shim {
static inline u32 collect(const Flagged *from, u32 mark) {
    Unseen unseen;
    const u64 *word = (const u64 *)from;
    while (from->mark != mark) {
        if (from->mark > mark) fail("mark %u is waited for where %u is", mark, from->mark);
        wait_for({word, ~0ull, *word}, FOR_MARK, (int)mark);
    }
    pass({(char *)from, "mark", 0, 0});
    return from->value;
}
template <typename Value> struct Collected;
template <> struct Collected<u32> {
    static u32 of(const Flagged *from, u32 mark) { return collect(from, mark); }
};
template <> struct Collected<float2> {
    static float2 of(const Flagged *from, u32 mark) {
        const u32 one = collect(from, mark), other = collect(from + 1, mark);
        if (from->mark != mark) fail("mark %u is gone before its neighbour is there", mark);
        return {__uint_as_float(one), __uint_as_float(other)};
    }
};
}  // namespace shim
template <typename Value> static inline Value collect(const Flagged *from, u32 mark) {
    return shim::Collected<Value>::of(from, mark);
}
