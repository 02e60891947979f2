// Drawing a class from logits, on integers; softmax.py defines which class that is.
//
// A head's CUDA file defines the type `Sample` and the function `draw`, which one thread block
// calls for one stream. SHARED_MEMORY(name) is what `Head.shared_words` asks for.
typedef int Sample;

static __device__ unsigned long long weight(const float *logits, int c, float most, float inverse) {
    return (unsigned long long)rintf(expf((logits[c] - most) * inverse) * 4194304.0f);  // 2^22
}

// logits [classes], uniforms [1] of 24 bits -> the class, in every thread.
static __device__ Sample draw(const float *logits, int classes, float inverse_temperature,
                              const int *uniforms) {
    SHARED_MEMORY(memory);
    const int me = threadIdx.x, threads = blockDim.x;  // a power of two
    unsigned long long *sums = (unsigned long long *)memory;  // [threads]
    float *best = (float *)(sums + threads);                  // [threads]
    int *best_class = (int *)(best + threads);                // [threads]
    int *drawn = best_class + threads;

    int mine = me < classes ? me : classes - 1;
    for (int c = me; c < classes; c += threads)
        if (logits[c] > logits[mine]) mine = c;
    best[me] = logits[mine];
    best_class[me] = mine;
    __syncthreads();
    for (int half = threads / 2; half > 0; half /= 2) {
        if (me < half) {
            const int other = me + half;
            const bool lower = best[other] == best[me] && best_class[other] < best_class[me];
            if (best[other] > best[me] || lower) {
                best[me] = best[other];
                best_class[me] = best_class[other];
            }
        }
        __syncthreads();
    }
    if (inverse_temperature == 0) return best_class[0];

    // Each thread sums a run of neighbouring classes; then a scan over the threads.
    const int run = (classes + threads - 1) / threads, first = me * run;
    const int end = first + run < classes ? first + run : classes;
    unsigned long long sum = 0;
    for (int c = first; c < end; c++) sum += weight(logits, c, best[0], inverse_temperature);
    sums[me] = sum;
    if (me == 0) *drawn = best_class[0];  // of logits that are not numbers
    __syncthreads();
    for (int distance = 1; distance < threads; distance *= 2) {
        if (me >= distance) sum += sums[me - distance];
        __syncthreads();
        sums[me] = sum;
        __syncthreads();
    }
    // The first class whose cumulative weight exceeds this; it is less than the total.
    unsigned long long left = ((unsigned long long)(uniforms[0] & 0xffffff) * sums[threads - 1]) >> 24;
    const unsigned long long before = me ? sums[me - 1] : 0;
    if (before <= left && left < sums[me]) {
        int c = first;
        left -= before;
        for (unsigned long long w; w = weight(logits, c, best[0], inverse_temperature),
             left >= w && c < end - 1; c++)
            left -= w;
        *drawn = c;
    }
    __syncthreads();
    return *drawn;
}
