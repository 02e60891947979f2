/* From samples to what is heard: the head's decoding, and model/postprocess.py. */

#if DECODED
/* Classes, and amplitudes on a curve, are looked up: no table is made twice in two languages. */
static float decoded(const wavestep_model *file, sample x) {
#if CODES
    return file_decoding(file)[x];
#else
    const int32_t step = (int32_t)(x * 32768.0f) + 32768; /* draw gives 16-bit samples only */
    return file_decoding(file)[step < 0 ? 0 : step < DECODED ? step : DECODED - 1];
#endif
}
#else
static float decoded(const wavestep_model *file, sample x) {
    (void)file;
    return x;
}
#endif

/* y[t] = x[t] + deemphasis * y[t-1], clip(y * gain), in doubles as Python has it. */
static float heard(const wavestep_model *file, float x, double *memory) {
    if (file->deemphasis == 0 && file->gain == 1) return x;
    volatile double kept = file->deemphasis * *memory; /* rounded: no compiler fuses it with the sum */
    const double y = file->deemphasis != 0 ? x + kept : x;
    *memory = y;
    const double loud = y * file->gain;
    return (float)(loud < -1 ? -1 : loud > 1 ? 1 : loud);
}
