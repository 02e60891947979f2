/* Drawing a class from logits, on integers; softmax.py defines which class that is.
 *
 * Included by wavenet.c after vector.h, with CODES the number of classes and A that number padded
 * to 16. A head's C file defines the type `sample` and the function `draw`. */
typedef int32_t sample;

#define BLOCK 64 /* classes whose weights are summed together; 16 of them once the block is known */
#define BLOCKS ((A + BLOCK - 1) / BLOCK)
#define WEIGHT 4194304.0f /* 2^22 */

INLINE uint32_t sum_of_16(const int32_t *weights) {
    vi sum = load_int(weights);
    UNROLL for (int i = LANES; i < 16; i += LANES) sum += load_int(weights + i);
    return lanes_total(sum);
}

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
    _Alignas(64) uint32_t sums[BLOCKS];
    uint64_t total = 0;
    for (int block = 0; block < BLOCKS; block++) {
        const int end = block * BLOCK + BLOCK < A ? block * BLOCK + BLOCK : A;
        vi sum = {0};
        for (int i = block * BLOCK; i < end; i += LANES) {
            vi w = nearest(exp_of((load(logits + i) - most) * inverse_temperature) * WEIGHT);
            for (int lane = CODES > i ? CODES - i : 0; lane < LANES; lane++) w[lane] = 0;
            memcpy(weights + i, &w, sizeof w);
            sum += w;
        }
        sums[block] = lanes_total(sum);
        total += sums[block];
    }
    /* The first class whose cumulative weight exceeds this. It is less than the total; the bounds
     * are for logits that are not numbers, of which some class is drawn. */
    uint64_t left = ((uint64_t)(uniforms[0] & 0xffffff) * total) >> 24;
    int32_t c = 0;
    for (int block = 0; block < BLOCKS - 1 && left >= sums[block]; block++, c += BLOCK)
        left -= sums[block];
    for (uint32_t sum; sum = sum_of_16(weights + c), left >= sum && c < A - 16; c += 16) left -= sum;
    for (uint32_t w; memcpy(&w, weights + c, sizeof w), left >= w && c < CODES - 1; c++) left -= w;
    return c;
}
