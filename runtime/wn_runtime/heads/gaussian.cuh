// The normal distribution's quantile: Wichura's PPND7 as in gaussian.py.
static __device__ float quantile(int odd) {
    const float q = (float)(odd - 16777216) / 33554432.0f;  // u - 1/2
    if (fabsf(q) <= 0.425f) {
        const float r = 0.180625f - q * q;
        return q * ((((59.109374720f * r + 159.29113202f) * r + 50.434271938f) * r + 3.3871327179f) /
                    (((67.187563600f * r + 78.757757664f) * r + 17.895169469f) * r + 1.0f));
    }
    float r = sqrtf(-logf((float)(q < 0 ? odd : 33554432 - odd) / 33554432.0f)), y;
    if (r <= 5) {
        r -= 1.6f;
        y = (((0.17023821103f * r + 1.3067284816f) * r + 2.7568153900f) * r + 1.4234372777f) /
            ((0.12021132975f * r + 0.73700164250f) * r + 1.0f);
    } else {
        r -= 5;
        y = (((0.017337203997f * r + 0.42868294337f) * r + 3.0812263860f) * r + 6.6579051150f) /
            ((0.012258202635f * r + 0.24197894225f) * r + 1.0f);
    }
    return q < 0 ? -y : y;
}
