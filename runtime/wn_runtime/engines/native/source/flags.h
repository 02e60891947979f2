/* Counters by which threads wait for each other: spinning for what comes within microseconds, asleep
 * for what does not. Counters only grow, in 64 bits, and each has its cache lines for itself.
 */
#ifndef WN_FLAGS_H
#define WN_FLAGS_H

#include <stdatomic.h>
#include <stdint.h>
#ifndef WN_ALONE
#include <time.h>
#endif
#if !defined(WN_ALONE) && defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

typedef struct {
    _Alignas(APART) _Atomic uint64_t count;
} flag;

INLINE uint64_t seen(const flag *f) { return atomic_load_explicit(&f->count, memory_order_acquire); }
INLINE void raise_to(flag *f, uint64_t n) {
    atomic_store_explicit(&f->count, n, memory_order_release);
}

/* Tells the core that this is a loop of waiting. */
INLINE void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); /* `yield` does nothing on cores without SMT */
#endif
}

#ifndef WN_ALONE
INLINE int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

INLINE void nap(long ns) { nanosleep(&(struct timespec){0, ns}, 0); }
#else /* nobody waits */
INLINE int64_t now_ns(void) { return 0; }
INLINE void nap(long ns) { (void)ns; }
#endif

/* Whether the flag reaches n, within about so many nanoseconds. */
static int spin(const flag *f, uint64_t n, int64_t ns) {
    for (int i = 0; i < 64; i++) /* a pause takes up to 40 ns, most waits are shorter than two */
        if (seen(f) >= n) return 1;
    for (int64_t end = now_ns() + ns;;) {
        for (int i = 0; i < 32; i++) {
            if (seen(f) >= n) return 1;
            relax();
        }
        if (now_ns() > end) return 0;
    }
}

/* Sleeps while the number is what it was; may return early. */
INLINE void sleep_while(_Atomic uint32_t *number, uint32_t was) {
#if !defined(WN_ALONE) && defined(__linux__)
    syscall(SYS_futex, number, FUTEX_WAIT_PRIVATE, was, (void *)0, (void *)0, 0);
#else
    if (atomic_load(number) == was) nap(1000000);
#endif
}

INLINE void wake_all(_Atomic uint32_t *number) {
#if !defined(WN_ALONE) && defined(__linux__)
    syscall(SYS_futex, number, FUTEX_WAKE_PRIVATE, INT32_MAX, (void *)0, (void *)0, 0);
#else
    (void)number;
#endif
}

#endif
