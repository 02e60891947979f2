// The thread blocks of one cluster: they run together, each with shared memory of its own.
//
// Shared memory starts as NaN. What is written beside it is noticed when the block ends.
#pragma once

#include <bitset>
#include <cstring>
#include <deque>
#include <vector>

#include "fibres.h"

namespace shim {

constexpr int MOST_THREADS = 1024, MOST_SHARED = 227 << 10, GUARD = 4 << 10, BARRIERS = 16;
constexpr unsigned char FRESH = 0xff;

struct Barrier {
    u64 phase;
    int threads, arrived;
    std::bitset<MOST_THREADS> who;
    char order[4];  // of the threads of a phase
};

struct Block {
    alignas(128) unsigned char memory[GUARD + MOST_SHARED + GUARD];
    u32 index;  // blockIdx.x
    int rank;   // in the cluster
    int shared, live, speed;
    Barrier barriers[BARRIERS];

    unsigned char *base() { return memory + GUARD; }
    bool holds(const void *at, long long bytes) {
        const unsigned char *start = (const unsigned char *)at;
        return start >= base() && start + bytes <= base() + shared;
    }
    int offset(const void *at) { return (int)((const unsigned char *)at - base()); }

    void open(u32 index_, int rank_, int threads, int shared_) {
        index = index_;
        rank = rank_;
        live = threads;
        shared = shared_;
        memset(memory, FRESH, GUARD + shared + GUARD);
        for (Barrier &barrier : barriers) barrier = Barrier();
    }
    void check_guards() {
        for (int i = 0; i < GUARD; i++)
            if (memory[i] != FRESH || base()[shared + i] != FRESH)
                return fail("block %u wrote beside its %d bytes of shared memory", index, shared);
    }
};

struct Cluster {
    std::deque<Block> blocks;
    std::deque<Warp> warps;
    int size, threads;  // blocks; threads of each
    u64 phase;          // of cluster_sync
    int arrived, live;  // threads
    char order[4];      // of those of a phase
};

static Cluster cluster;

static void complete_cluster_sync() {
    if (cluster.arrived == 0 || cluster.arrived < cluster.live) return;
    cluster.arrived = 0;
    cluster.phase++;
}

static void barrier(int id, int threads, bool wait) {
    Unseen unseen;
    Block &block = *warp->block;
    const int me = threadIdx.x;
    if (id < 0 || id >= BARRIERS) fail("barrier %d: a block has those of 0 to 15", id);
    if (id > 0 && (threads <= 0 || threads % LANES != 0 || threads > (int)blockDim.x))
        fail("barrier %d is for %d threads: whole warps of a block of %u", id, threads, blockDim.x);
    Barrier &now = block.barriers[id];
    if (now.arrived == 0) now.threads = threads;
    if (now.threads != threads)
        fail("barrier %d is for %d threads here, %d elsewhere", id, threads, now.threads);
    if (now.who[me]) fail("thread %d arrives at barrier %d twice in one phase", me, id);
    const Meeting meeting = {&now.order[now.phase % 4], "barrier", id, block.rank};
    come(meeting, wait ? "sync" : "arrive");
    if (++now.arrived == threads) {
        now.arrived = 0;
        now.who.reset();
        now.phase++;
    } else {
        now.who[me] = true;
        if (wait) wait_for({&now.phase, ~0ull, now.phase}, AT_BARRIER, id);
    }
    if (wait) pass(meeting);
}

}  // namespace shim

static inline void barrier_sync(int id, int threads) { shim::barrier(id, threads, true); }
static inline void barrier_arrive(int id, int threads) { shim::barrier(id, threads, false); }
static inline void __syncthreads() { shim::barrier(0, blockDim.x, true); }

#if ARCH >= 90
static inline int cluster_rank() { return shim::warp->block->rank; }

// Of the threads that have not ended.
static inline void cluster_sync() {
    shim::Unseen unseen;
    const u64 phase = shim::cluster.phase;
    const shim::Meeting all = {&shim::cluster.order[phase % 4], "cluster_sync", 0, 0};
    shim::come(all, "sync");
    shim::cluster.arrived++;
    shim::complete_cluster_sync();
    shim::wait_for({&shim::cluster.phase, ~0ull, phase}, shim::AT_CLUSTER, 0);
    shim::pass(all);
}
#endif
