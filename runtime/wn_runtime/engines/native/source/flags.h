/* Counters by which threads wait for each other: spinning for what comes within microseconds, asleep
 * for what does not. Counters only grow, in 64 bits, and each has its cache lines for itself.
 */
#ifndef WN_FLAGS_H
#define WN_FLAGS_H

#include "system.h"

typedef struct {
    _Alignas(APART) _Atomic uint64_t count;
} flag;

INLINE uint64_t seen(const flag *f) { return atomic_load_explicit(&f->count, memory_order_acquire); }
INLINE void raise_to(flag *f, uint64_t n) {
    atomic_store_explicit(&f->count, n, memory_order_release);
}

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

#endif
