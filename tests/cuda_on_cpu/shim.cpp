// Runs a CUDA kernel's own source on the CPU: `#include`d below by -DKERNEL=…, one fibre a thread.
//
// A block's fibres run in turn until each waits at __syncthreads or ends; every round begins with
// another one, chosen at random, and blocks come in a random order. So a missing barrier, or a
// block that relies on another, gives wrong results here too. Shared memory starts as NaN.

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <limits>
#include <random>
#include <vector>

struct Index { unsigned x; };
static Index threadIdx, blockIdx, blockDim, gridDim;
alignas(16) static float memory_of_block[1 << 14];

#define __global__
#define __device__
#define SHARED_MEMORY(name) float *name = memory_of_block

enum State { RUNNING, WAITING, DONE };
struct Fibre {
    ucontext_t start;
    jmp_buf resume;
    char stack[32 << 10];
    bool started = false;
    State state;
};
static jmp_buf scheduler;
static Fibre *current;

// Jumps, not swapcontext, which asks the kernel for the signal mask each time.
static void back_to_scheduler(State state) {
    current->state = state;
    if (_setjmp(current->resume) == 0) _longjmp(scheduler, 1);
}

static void __syncthreads() { back_to_scheduler(WAITING); }

#include KERNEL

typedef void (*Kernel)(void *, void *, void *, void *, void *, void *, void *, void *, void *, void *);
static Kernel kernel;
static void **arguments;

static void run_threads() {
    for (;;) {  // a fibre serves one thread after another
        void **a = arguments;
        kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
        back_to_scheduler(DONE);
    }
}

static void run(Fibre &fibre) {
    current = &fibre;
    if (_setjmp(scheduler) != 0) return;
    if (fibre.started) _longjmp(fibre.resume, 1);
    fibre.started = true;
    getcontext(&fibre.start);
    fibre.start.uc_stack.ss_sp = fibre.stack;
    fibre.start.uc_stack.ss_size = sizeof fibre.stack;
    fibre.start.uc_link = nullptr;
    makecontext(&fibre.start, run_threads, 0);
    setcontext(&fibre.start);
}

// 0, or 1 where a barrier was reached by some threads of a block only.
static int run_block(std::deque<Fibre> &fibres, int threads, std::mt19937 &random) {
    for (;;) {
        int waiting = 0;
        const int first = random() % threads;
        for (int i = 0; i < threads; i++) {
            const int index = (first + i) % threads;
            threadIdx.x = index;
            run(fibres[index]);
            waiting += fibres[index].state == WAITING;
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
    static std::deque<Fibre> fibres;
    while ((int)fibres.size() < block) fibres.emplace_back();
    for (int b : order) {
        for (int i = 0; i < shared / 4; i++) memory_of_block[i] = std::numeric_limits<float>::quiet_NaN();
        blockIdx.x = b;
        if (run_block(fibres, block, random)) return 1;
    }
    return 0;
}
