// What the engine uses of a GPU beyond plain CUDA C++: barriers among some warps, matrix units,
// signals (mbarriers), and other thread blocks: of a cluster, or anywhere on the GPU.
//
// The functions are the whole surface: tests/cuda_on_cpu has the same ones for the CPU, where every
// other line of the engine runs as it is.
#ifndef WN_DEVICE_CUH
#define WN_DEVICE_CUH

typedef unsigned int u32;
typedef unsigned long long u64;

#define ALL_LANES 0xffffffffu

// Four bytes that one thread block hands to another in global memory, with a mark that says which turn
// they are of. Both are written and read as one, so that whoever finds the mark has the value.
struct alignas(8) Flagged {
    u32 value, mark;
};

// Completes once `arrivals` arrived and all bytes announced were written. Phases alternate.
struct alignas(8) Signal {
    u64 word;
};

#ifdef __CUDACC__

#define FORCE static __device__ __forceinline__
#define ARCH (__CUDA_ARCH__ / 10)
#define SHARED_MEMORY(name) extern __shared__ __align__(128) unsigned char name[]

// Of the thread in its block. Asked for once and kept: the compiler would rather ask again and again,
// which takes as long as reading shared memory.
FORCE int thread_index() {
    int index;
    asm volatile("mov.u32 %0, %%tid.x;" : "=r"(index));
    return index;
}

// Named barriers 1..15; 0 is __syncthreads'. `threads`: of those that wait and those that arrive.
FORCE void barrier_sync(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
FORCE void barrier_arrive(int id, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

FORCE u32 half_bits(float x) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
FORCE float from_half(u32 bits) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"((unsigned short)bits));
    return x;
}
// 2^x, 1/x and tanh x, each within 2^-22, 2^-23 and 2^-11 of itself.
FORCE float exp2_fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
FORCE float reciprocal_fast(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
FORCE float tanh_fast(float x) {
    float y;
    asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// c += A @ B of a warp: A 16 x 16 halves, B 16 x 8 (mma.m16n8k16; PTX ISA, "Matrix fragments").
FORCE void mma_half(float (&c)[4], const uint4 a, const uint2 b) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
                 "{%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
#else
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a.x), "r"(a.y), "r"(b.x));
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, "
                 "{%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a.z), "r"(a.w), "r"(b.y));
#endif
}

// The same for signed bytes: A 16 x 32, B 32 x 8 (mma.m16n8k32).
FORCE void mma_int8(int (&c)[4], const uint4 a, const uint2 b) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
                 "{%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
#else
#define WN_M8(c0, c1, a, b)                                                                     \
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0,%1}, {%2}, {%3}, {%0,%1};" \
                 : "+r"(c0), "+r"(c1)                                                           \
                 : "r"(a), "r"(b))
    WN_M8(c[0], c[1], a.x, b.x);
    WN_M8(c[0], c[1], a.z, b.y);
    WN_M8(c[2], c[3], a.y, b.x);
    WN_M8(c[2], c[3], a.w, b.y);
#undef WN_M8
#endif
}

FORCE u32 shared_address(const void *p) { return (u32)__cvta_generic_to_shared(p); }

// A wait that lasts longer than any work can take is a fault: the launch fails instead of hanging.
#define LONGEST_WAIT (1ll << 32)

FORCE u64 flagged(u32 value, u32 mark) { return (u64)mark << 32 | value; }
// To and from any block of the launch, which all have to be running (a cooperative launch). Each place
// has one writer, who writes it anew only after all of its readers have read it.
FORCE void post(Flagged *to, u32 value, u32 mark) {
    asm volatile("st.relaxed.gpu.global.b64 [%0], %1;" ::"l"(to), "l"(flagged(value, mark)) : "memory");
}
FORCE void post(Flagged *to, float2 value, u32 mark) {
    asm volatile("st.relaxed.gpu.global.v2.b64 [%0], {%1, %2};" ::"l"(to),
                 "l"(flagged(__float_as_uint(value.x), mark)),
                 "l"(flagged(__float_as_uint(value.y), mark))
                 : "memory");
}
FORCE bool collected(const Flagged *from, u32 mark, u32 &value) {
    u64 word;
    asm volatile("ld.relaxed.gpu.global.b64 %0, [%1];" : "=l"(word) : "l"(from) : "memory");
    value = (u32)word;
    return (u32)(word >> 32) == mark;
}
FORCE bool collected(const Flagged *from, u32 mark, float2 &value) {
    u64 one, other;
    asm volatile("ld.relaxed.gpu.global.v2.b64 {%0, %1}, [%2];"
                 : "=l"(one), "=l"(other)
                 : "l"(from)
                 : "memory");
    value = make_float2(__uint_as_float((u32)one), __uint_as_float((u32)other));
    return (u32)(one >> 32) == mark && (u32)(other >> 32) == mark;
}
// What was posted with that mark: of one place, or of two neighbours.
template <typename Value>
FORCE Value collect(const Flagged *from, u32 mark) {
    Value value;
    if (collected(from, mark, value)) return value;
    const long long start = clock64();
    while (!collected(from, mark, value))
        if (clock64() - start > LONGEST_WAIT) __trap();
    return value;
}

