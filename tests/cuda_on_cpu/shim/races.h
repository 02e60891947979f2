// Under ThreadSanitizer (-fsanitize=thread) each warp of a launch is to it a thread of its own, and
// two of them are in order only by what the kernel has for that: barriers and signals.
//
// They are fibres of one thread of the system still: the sanitizer judges by order, not by what
// happens to come first. Switching between them orders nothing, and the stand-in's own bookkeeping is
// not looked at (Unseen). An asynchronous copy counts as its starter's write, done when it was
// started. Lanes of a warp are not told apart (it can tell 255 threads): that is for the stand-in's
// random orders. Nor are blocks of two clusters, which are made one after another.
#pragma once

#include <setjmp.h>

#include <cstddef>

#ifdef __SANITIZE_THREAD__

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_set_fiber_name(void *fibre, const char *name);
void __tsan_switch_to_fiber(void *fibre, unsigned flags);
void __tsan_acquire(void *at);
void __tsan_release(void *at);
void __tsan_write_range(void *at, unsigned long bytes);
void __tsan_read_range(void *at, unsigned long bytes);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
}

#define OWN __attribute__((no_sanitize("thread")))

namespace shim {

static void look_away() { AnnotateIgnoreReadsBegin("", 0), AnnotateIgnoreWritesBegin("", 0); }
static void look_again() { AnnotateIgnoreWritesEnd("", 0), AnnotateIgnoreReadsEnd("", 0); }

// Of the lane that runs now; when another one of the warp goes on, what that does is seen (Away).
struct Unseen {
    static int deep;
    OWN Unseen() {
        if (deep++ == 0) look_away();
    }
    OWN ~Unseen() {
        if (--deep == 0) look_again();
    }
};
int Unseen::deep = 0;

struct Away {
    int deep;
    OWN Away() : deep(Unseen::deep) {
        if (deep) look_again();
        Unseen::deep = 0;
    }
    OWN ~Away() {
        Unseen::deep = deep;
        if (deep) look_away();
    }
};

// A barrier or a signal, of a block of the cluster.
struct Meeting {
    char *order;  // an address of its own for each phase
    const char *kind;
    int number, rank;
};
static const char *without_order = "";
static void tell(const char *what, const Meeting &at);  // in launch.h

// What the threads that come to a meeting have done is over for who passes it; unless a test has it
// not be so, of all of one kind and number.
static void come(const Meeting &at, const char *how) {
    tell(how, at);
    __tsan_release(at.order);
}
static void pass(const Meeting &at) {
    tell("pass", at);
    if (std::string(at.kind) + " " + std::to_string(at.number) != without_order)
        __tsan_acquire(at.order);
}
static void wrote(void *at, size_t bytes) { __tsan_write_range(at, bytes); }
static void looked_at(void *at, size_t bytes) { __tsan_read_range(at, bytes); }

static void *new_thread(int block, int warp) {
    void *thread = __tsan_create_fiber(0);
    char name[40];
    snprintf(name, sizeof name, "block %d warp %d", block, warp);
    __tsan_set_fiber_name(thread, name);
    return thread;
}
// A function would begin in one thread and end in another.
#define SWITCH_TO(thread) __tsan_switch_to_fiber(thread, 1)  // 1: orders nothing
static void *this_thread() { return __tsan_get_current_fiber(); }

// The sanitizer knows those of the C library, and takes a jump to another stack for an error.
typedef void *Place[5];
#define MARK(place) __builtin_setjmp(place)
#define JUMP(place) __builtin_longjmp(place, 1)

}  // namespace shim

#else

namespace shim {

struct Unseen {
    Unseen() {}
    ~Unseen() {}
};
typedef Unseen Away;
struct Meeting {
    char *order;
    const char *kind;
    int number, rank;
};
static inline void come(const Meeting &, const char *) {}
static inline void pass(const Meeting &) {}
static inline void wrote(void *, size_t) {}
static inline void looked_at(void *, size_t) {}
static inline void *new_thread(int, int) { return nullptr; }
#define SWITCH_TO(thread)
typedef jmp_buf Place;
#define MARK(place) _setjmp(place)
#define JUMP(place) _longjmp(place, 1)
static inline void *this_thread() { return nullptr; }

}  // namespace shim

#endif
