/* Philox4x64-10 (Salmon et al., "Parallel random numbers", 2011) as NumPy counts: the uniforms of
 * synthesis/uniforms.py, a function of seed, stream and position. */
typedef struct {
    uint64_t key[2]; /* seed, stream */
    uint64_t blocks; /* of four words made so far */
    uint64_t words[4];
    int32_t left; /* of the words, from the end */
} philox;

typedef struct {
    uint64_t low, high;
} wide;

/* The whole product: 32-bit targets have no 128-bit integers. */
static wide wide_product(uint64_t x, uint64_t y) {
    const uint64_t x0 = (uint32_t)x, x1 = x >> 32, y0 = (uint32_t)y, y1 = y >> 32;
    const uint64_t lower = x0 * y0, cross = x1 * y0 + (lower >> 32);
    const uint64_t middle = x0 * y1 + (uint32_t)cross;
    return (wide){middle << 32 | (uint32_t)lower, x1 * y1 + (cross >> 32) + (middle >> 32)};
}

static void philox_refill(philox *p) {
    uint64_t c0 = ++p->blocks, c1 = 0, c2 = 0, c3 = 0, k0 = p->key[0], k1 = p->key[1];
    for (int round = 0; round < 10; round++) {
        const wide even = wide_product(0xd2e7470ee14c6c93, c0);
        const wide odd = wide_product(0xca5a826395121157, c2);
        c0 = odd.high ^ c1 ^ k0, c1 = odd.low;
        c2 = even.high ^ c3 ^ k1, c3 = even.low;
        k0 += 0x9e3779b97f4a7c15, k1 += 0xbb67ae8584caa73b;
    }
    p->words[0] = c0, p->words[1] = c1, p->words[2] = c2, p->words[3] = c3;
    p->left = 4;
}

/* The next uniform, an integer of 24 bits. */
static int32_t philox_next(philox *p) {
    if (!p->left) philox_refill(p);
    return (int32_t)(p->words[4 - p->left--] >> 40);
}
