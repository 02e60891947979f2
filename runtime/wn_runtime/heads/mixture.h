/* Drawing a 16-bit sample from a mixture; mixture.py defines which one it is.
 *
 * Included by wavenet.c after vector.h and the family's `quantile`. COMPONENTS is M; the params are
 * M logits, M means and M log scales, or a mean and a log scale. */
typedef float sample;

/* ln x of a positive normal number, to 2 ulp: x = m 2^e with m from sqrt(1/2) to sqrt(2), and
 * ln m = 2 artanh(s), s = (m - 1) / (m + 1), by its series. */
static float log_of(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int32_t e = (bits - 0x3f3504f3) >> 23; /* 0x3f3504f3: sqrt(1/2) */
    bits -= e * (1 << 23);
    float m;
    memcpy(&m, &bits, sizeof m);
    const float s = (m - 1) / (m + 1), q = s * s;
    const float series = ((0.22222222f * q + 0.28571429f) * q + 0.4f) * q + 0.66666667f;
    return (float)e * 0.69314718f + (2 * s + s * q * series);
}

INLINE float exp_scalar(float x) { return exp_of(all(x))[0]; }

/* The component of u, an integer of 24 bits: drawn on integers, as softmax.py says. */
static int pick(const float *logits, int32_t u, float inverse_temperature) {
    int likeliest = 0;
    for (int c = 1; c < COMPONENTS; c++)
        if (logits[c] > logits[likeliest]) likeliest = c;
    if (inverse_temperature == 0) return likeliest;
    int32_t weights[COMPONENTS];
    uint64_t total = 0;
    for (int c = 0; c < COMPONENTS; c++) {
        const float e = exp_scalar((logits[c] - logits[likeliest]) * inverse_temperature);
        weights[c] = nearest(all(e * 4194304.0f))[0]; /* 2^22 */
        total += (uint32_t)weights[c];
    }
    uint64_t left = ((uint64_t)(u & 0xffffff) * total) >> 24;
    int c = 0;
    for (; c < COMPONENTS - 1 && left >= (uint32_t)weights[c]; c++) left -= (uint32_t)weights[c];
    return c;
}

/* params [A], uniforms [2] of 24 bits -> the sample. */
static sample draw(float *params, const int32_t *uniforms, float inverse_temperature) {
    const int logits = COMPONENTS > 1 ? COMPONENTS : 0;
    const int c = COMPONENTS > 1 ? pick(params, uniforms[1], inverse_temperature) : 0;
    float x = params[logits + c];
    if (inverse_temperature != 0) {
        float log_scale = params[logits + COMPONENTS + c];
        log_scale = log_scale > MIN_LOG_SCALE ? log_scale : MIN_LOG_SCALE;
        log_scale = log_scale < MAX_LOG_SCALE ? log_scale : MAX_LOG_SCALE;
        const float temperature = 1 / inverse_temperature;
        x += exp_scalar(log_scale) * temperature * quantile(2 * (uniforms[0] & 0xffffff) + 1);
    }
    x = !(x > -1) ? -1 : x < 1 ? x : 1; /* what is not a number is -1 */
    x = (x * 32768.0f + 12582912.0f - 12582912.0f) / 32768.0f; /* the nearest, ties to even */
    return x < 32767.0f / 32768.0f ? x : 32767.0f / 32768.0f;
}
