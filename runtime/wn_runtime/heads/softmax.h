/* Drawing a class from logits, on integers; softmax.py defines which class that is.
 *
 * Included by wavenet.c after vector.h, with CODES the number of classes and A that number padded
 * to 16. A head's C file defines the type `sample` and the function `draw`. */
typedef int32_t sample;

#define GROUPS (A / 16)
#define WEIGHT 4194304.0f /* 2^22 */

/* logits [A] (overwritten), uniforms [1] of 24 bits -> the class. */
static sample draw(float *logits, const int32_t *uniforms, float inverse_temperature) {
    vf top = all(logits[0]);
    for (int i = 0; i < A; i += LANES) top = larger(top, load(logits + i));
    const vf most = maximum(top);
    if (inverse_temperature == 0) { /* argmax, the lowest class of equals */
        int32_t c = 0;
        while (c < CODES - 1 && logits[c] != most[0]) c++;
        return c;
    }
    int32_t *weights = (int32_t *)(void *)logits; /* each vector takes the place of its logits */
    _Alignas(64) uint32_t sums[GROUPS];
    uint64_t total = 0;
    for (int g = 0; g < GROUPS; g++) {
        vi sum = {0};
        UNROLL for (int i = g * 16; i < g * 16 + 16; i += LANES) {
            vi w = nearest(exp_of((load(logits + i) - most) * inverse_temperature) * WEIGHT);
            for (int lane = CODES - i; lane < LANES; lane++) w[lane < 0 ? 0 : lane] = 0;
            memcpy(weights + i, &w, sizeof w);
            sum += w;
        }
        sums[g] = lanes_total(sum);
        total += sums[g];
    }
    /* The first class whose cumulative weight exceeds this. It is less than the total. */
    uint64_t left = ((uint64_t)(uniforms[0] & 0xffffff) * total) >> 24;
    int32_t g = 0;
    while (left >= sums[g]) left -= sums[g++];
    int32_t c = g * 16;
    for (int32_t w; memcpy(&w, weights + c, sizeof w), left >= (uint32_t)w; c++) left -= (uint32_t)w;
    return c;
}
