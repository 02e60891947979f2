/* The logistic distribution's quantile; logistic.py defines it. `log_of` is mixture.h's. */
static float log_of(float x);

static float quantile(int32_t odd) { return log_of((float)odd / (float)(33554432 - odd)); }
