// Signals (mbarriers), and what is written to shared memory while threads go on.
//
// A transfer arrives at a random time after it was started, in a random order: nothing but its
// signal says when.
#pragma once

#include "warps.h"

struct alignas(8) Signal {
    u64 word;
};

namespace shim {

constexpr int MOST_ARRIVALS = (1 << 20) - 1, MOST_BYTES = (1 << 20) - 1;

// A word of fresh shared memory is no state of a signal.
struct State {
    u64 phase : 1, arrivals : 20, pending : 20;
    long long bytes : 22;  // announced and not yet written; below 0 where they came before
    u64 zero : 1;
};
static_assert(sizeof(State) == sizeof(Signal), "a signal is 8 bytes");

static inline State state_of(Block &block, const Signal *signal) {
    if (!block.holds(signal, sizeof *signal) || (u64)signal % 8 != 0) {
        fail("a signal is not in the shared memory of block %u, or not at a multiple of 8",
             block.index);
        return State();
    }
    const State state = bits_as<State>(signal->word);
    if (state.zero || state.arrivals == 0)
        fail("the signal at byte %d of block %u is used before it was opened",
             block.offset(signal), block.index);
    return state;
}

static inline Meeting meeting(Block &block, Signal *signal, int phase) {
    return {(char *)signal + phase, "signal", block.offset(signal), block.rank};
}
static inline Meeting meeting(Block &block, Signal *signal) {
    return meeting(block, signal, (int)state_of(block, signal).phase);
}

static inline void change(Block &block, Signal *signal, int arrivals, long long bytes) {
    State state = state_of(block, signal);
    if (failure[0]) return;
    if (arrivals > (int)state.pending)
        return fail("more arrive at the signal at byte %d of block %u than its %d",
                    block.offset(signal), block.index, (int)state.arrivals);
    const long long left = state.bytes + bytes;
    if (left > MOST_BYTES || left < -MOST_BYTES)
        return fail("a signal counts %d bytes at most, not %lld", MOST_BYTES, left);
    state.pending -= arrivals;
    state.bytes = left;
    if (state.pending == 0 && left == 0) {
        state.phase ^= 1;
        state.pending = state.arrivals;
    }
    signal->word = bits_as<u64>(state);
}

struct Transfer {
    Block *block;  // whose shared memory it goes to
    unsigned char *to;
    const unsigned char *from;  // null: the four bytes are `value`
    u32 value;
    int bytes, stride;  // in pieces of 16 so far apart, if there is a stride
    Signal *signal;

    void deliver() const {
        if (!from) memcpy(to, &value, 4);
        else if (!stride) memcpy(to, from, bytes);
        for (int at = 0; stride && at < bytes; at += stride) memcpy(to + at, from + at, 16);
        if (stride) change(*block, signal, 1, 0);
        else change(*block, signal, 0, -(long long)bytes);
    }
};

static std::vector<Transfer> transfers;

static inline void check_fill(const void *to, const void *from, int bytes) {
    Block &block = *warp->block;
    if (bytes <= 0 || bytes % 16 != 0 || (u64)to % 16 != 0 || (u64)from % 16 != 0)
        fail("fill of %d bytes from %p to byte %d: all are multiples of 16", bytes, from,
             block.offset(to));
    if (!block.holds(to, bytes))
        fail("fill of %d bytes to byte %d of a block that has %d", bytes, block.offset(to),
             block.shared);
}

}  // namespace shim

