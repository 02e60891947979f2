// When warps come to a wait, are let through, and hand over what they made; for timeline.py,
// which puts this and calls of `mark` into the engine's source.

enum { READY, TAKEN, GIVEN, MARKS };
#define MARKED_STEPS 16
#define MARKED_WARPS 32

__device__ u32 marks[CLUSTER][MARKED_WARPS][MARKED_STEPS][MARKED_SLOTS][MARKS];

FORCE u32 mark_clock() {
#ifdef __CUDACC__
    u32 now;
    asm volatile("mov.u32 %0, %%clock;" : "=r"(now)::"memory");
    return now;
#else
    static u32 now;  // on the CPU: the order
    return __atomic_add_fetch(&now, 1, __ATOMIC_SEQ_CST);
#endif
}

// Of a warp: in a step, of the layer in this slot of its block.
FORCE void mark(const Here &here, int step, int slot, int what) {
    if (here.lane.index == 0)
        marks[here.rank][here.thread / 32][step % MARKED_STEPS][slot][what] = mark_clock();
}

extern "C" __global__ void wn_read_marks(u32 *to) {
    const u32 *from = &marks[0][0][0][0][0];
    for (int i = threadIdx.x; i < (int)(sizeof(marks) / 4); i += blockDim.x) to[i] = from[i];
}
