// Drawing a class from logits, on integers; softmax.py defines which class that is.
//
// A head's CUDA file defines the type `Sample` and the function `draw`, which the 32 lanes of a warp
// call for one stream; PARAMS is A. All lanes have the sample then.
typedef int Sample;

// Neighbouring classes of one lane: few are kept in registers, with their weights' running sums.
#define RUN ((PARAMS + 31) / 32)
#define KEEP (RUN <= 8)
#define KEPT (KEEP ? RUN : 1)

#if PARAMS < 1024  // 1023 weights of 2^22 fit
typedef unsigned int WeightSum;
#else
typedef unsigned long long WeightSum;
#endif
#define EVERY_LANE 0xffffffffu
#define LOWEST -3.4e38f

static __device__ __forceinline__ unsigned int class_weight(float logit, float most, float inverse) {
    // round(2^22 e): added to 2^23, whose neighbours are one apart.
    const float e = __expf((logit - most) * inverse);
    return __float_as_uint(fmaf(e, 4194304.0f, 8388608.0f)) - 0x4b000000u;
}

// The largest of all lanes' numbers.
static __device__ __forceinline__ float largest(float x) {
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        x = fmaxf(x, __shfl_xor_sync(EVERY_LANE, x, distance));
    return x;
}

// logits [classes], uniforms [1] of 24 bits -> the class.
static __device__ __forceinline__ Sample draw(const float *logits, int classes,
                                              float inverse_temperature, const int *uniforms) {
    const int lane = threadIdx.x % 32, first = lane * RUN;
    const int count = first >= classes ? 0 : first + RUN < classes ? RUN : classes - first;
    float own[KEPT], most = LOWEST;
#if PARAMS % 128 == 0 && PARAMS <= 256  // whole runs of four
#pragma unroll
    for (int i = 0; i < RUN; i += 4) {
        const float4 x = *(const float4 *)&logits[first + i];
        own[i] = x.x, own[i + 1] = x.y, own[i + 2] = x.z, own[i + 3] = x.w;
    }
#pragma unroll
    for (int i = 0; i < RUN; i += 2) most = fmaxf(most, fmaxf(own[i], own[i + 1]));
#else
#pragma unroll(KEPT)
    for (int i = 0; i < RUN; i++) {
        const float x = i < count ? logits[first + i] : LOWEST;
        if (KEEP) own[KEEP ? i : 0] = x;
        most = fmaxf(most, x);
    }
#endif
    most = largest(most);
    if (inverse_temperature == 0) {  // the lowest of those that are likeliest
        int c = 0;
        while (c < count && logits[first + c] != most) c++;
        const unsigned int found = __ballot_sync(EVERY_LANE, c < count);
        return found ? __shfl_sync(EVERY_LANE, first + c, __ffs(found) - 1) : classes - 1;
    }

    // Each lane sums its classes; then a scan over the lanes.
    WeightSum sum = 0, up_to[KEPT];
#pragma unroll(KEPT)
    for (int i = 0; i < RUN; i++) {
        if (!KEEP && i >= count) break;
        const float x = KEEP ? own[KEEP ? i : 0] : logits[first + i];
        sum += i < count ? class_weight(x, most, inverse_temperature) : 0;
        if (KEEP) up_to[KEEP ? i : 0] = sum;
    }
    WeightSum all = sum;
#pragma unroll
    for (int distance = 1; distance < 32; distance *= 2) {
        const WeightSum before = __shfl_up_sync(EVERY_LANE, all, distance);
        if (lane >= distance) all += before;
    }
    // The first class whose cumulative weight exceeds this; it is less than the total.
    const unsigned long long total = __shfl_sync(EVERY_LANE, all, 31);
    const WeightSum at =
        (WeightSum)((unsigned long long)(uniforms[0] & 0xffffff) * total >> 24);
    const bool mine = all - sum <= at && at < all;
    WeightSum left = at - (all - sum);
    int c = first;
    if (KEEP) {
#pragma unroll(KEPT)
        for (int i = 0; i + 1 < RUN; i++) c += left >= up_to[KEEP ? i : 0];
    } else if (mine) {
        for (WeightSum w; w = class_weight(logits[c], most, inverse_temperature),
             left >= w && c + 1 < first + count; c++)
            left -= w;
    }
    const unsigned int found = __ballot_sync(EVERY_LANE, mine);  // none: logits that are not numbers
    return found ? __shfl_sync(EVERY_LANE, c, __ffs(found) - 1) : classes - 1;
}
