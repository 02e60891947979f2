// Runs a CUDA kernel's own source on the CPU, one fibre a thread: that of -DSHIM_SOURCE=…, for the
// GPU of -DARCH=….
//
// It has CUDA's names, and those of engines/cuda/source/device.cuh.

#include <algorithm>

#include "launch.h"

#define WN_DEVICE_CUH  // all of it is here
#define FORCE static inline
#define SHARED_MEMORY(name) unsigned char *name = shim::warp->block->base()

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __align__(bytes) alignas(bytes)
#define __constant__

static inline int thread_index() { return threadIdx.x; }
template <typename T> static inline T __ldg(const T *from) { return *from; }
static inline void __threadfence() {}
static inline void __threadfence_block() {}

// Launch `clusters` of `size` blocks, or all of them together; `arguments` are 24 words, unused ones 0.
// What went wrong, or null.
extern "C" const char *shim_launch(void *function, int clusters, int size, int block, int shared,
                                   int together, void **arguments, u32 seed) {
    using namespace shim;
    failure[0] = 0;
    if (shared > MOST_SHARED) return "more shared memory than the shim has";
    kernel = (Kernel)function;
    shim::arguments = arguments;
    if (together) size *= clusters, clusters = 1;
    gridDim = {(u32)(clusters * size), 1, 1};
    blockDim = {(u32)block, 1, 1};
    cluster.size = size;
    cluster.threads = block;
    random_state = (seed + 1ull) * 0x9e3779b97f4a7c15ull;
    std::vector<int> order(clusters);
    for (int i = 0; i < clusters; i++) order[i] = i;
    for (int i = clusters - 1; i > 0; i--) std::swap(order[i], order[random_below(i + 1)]);
    for (int index : order) {
        open_cluster(index, shared);
        run_cluster();
        if (!failure[0]) continue;
        abandon();
        return failure;
    }
    return nullptr;
}

#include SHIM_SOURCE
