// Drawing a 16-bit sample from a mixture; mixture.py defines which one it is.
//
// Follows the family's `quantile`. Few components: every lane of the warp computes the same, and there is
// nothing to hand over.
typedef float Sample;

static __device__ unsigned long long weight(const float *logits, int c, float most, float inverse) {
    return (unsigned long long)rintf(expf((logits[c] - most) * inverse) * 4194304.0f);  // 2^22
}

// The component of u, an integer of 24 bits: drawn on integers, as softmax.py says.
static __device__ int pick(const float *logits, int u, float inverse_temperature) {
    int likeliest = 0;
    for (int c = 1; c < COMPONENTS; c++)
        if (logits[c] > logits[likeliest]) likeliest = c;
    if (inverse_temperature == 0) return likeliest;
    unsigned long long total = 0;
    for (int c = 0; c < COMPONENTS; c++)
        total += weight(logits, c, logits[likeliest], inverse_temperature);
    unsigned long long left = ((unsigned long long)(u & 0xffffff) * total) >> 24;
    int c = 0;
    for (unsigned long long w; w = weight(logits, c, logits[likeliest], inverse_temperature),
         left >= w && c < COMPONENTS - 1; c++)
        left -= w;
    return c;
}

// params [A], uniforms [2] of 24 bits -> the sample, in every lane.
static __device__ Sample draw(const float *params, int channels, float inverse_temperature,
                              const int *uniforms) {
    const int logits = COMPONENTS > 1 ? COMPONENTS : 0;
    const int c = COMPONENTS > 1 ? pick(params, uniforms[1], inverse_temperature) : 0;
    float x = params[logits + c];
    if (inverse_temperature != 0) {
        const float log_scale = params[logits + COMPONENTS + c];
        const float scale = expf(fminf(fmaxf(log_scale, MIN_LOG_SCALE), MAX_LOG_SCALE));
        x += scale * (1 / inverse_temperature) * quantile(2 * (uniforms[0] & 0xffffff) + 1);
    }
    x = !(x > -1) ? -1 : x < 1 ? x : 1;  // what is not a number is -1
    return fminf(rintf(x * 32768.0f) / 32768.0f, 32767.0f / 32768.0f);
}
