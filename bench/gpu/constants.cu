// Cycles of what a fused WaveNet's chain is made of, on one GPU. Each kernel repeats one thing ROUNDS
// times, each time dependent on the last, and writes how long that took; constants.py.
#define ROUNDS 256

#include "device.cuh"

#define TIMED(body)                                  \
    const long long start = clock64();               \
    for (int i = 0; i < ROUNDS; i++) { body; }       \
    const long long end = clock64();                 \
    if (threadIdx.x == 0 && blockIdx.x == 0) out[0] = end - start

extern "C" __global__ void nothing(long long *out, int *sink) {
    TIMED(asm volatile("" ::: "memory"));
    (void)sink;
}
// Nanoseconds of a million cycles.
extern "C" __global__ void clock_period(long long *out, int *sink) {
    long long from, to;
    const long long start = clock64();
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(from)::"memory");
    while (clock64() - start < 20000000) {}
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(to)::"memory");
    out[0] = to - from;
    (void)sink;
}
extern "C" __global__ void product_int8(long long *out, int *sink) {
    int c[4] = {0, 0, 0, 0};
    uint4 a = make_uint4(threadIdx.x, 1, 2, 3);
    uint2 b = make_uint2(1, threadIdx.x);
    TIMED(mma_int8(c, a, b));
    sink[threadIdx.x] = c[0] + c[1] + c[2] + c[3];
}
extern "C" __global__ void product_half(long long *out, int *sink) {
    float c[4] = {0, 0, 0, 0};
    uint4 a = make_uint4(threadIdx.x, 1, 2, 3);
    uint2 b = make_uint2(1, threadIdx.x);
    TIMED(mma_half(c, a, b));
    sink[threadIdx.x] = (int)(c[0] + c[1] + c[2] + c[3]);
}
// The result as the next operand: what a chain of layers waits for.
extern "C" __global__ void product_to_operand(long long *out, int *sink) {
    int c[4] = {0, 0, 0, 0};
    uint4 a = make_uint4(threadIdx.x, 1, 2, 3);
    uint2 b = make_uint2(1, threadIdx.x);
    TIMED({
        c[0] = c[1] = c[2] = c[3] = 0;
        mma_int8(c, a, b);
        b.x = c[0];
    });
    sink[threadIdx.x] = c[0] + c[1] + c[2] + c[3];
}
extern "C" __global__ void shared_read(long long *out, int *sink) {
    SHARED_MEMORY(memory);
    int *words = (int *)memory;
    words[threadIdx.x] = threadIdx.x;
    __syncthreads();
    int at = threadIdx.x;
    TIMED(at = ((volatile int *)words)[at]);
    sink[threadIdx.x] = at;
}
extern "C" __global__ void shared_write_read(long long *out, int *sink) {
    SHARED_MEMORY(memory);
    volatile int *words = (volatile int *)memory;
    int x = threadIdx.x;
    TIMED({ words[threadIdx.x] = x; x = words[threadIdx.x ^ 1]; });
    sink[threadIdx.x] = x;
}
extern "C" __global__ void tanh_chain(long long *out, int *sink) {
    float x = threadIdx.x;
    TIMED(x = tanh_fast(x));
    sink[threadIdx.x] = (int)x;
}
extern "C" __global__ void to_int_and_back(long long *out, int *sink) {
    float x = threadIdx.x;
    TIMED(x = (float)__float2int_rn(x) + 0.25f);
    sink[threadIdx.x] = (int)x;
}
extern "C" __global__ void shuffle(long long *out, int *sink) {
    int x = threadIdx.x;
    TIMED(x = __shfl_xor_sync(ALL_LANES, x, 4) + 1);
    sink[threadIdx.x] = x;
}
extern "C" __global__ void reduce(long long *out, int *sink) {
    unsigned x = threadIdx.x;
    TIMED(x = __reduce_max_sync(ALL_LANES, x) + 1);
    sink[threadIdx.x] = x;
}
extern "C" __global__ void block_barrier(long long *out, int *sink) {
    TIMED(barrier_sync(1, blockDim.x));
    (void)sink;
}
// Two groups of warps take turns: two hand-overs a round.
extern "C" __global__ void turns(long long *out, int *sink) {
    const int half = blockDim.x / 2;
    if (threadIdx.x < half) {
        TIMED({ barrier_arrive(1, blockDim.x); barrier_sync(2, blockDim.x); });
    } else {
        for (int i = 0; i < ROUNDS; i++) { barrier_sync(1, blockDim.x); barrier_arrive(2, blockDim.x); }
    }
    (void)sink;
}
// The same with a word handed over each time through shared memory.
extern "C" __global__ void turns_with_data(long long *out, int *sink) {
    SHARED_MEMORY(memory);
    volatile int *words = (volatile int *)memory;
    const int half = blockDim.x / 2, me = threadIdx.x % half;
    int x = threadIdx.x;
    if (threadIdx.x < half) {
        TIMED({
            words[me] = x;
            barrier_arrive(1, blockDim.x);
            barrier_sync(2, blockDim.x);
            x = words[half + (me ^ 8)] + 1;
        });
    } else {
        for (int i = 0; i < ROUNDS; i++) {
            barrier_sync(1, blockDim.x);
            x = words[me ^ 8] + 1;
            words[half + me] = x;
            barrier_arrive(2, blockDim.x);
        }
    }
    sink[threadIdx.x] = x;
}
// The same by a signal that all wait for.
extern "C" __global__ void turns_by_signal(long long *out, int *sink) {
    SHARED_MEMORY(memory);
    Signal *signals = (Signal *)memory;
    volatile int *words = (volatile int *)(memory + 64);
    const int half = blockDim.x / 2, me = threadIdx.x % half;
    if (threadIdx.x == 0) { signal_open(&signals[0], half / 32); signal_open(&signals[1], half / 32); }
    __syncthreads();
    int x = threadIdx.x;
    if (threadIdx.x < half) {
        TIMED({
            words[me] = x;
            __syncwarp();
            if (threadIdx.x % 32 == 0) signal_arrive(&signals[0]);
            signal_wait(&signals[1], i & 1);
            x = words[half + (me ^ 8)] + 1;
        });
    } else {
        for (int i = 0; i < ROUNDS; i++) {
            signal_wait(&signals[0], i & 1);
            x = words[me ^ 8] + 1;
            words[half + me] = x;
            __syncwarp();
            if (threadIdx.x % 32 == 0) signal_arrive(&signals[1]);
        }
    }
    sink[threadIdx.x] = x;
}
// Two blocks of a cluster send each other eight words in turn: two hand-overs a round.
extern "C" __global__ void between_blocks(long long *out, int *sink) {
    SHARED_MEMORY(memory);
    Signal *ready = (Signal *)memory;
    volatile int *words = (volatile int *)(memory + 64);
    const int rank = cluster_rank();
    const Remote to = remote((const void *)&words[threadIdx.x], 1 - rank);
    const Remote done = remote(ready, 1 - rank);
    if (threadIdx.x == 0) { signal_open(ready, 1); signal_expect(ready, 32); }
    __syncthreads();
    cluster_sync();
    int x = threadIdx.x;
    const long long start = clock64();
    for (int i = 0; i < ROUNDS; i++) {
        if (rank == 0 && threadIdx.x < 8) send(to, (u32)x, done);
        if (rank == 0 || i >= 0) signal_wait(ready, i & 1);
        if (threadIdx.x == 0 && i + 1 < ROUNDS) signal_expect(ready, 32);
        x = words[threadIdx.x & 7] + 1;
        if (rank == 1 && threadIdx.x < 8) send(to, (u32)x, done);
    }
    const long long end = clock64();
    if (threadIdx.x == 0 && rank == 0) out[0] = end - start;
    sink[threadIdx.x] = x;
    cluster_sync();
}
// Two blocks, flags in global memory: two hand-overs a round.
extern "C" __global__ void by_global_flag(long long *out, int *sink) {
    volatile int *flags = (volatile int *)sink;
    const int me = blockIdx.x;
    if (me > 1 || threadIdx.x) return;
    const long long start = clock64();
    for (int i = 1; i <= ROUNDS; i++) {
        if (me == 0) asm volatile("st.release.gpu.global.s32 [%0], %1;" ::"l"(flags + 64), "r"(i) : "memory");
        int seen;
        do asm volatile("ld.acquire.gpu.global.s32 %0, [%1];" : "=r"(seen) : "l"(flags + (me ? 64 : 128)) : "memory");
        while (seen < i);
        if (me == 1) asm volatile("st.release.gpu.global.s32 [%0], %1;" ::"l"(flags + 128), "r"(i) : "memory");
    }
    if (me == 0) out[0] = clock64() - start;
}
extern "C" __global__ void l2_latency(long long *out, int *sink) {
    int at = 0;
    TIMED(asm volatile("ld.global.cg.s32 %0, [%1];" : "=r"(at) : "l"(sink + 1024 + at) : "memory"));
    sink[threadIdx.x] = at;
}
// A block's reads of 1 MiB over and over, by loads; out: cycles of 16 MiB.
extern "C" __global__ void l2_by_loads(long long *out, int *sink) {
    const uint4 *from = (const uint4 *)(sink + 4096);
    uint4 sum = make_uint4(0, 0, 0, 0);
    __syncthreads();
    const long long start = clock64();
    for (int round = 0; round < 16; round++)
#pragma unroll 8
        for (int i = threadIdx.x; i < 65536; i += blockDim.x) {
            uint4 x;
            asm volatile("ld.global.cg.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w) : "l"(from + i));
            sum.x ^= x.x, sum.y ^= x.y, sum.z ^= x.z, sum.w ^= x.w;
        }
    __syncthreads();
    if (threadIdx.x == 0 && blockIdx.x == 0) out[0] = clock64() - start;
    if (sum.x == 12345) sink[threadIdx.x] = sum.x + sum.y + sum.z + sum.w;
}
// The same by the copy engine, through four stages of 32 KiB.
extern "C" __global__ void l2_by_copies(long long *out, int *sink) {
    SHARED_MEMORY(memory);
    Signal *full = (Signal *)memory;
    unsigned char *stages = memory + 128;
    const unsigned char *from = (const unsigned char *)(sink + 4096);
    if (threadIdx.x == 0)
        for (int i = 0; i < 4; i++) signal_open(&full[i], FILLERS);
    __syncthreads();
    const long long start = clock64();
    for (int i = 0; i < 512 + 4; i++) {
        const int stage = i % 4;
        if (i >= 4) signal_wait(&full[stage], i / 4 - 1 & 1);
        if (i < 512) fill(stages + stage * 32768, from + i % 32 * 32768, 32768, &full[stage]);
    }
    if (threadIdx.x == 0 && blockIdx.x == 0) out[0] = clock64() - start;
}
