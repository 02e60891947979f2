/* The normal distribution's quantile: Wichura's PPND7 as in gaussian.py. `log_of` is mixture.h's. */
static float log_of(float x);

INLINE float polynomial(const float *terms, int count, float x) {
    float total = terms[0];
    for (int i = 1; i < count; i++) total = total * x + terms[i];
    return total;
}

static float quantile(int32_t odd) {
    static const float near[] = {59.109374720f, 159.29113202f, 50.434271938f, 3.3871327179f},
                       near_below[] = {67.187563600f, 78.757757664f, 17.895169469f, 1.0f},
                       middle[] = {0.17023821103f, 1.3067284816f, 2.7568153900f, 1.4234372777f},
                       middle_below[] = {0.12021132975f, 0.73700164250f, 1.0f},
                       tail[] = {0.017337203997f, 0.42868294337f, 3.0812263860f, 6.6579051150f},
                       tail_below[] = {0.012258202635f, 0.24197894225f, 1.0f};
    const float q = (float)(odd - 16777216) / 33554432.0f; /* u - 1/2 */
    if (-0.425f <= q && q <= 0.425f) {
        const float r = 0.180625f - q * q;
        return q * (polynomial(near, 4, r) / polynomial(near_below, 4, r));
    }
    const int32_t outside = q < 0 ? odd : 33554432 - odd;
    const float r = __builtin_sqrtf(-log_of((float)outside / 33554432.0f));
    const float y = r <= 5 ? polynomial(middle, 4, r - 1.6f) / polynomial(middle_below, 3, r - 1.6f)
                           : polynomial(tail, 4, r - 5) / polynomial(tail_below, 3, r - 5);
    return q < 0 ? -y : y;
}
