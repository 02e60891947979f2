// Drawing a class from logits, on integers; softmax.py defines which class that is.
//
// A head's CUDA file defines the type `Sample` and the function `draw`, which the 32 lanes of a warp
// call for one stream; PARAMS is A. All lanes have the sample then.
typedef int Sample;

// Neighbouring classes of one lane: few are kept in registers, with their weights.
#define RUN ((PARAMS + 31) / 32)
#define KEEP (RUN <= 8)

#if PARAMS < 1024  // 1023 weights of 2^22 fit
typedef unsigned int WeightSum;
#else
typedef unsigned long long WeightSum;
#endif

static __device__ __forceinline__ unsigned int class_weight(float logit, float most, float inverse) {
    return (unsigned int)__float2int_rn(__expf((logit - most) * inverse) * 4194304.0f);  // 2^22
}

// logits [classes], uniforms [1] of 24 bits -> the class.
static __device__ __forceinline__ Sample draw(const float *logits, int classes,
                                              float inverse_temperature, const int *uniforms) {
    const unsigned int all = 0xffffffffu;
    const int lane = threadIdx.x % 32, first = lane * RUN;
    const int end = first + RUN < classes ? first + RUN : classes;
    float best = -3.4e38f, own[KEEP ? RUN : 1];
    int best_class = classes - 1;  // of logits that are not numbers
#pragma unroll(KEEP ? RUN : 4)
    for (int i = 0; i < RUN; i++) {
        const float x = first + i < classes ? logits[first + i] : -3.4e38f;
        if (KEEP) own[KEEP ? i : 0] = x;
        if (x > best) best = x, best_class = first + i;
    }
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) {
        const float other = __shfl_xor_sync(all, best, distance);
        const int other_class = __shfl_xor_sync(all, best_class, distance);
        if (other > best || (other == best && other_class < best_class))
            best = other, best_class = other_class;
    }
    if (inverse_temperature == 0) return best_class;

    // Each lane sums its classes; then a scan over the lanes.
    unsigned int weights[KEEP ? RUN : 1];
    WeightSum sum = 0;
#pragma unroll(KEEP ? RUN : 4)
    for (int i = 0; i < RUN; i++) {
        if (!KEEP && first + i >= end) break;
        const float x = KEEP ? own[KEEP ? i : 0] : logits[first + i];
        const unsigned int w = first + i < end ? class_weight(x, best, inverse_temperature) : 0;
        if (KEEP) weights[KEEP ? i : 0] = w;
        sum += w;
    }
    WeightSum up_to = sum;
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
        const WeightSum before = __shfl_up_sync(all, up_to, distance);
        if (lane >= distance) up_to += before;
    }
    // The first class whose cumulative weight exceeds this; it is less than the total.
    const unsigned long long total = __shfl_sync(all, up_to, 31);
    WeightSum left = (WeightSum)((unsigned long long)(uniforms[0] & 0xffffff) * total >> 24);
    const bool mine = up_to - sum <= left && left < up_to;
    const unsigned int found = __ballot_sync(all, mine);
    left -= up_to - sum;
    int c = first;
    bool passed = false;  // the class that it is
#pragma unroll(KEEP ? RUN : 1)
    for (int i = 0; i < RUN; i++) {
        if (!KEEP && !mine) break;
        const unsigned int w = KEEP ? weights[KEEP ? i : 0]
                                    : class_weight(logits[first + i], best, inverse_temperature);
        passed = passed || left < w || i == RUN - 1;
        if (!KEEP && passed) break;
        if (!passed) left -= w, c++;
    }
    return found ? __shfl_sync(all, c, __ffs(found) - 1) : best_class;
}
