// The logistic distribution's quantile; logistic.py defines it.
static __device__ float quantile(int odd) { return logf((float)odd / (float)(33554432 - odd)); }
