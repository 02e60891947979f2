// Runs a CUDA kernel's own source on the CPU: `#include`d below by -DKERNEL=…, one fibre a thread.
//
// A block's fibres run in turn until each waits at __syncthreads or ends; every round goes through
// them in the other direction, and blocks come in a random order. So a missing barrier, or a block
// that relies on another, gives wrong results here too. Shared memory starts as NaN.

#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

struct Index { unsigned x; };
static Index threadIdx, blockIdx, blockDim, gridDim;
static float memory_of_block[1 << 14];

#define __global__
#define __device__
#define SHARED_MEMORY(name) float *name = memory_of_block

enum State { RUNNING, WAITING, DONE };
struct Fibre {
    ucontext_t context;
    std::vector<char> stack = std::vector<char>(64 << 10);
    State state = RUNNING;
};
static ucontext_t scheduler;
static Fibre *current;

static void __syncthreads() {
    current->state = WAITING;
    swapcontext(&current->context, &scheduler);
}

#include KERNEL

typedef void (*Kernel)(void *, void *, void *, void *, void *, void *, void *, void *, void *, void *);
static Kernel kernel;
static void **arguments;

static void run_thread() {
    void **a = arguments;
    kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
    current->state = DONE;
    swapcontext(&current->context, &scheduler);
}

// 0, or 1 where a barrier was reached by some threads of a block only.
static int run_block(std::vector<Fibre> &fibres) {
    for (Fibre &fibre : fibres) {
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.data();
        fibre.context.uc_stack.ss_size = fibre.stack.size();
        fibre.context.uc_link = nullptr;
        makecontext(&fibre.context, run_thread, 0);
    }
    const int threads = (int)fibres.size();
    for (int round = 0;; round++) {
        int waiting = 0;
        for (int i = 0; i < threads; i++) {
            const int index = round % 2 ? threads - 1 - i : i;
            current = &fibres[index];
            current->state = RUNNING;
            threadIdx.x = index;
            swapcontext(&scheduler, &current->context);
            waiting += current->state == WAITING;
        }
        if (waiting == 0) return 0;
        if (waiting != threads) return 1;
    }
}

// Launch; `args` are ten addresses, unused ones null. 2: more shared memory than the shim has.
extern "C" int shim_launch(void *function, int grid, int block, int shared, void **args, unsigned seed) {
    if (shared > (int)sizeof memory_of_block) return 2;
    kernel = (Kernel)function;
    arguments = args;
    gridDim.x = grid;
    blockDim.x = block;
    std::vector<int> order(grid);
    for (int i = 0; i < grid; i++) order[i] = i;
    std::mt19937 random(seed);
    for (int i = grid - 1; i > 0; i--) std::swap(order[i], order[random() % (i + 1)]);
    std::vector<Fibre> fibres(block);
    for (int b : order) {
        for (float &value : memory_of_block) value = std::numeric_limits<float>::quiet_NaN();
        blockIdx.x = b;
        if (run_block(fibres)) return 1;
    }
    return 0;
}
