// Memory of the device: pages of the host at addresses that nothing else has, none used twice.
//
// Beside an allocation and where one was given back no page can be touched; up to its last page's
// end it is followed by a pattern.
#pragma once

#include <sys/mman.h>

#include "gpu.h"

constexpr unsigned char GARBAGE = 0xa5;
constexpr size_t PAGE = 4096, ARENA = 1ull << 36;

struct Allocation {
    size_t size, pages;
};
static std::map<CUdeviceptr, Allocation> allocations;
static size_t used, unused;  // bytes: allocated; given back, and kept by the pool
static uint64_t pool_keeps;

static CUdeviceptr arena() {
    static const CUdeviceptr start = [] {
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void *at = mmap(nullptr, ARENA, PROT_NONE, flags, -1, 0);
        if (at == MAP_FAILED) misuse("the host has no addresses for the device's memory");
        return (CUdeviceptr)at;
    }();
    return start;
}
static bool on_device(CUdeviceptr at) { return at >= arena() && at < arena() + ARENA; }

// Whether the range lies inside one allocation.
static bool allocated(CUdeviceptr at, size_t bytes) {
    auto after = allocations.upper_bound(at);
    if (after == allocations.begin()) return false;
    const auto &[start, allocation] = *--after;
    return at + bytes <= start + allocation.size;
}

static CUresult allocate(CUdeviceptr *at, size_t size) {
    static CUdeviceptr next = arena() + PAGE;
    if (size == 0) return INVALID_VALUE;
    if (used + size > (size_t)gpu.memory) return OUT_OF_MEMORY;
    const size_t pages = (size + PAGE - 1) / PAGE * PAGE;
    if (next + pages + PAGE > arena() + ARENA) misuse("more was allocated than the arena has");
    *at = next;
    next += pages + PAGE;
    if (mprotect((void *)*at, pages, PROT_READ | PROT_WRITE)) return OUT_OF_MEMORY;
    memset((void *)*at, GARBAGE, pages);
    allocations[*at] = {size, pages};
    used += size;
    unused -= size < unused ? size : unused;
    return SUCCESS;
}

static void check_end(CUdeviceptr at, const Allocation &allocation) {
    for (size_t i = allocation.size; i < allocation.pages; i++)
        if (((const unsigned char *)at)[i] != GARBAGE)
            misuse("byte %zu of an allocation of %zu was written", i, allocation.size);
}

static CUresult give_back(CUdeviceptr at) {
    const auto found = allocations.find(at);
    if (found == allocations.end()) misuse("%#llx is given back, and is not allocated", at);
    check_end(at, found->second);
    mprotect((void *)at, found->second.pages, PROT_NONE);
    used -= found->second.size;
    if (gpu.pools && pool_keeps > 0) unused += found->second.size;
    allocations.erase(found);
    return SUCCESS;
}

// Of a copy or a fill.
static void check_range(CUdeviceptr at, size_t bytes) {
    if (on_device(at) && !allocated(at, bytes))
        misuse("%zu bytes at %#llx lie in no allocation", bytes, at);
}

// At the end of the process.
static struct Leaks {
    ~Leaks() {
        for (const auto &[at, allocation] : allocations) check_end(at, allocation);
        note("%zu bytes", used);
        log_line("left", SUCCESS);
    }
} leaks;