#if __CUDA_ARCH__ >= 800
// Before anyone uses it the block, or the cluster, has to meet.
FORCE void signal_open(Signal *signal, int arrivals) {
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(signal)), "r"(arrivals)
                 : "memory");
#if __CUDA_ARCH__ >= 900
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}
FORCE void signal_arrive(Signal *signal) {
    asm volatile("{ .reg .b64 t; mbarrier.arrive.shared.b64 t, [%0]; }" ::"r"(shared_address(signal))
                 : "memory");
}
FORCE bool signal_done(Signal *signal, int phase) {
    u32 done;
#if __CUDA_ARCH__ >= 900
    asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, "
                 "0, p; }"
                 : "=r"(done)
                 : "r"(shared_address(signal)), "r"(phase)
                 : "memory");
#else
    // sm_80 tests a phase by the state that arriving returned, or by parity from PTX 7.1 on.
    asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, "
                 "0, p; }"
                 : "=r"(done)
                 : "r"(shared_address(signal)), "r"(phase)
                 : "memory");
#endif
    return done;
}
// Returns once the phase of that parity is complete; what was written for it can be read then.
FORCE void signal_wait(Signal *signal, int phase) {
    if (signal_done(signal, phase)) return;
    const long long start = clock64();
    while (!signal_done(signal, phase))
        if (clock64() - start > LONGEST_WAIT) __trap();
}
#endif

#if __CUDA_ARCH__ >= 900
// One arrival, and so many bytes more to come in this phase.
FORCE void signal_expect(Signal *signal, int bytes) {
    asm volatile("{ .reg .b64 t; mbarrier.arrive.expect_tx.shared.b64 t, [%0], %1; }" ::"r"(
                     shared_address(signal)),
                 "r"(bytes)
                 : "memory");
}
FORCE int cluster_rank() {
    u32 rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return (int)rank;
}
FORCE void cluster_sync() {
    asm volatile("barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire.aligned;" ::
                     : "memory");
}
// A place in the shared memory of a block of the cluster: where `place` is in that block's own.
typedef u32 Remote;
FORCE Remote remote(const void *place, int rank) {
    u32 there;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(shared_address(place)), "r"(rank));
    return there;
}
// Writes four bytes, or eight, there, and counts them in a signal of the same block. Returns at once.
FORCE void send(Remote to, u32 value, Remote signal) {
    asm volatile(
        "st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%0], %1, [%2];" ::"r"(to),
        "r"(value), "r"(signal)
        : "memory");
}
FORCE void send(Remote to, float2 value, Remote signal) {
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.f32 [%0], {%1, %2}, [%3];" ::
                     "r"(to),
                 "f"(value.x), "f"(value.y), "r"(signal)
                 : "memory");
}
#endif

// Starts copying `bytes` (of 16) to shared memory; all lanes of a warp call it. The phase of
// `signal` completes with the copy: it was opened for FILLERS arrivals.
#if __CUDA_ARCH__ >= 900
#define FILLERS 1
FORCE void fill(void *to, const void *from, int bytes, Signal *signal) {
    if (threadIdx.x % 32 != 0) return;
    signal_expect(signal, bytes);
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
            "r"(shared_address(to)),
        "l"(from), "r"(bytes), "r"(shared_address(signal))
        : "memory");
}
#elif __CUDA_ARCH__ >= 800
#define FILLERS 32
FORCE void fill(void *to, const void *from, int bytes, Signal *signal) {
    for (int at = threadIdx.x % 32 * 16; at < bytes; at += 512)
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(
                         shared_address((char *)to + at)),
                     "l"((const char *)from + at)
                     : "memory");
    asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(shared_address(signal))
                 : "memory");
}
#endif

#endif  // __CUDACC__
#endif
