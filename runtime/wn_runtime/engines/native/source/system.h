/* What threads that wait ask the system for: the time, a nap, and to sleep until a number changes.
 *
 *     Linux      futex
 *     Windows    WaitOnAddress (Windows 8); no C library is needed
 *     others     naps of a millisecond: C and POSIX have no call that waits for a number
 *
 * Without TEAM nobody waits, and nothing is asked of any system.
 */
#ifndef WN_SYSTEM_H
#define WN_SYSTEM_H

#include <stdatomic.h>
#include <stdint.h>

#if TEAM && defined(_WIN32)
#ifdef _MSC_VER
#pragma comment(lib, "synchronization")
#endif
/* As windows.h has them, which brings far more than these. */
__declspec(dllimport) int __stdcall QueryPerformanceCounter(int64_t *count);
__declspec(dllimport) int __stdcall QueryPerformanceFrequency(int64_t *a_second);
__declspec(dllimport) void __stdcall Sleep(unsigned long milliseconds);
__declspec(dllimport) int __stdcall SwitchToThread(void);
__declspec(dllimport) int __stdcall WaitOnAddress(volatile void *address, void *was,
                                                  uintptr_t bytes, unsigned long milliseconds);
__declspec(dllimport) void __stdcall WakeByAddressAll(void *address);

INLINE int64_t now_ns(void) {
    int64_t count, a_second;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&a_second);
    return count / a_second * 1000000000 + count % a_second * 1000000000 / a_second;
}
/* Its shortest sleep may take 15 ms: for less the core is offered to others. */
INLINE void nap(long ns) {
    if (ns < 1000000) SwitchToThread();
    else Sleep(1);
}
INLINE void sleep_while(_Atomic uint32_t *number, uint32_t was) {
    WaitOnAddress(number, &was, sizeof was, 0xffffffff);
}
INLINE void wake_all(_Atomic uint32_t *number) { WakeByAddressAll(number); }

#elif TEAM
#include <time.h>

INLINE int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
INLINE void nap(long ns) { nanosleep(&(struct timespec){0, ns}, 0); }

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

INLINE void sleep_while(_Atomic uint32_t *number, uint32_t was) {
    syscall(SYS_futex, number, FUTEX_WAIT_PRIVATE, was, (void *)0, (void *)0, 0);
}
INLINE void wake_all(_Atomic uint32_t *number) {
    syscall(SYS_futex, number, FUTEX_WAKE_PRIVATE, INT32_MAX, (void *)0, (void *)0, 0);
}
#else
INLINE void sleep_while(_Atomic uint32_t *number, uint32_t was) {
    if (atomic_load(number) == was) nap(1000000);
}
INLINE void wake_all(_Atomic uint32_t *number) { (void)number; }
#endif

#else
INLINE int64_t now_ns(void) { return 0; }
INLINE void nap(long ns) { (void)ns; }
INLINE void sleep_while(_Atomic uint32_t *number, uint32_t was) { (void)number, (void)was; }
INLINE void wake_all(_Atomic uint32_t *number) { (void)number; }
#endif

/* Tells the core that this is a loop of waiting. */
INLINE void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); /* `yield` does nothing on cores without SMT */
#elif defined(__arm__)
    __asm__ volatile("yield" ::: "memory");
#elif defined(__riscv)
    __asm__ volatile(".4byte 0x0100000f" ::: "memory"); /* pause; before Zihintpause a fence */
#endif
}

#if defined(_WIN32) && !__STDC_HOSTED__
/* What a DLL begins with, where no C library brings it; there is nothing to set up. */
int __stdcall DllMainCRTStartup(void *library, unsigned long reason, void *reserved);
int __stdcall DllMainCRTStartup(void *library, unsigned long reason, void *reserved) {
    (void)library, (void)reason, (void)reserved;
    return 1;
}
#endif

#endif
