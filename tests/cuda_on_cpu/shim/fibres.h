// Threads of a launch as fibres: one waits for a word of memory to change, and is resumed after.
//
// Jumps switch between them, not swapcontext, which asks the operating system for the signal mask
// each time.
#pragma once

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdarg>
#include <cstdio>

#include "races.h"

typedef unsigned int u32;
typedef unsigned long long u64;

struct uint3 { u32 x, y, z; };
static uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace shim {

constexpr int LANES = 32;
constexpr int STACK = 64 << 10, STACK_LEFT = 4 << 10;

struct Block;

// Over once the word, masked, is another value.
struct Wait {
    const u64 *word;
    u64 mask, value;
    bool over() const { return (*word & mask) != value; }
};

static const u64 NOTHING = 0;
static const Wait NO_WAIT = {&NOTHING, 0, 1}, ENDED = {&NOTHING, 0, 0};

enum Reason { RUNS, AT_BARRIER, IN_WARP, FOR_SIGNAL, AT_CLUSTER, FOR_MARK };

struct Fibre {
    Place resume;
    char *stack = nullptr;
    bool started = false;  // its stack holds a frame that `resume` leads to
    Reason reason;
    int at;  // which barrier or mark, or where in shared memory the signal is
};

struct Exchange {  // of a warp; two take turns, as a lane may be one ahead of another
    union {
        u64 words[LANES];
        struct {
            float a[16][32], b[32][8], product[16][8];
        };
    };
};

struct Warp {
    Block *block;
    int first, lanes, live;  // threads
    int speed;               // of 8 rounds it takes part in so many
    Wait waits[LANES];
    bool alike;  // no lane could go on, and all wait for `waits[waiting]`
    int waiting;
    Fibre fibres[LANES];
    u64 exchanges;  // so far
    int met;        // lanes that are in the next one
    void *watched = nullptr;  // what the sanitizer knows it as
    const char *operation;
    Exchange exchange[2];
};

static Place scheduler;
static void *scheduler_watched;
static Warp *warp;     // whose lane runs now; null while none does
static int lane;
static char failure[2000];

// What went wrong first ends the launch. Returns only where no thread runs.
__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...) {
    if (!failure[0]) {
        va_list values;
        va_start(values, format);
        vsnprintf(failure, sizeof failure, format, values);
        va_end(values);
    }
    if (!warp) return;
    SWITCH_TO(scheduler_watched);
    JUMP(scheduler);
}

// Nothing that its caller knows of `warp`, `lane` or threadIdx may outlive the call.
__attribute__((noipa)) static void leave(Wait wait, Reason reason, int at) {
    Fibre &fibre = warp->fibres[lane];
    if ((char *)&wait < fibre.stack + STACK_LEFT)
        fail("a thread needs more than %d bytes of stack", STACK - STACK_LEFT);
    warp->waits[lane] = wait;
    fibre.reason = reason;
    fibre.at = at;
    Away away;
    if (MARK(fibre.resume) == 0) {
        SWITCH_TO(scheduler_watched);
        JUMP(scheduler);
    }
    asm volatile("" ::: "memory");
}

static void wait_for(Wait wait, Reason reason, int at) {
    if (!wait.over()) leave(wait, reason, at);
}

static void thread();  // runs the kernel once

static void run_threads() {
    for (;;) {  // a fibre serves one thread after another
        thread();
        leave(ENDED, RUNS, 0);
    }
}

static void start(Fibre &fibre) {
    if (!fibre.stack) {
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void *memory = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (memory == MAP_FAILED) {
            warp = nullptr;
            fail("no memory is left for the stack of a thread");
            return;
        }
        fibre.stack = (char *)memory;
    }
    static ucontext_t context;
    static int starts;  // stacks that begin at the same place of a page share few lines of the cache
    const int colour = starts++ % 31 * 128;
    getcontext(&context);
    context.uc_stack.ss_sp = fibre.stack;
    context.uc_stack.ss_size = STACK - colour;
    context.uc_link = nullptr;
    makecontext(&context, run_threads, 0);
    fibre.started = true;
    SWITCH_TO(warp->watched);
    setcontext(&context);
}

// Until it waits or ends.
__attribute__((noinline)) static void run(Warp &now, int of, u32 block) {
    warp = &now;
    lane = of;
    threadIdx.x = now.first + of;
    blockIdx.x = block;
    Fibre &fibre = now.fibres[of];
    if (MARK(scheduler) == 0) {
        if (fibre.started) {
            SWITCH_TO(now.watched);
            JUMP(fibre.resume);
        }
        start(fibre);
    }
    warp = nullptr;
}

}  // namespace shim