#if ARCH >= 80
static inline void signal_open(Signal *signal, int arrivals) {
    shim::wrote(signal, sizeof *signal);
    shim::Unseen unseen;
    shim::Block &block = *shim::warp->block;
    if (arrivals < 1 || arrivals > shim::MOST_ARRIVALS)
        shim::fail("a signal is for 1 to %d arrivals, not %d", shim::MOST_ARRIVALS, arrivals);
    if (!block.holds(signal, sizeof *signal) || (u64)signal % 8 != 0)
        shim::fail("a signal is opened outside shared memory, or not at a multiple of 8");
    shim::State state = {};
    state.arrivals = state.pending = arrivals;
    signal->word = shim::bits_as<u64>(state);
}
static inline void signal_arrive(Signal *signal) {
    shim::looked_at(signal, sizeof *signal);
    shim::Unseen unseen;
    shim::come(shim::meeting(*shim::warp->block, signal), "come");
    shim::change(*shim::warp->block, signal, 1, 0);
}
static inline void signal_wait(Signal *signal, int phase) {
    shim::looked_at(signal, sizeof *signal);
    shim::Unseen unseen;
    shim::Block &block = *shim::warp->block;
    shim::state_of(block, signal);
    if (phase != 0 && phase != 1) shim::fail("a phase is 0 or 1, not %d", phase);
    shim::wait_for({&signal->word, 1, (u64)phase}, shim::FOR_SIGNAL, block.offset(signal));
    shim::pass(shim::meeting(block, signal, phase));
}
#endif

#if ARCH >= 90
static inline void signal_expect(Signal *signal, int bytes) {
    shim::looked_at(signal, sizeof *signal);
    shim::Unseen unseen;
    shim::come(shim::meeting(*shim::warp->block, signal), "arm");
    if (bytes < 0) shim::fail("a signal is told to expect %d bytes", bytes);
    shim::change(*shim::warp->block, signal, 1, bytes);
}
// A place in another block's shared memory, and the block.
struct Remote {
    unsigned char *at;
    shim::Block *block;
};
static inline Remote remote(const void *place, int rank) {
    shim::Block &mine = *shim::warp->block;
    if (rank < 0 || rank >= shim::cluster.size)
        shim::fail("block %d of a cluster of %d", rank, shim::cluster.size);
    if (!mine.holds(place, 4))
        shim::fail("byte %d of a block that has %d", mine.offset(place), mine.shared);
    shim::Block &there = shim::cluster.blocks[rank];
    return {there.base() + mine.offset(place), &there};
}
static inline void send(Remote to, u32 value, Remote signal) {
    shim::wrote(to.at, 4);
    shim::looked_at(signal.at, sizeof(Signal));
    shim::Unseen unseen;
    if (to.block != signal.block) shim::fail("a signal of another block than what is sent");
    if ((u64)to.at % 4 != 0) shim::fail("send to byte %d", to.block->offset(to.at));
    shim::come(shim::meeting(*signal.block, (Signal *)signal.at), "come");
    if (to.block->live == 0) shim::fail("send to block %u, which has ended", to.block->index);
    shim::transfers.push_back({to.block, to.at, nullptr, value, 4, 0, (Signal *)signal.at});
}
static inline void send(Remote to, float2 value, Remote signal) {
    if ((u64)to.at % 8 != 0) shim::fail("send of eight bytes to byte %d", to.block->offset(to.at));
    send(to, __float_as_uint(value.x), signal);
    send({to.at + 4, to.block}, __float_as_uint(value.y), signal);
}
#define FILLERS 1
static inline void fill(void *to, const void *from, int bytes, Signal *signal) {
    shim::check_fill(to, from, bytes);
    if (shim::lane != 0) return;
    shim::wrote(to, bytes);
    signal_expect(signal, bytes);
    shim::Unseen unseen;
    shim::transfers.push_back({shim::warp->block, (unsigned char *)to, (const unsigned char *)from,
                               0, bytes, 0, signal});
}
#elif ARCH >= 80
#define FILLERS 32
static inline void fill(void *to, const void *from, int bytes, Signal *signal) {
    shim::check_fill(to, from, bytes);
    const int at = shim::lane * 16;
    for (int i = at; i < bytes; i += 512) shim::wrote((unsigned char *)to + i, 16);
    shim::looked_at(signal, sizeof *signal);
    shim::Unseen unseen;
    shim::come(shim::meeting(*shim::warp->block, signal), "come");
    shim::transfers.push_back({shim::warp->block, (unsigned char *)to + at,
                               (const unsigned char *)from + at, 0, bytes - at, 512, signal});
}
#endif
