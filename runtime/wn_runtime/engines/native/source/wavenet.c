/* A WaveNet that generates: one fused loop over samples and layers, compiled for one model.
 *
 * At step t, with h the layer's input and d its dilation:
 *
 *     a[t] = sum_{j=0}^{k-1} h[t - j*d] @ Wgate[j] + bgate + bias[t]
 *     z[t] = tanh(a[:G/2]) * sigmoid(a[G/2:])
 *     skip += z @ Wskip
 *     h_next[t] = (z @ Wres + bres + h[t]) * residual_scale
 *
 * (van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016.) Then
 * relu(skip + bskip) @ Whead0 + b, relu, @ Whead1 + b: the params of x[t]'s distribution. What they
 * mean is the head's business: head.h has the type of a sample and the draw.
 *
 * What the next sample waits for is the chain h -> a -> z -> h_next through all layers. The skip
 * sum and the older taps (j >= 1, from the delay lines) are not on it: they stand in the code
 * where the chain waits for latencies, so that the CPU works on them meanwhile.
 *
 *     model.h    packed weights, and the streams' state       matrix.h   the products, in three precisions
 *     layers.h   a step: layers, then the head                taps.h     its older taps, ahead of time
 *     block.h    a block of steps                             shares.h   a step on several threads
 *
 * shapes.h defines LAYERS KERNEL INPUT_KERNEL RESIDUAL GATE SKIP HEAD PARAMS CODES UNIFORMS BATCH
 * DILATIONS LINE_ROWS RESIDUAL_SCALE PRECISION LAYOUT SHAPES and the head's own constants. CODES is
 * 0 where samples are amplitudes. Nothing here allocates; only threads that wait for each other
 * (system.h) call the system.
 */
#define FP32 1
#define BF16 2
#define INT8 3
#include "shapes.h"

/* How weights lie and what functions take, as Python has it: it may have been loaded before these files
 * were replaced, in a training of days. */
_Static_assert(LAYOUT == 7, "the installation was replaced meanwhile: start this program again");

#include "layers.h"
#include "shares.h"

#ifdef EXPORT
#elif defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* What can be known of step t before its first sample is. */
INLINE void prepare(const block *k, int32_t t) {
    for (int layer = 0, base = 0; layer < LAYERS; base += OLDER * dilations[layer++])
        prepare_layer(k->m, k->s, &k->s->tap_rows, k->bias, layer, base, (moment){t, k->steps}, 0);
}

static block begin(const model *m, state *s, int32_t steps, const float *bias, int32_t bias_rows,
                   const float *mix, int32_t parts, int32_t helpers) {
    block k = {m, s, steps, {bias, steps / bias_rows, mix, mix ? parts : 1}, helpers};
    if (TEAM && helpers) {
#if LEAVE_SUMS
        s->team.leaves = leave_sums(s->team.left, helpers);
#endif
        call_helpers(&k);
    }
    amx_begin();
    return k;
}

/* Step t of a block: its params. */
INLINE void block_step(block *k, int32_t t) {
    if (TEAM && k->helpers) {
        helped_step(k, t);
        return;
    }
    prepare(k, t);
    step(k->m, k->s, (moment){t, k->steps});
}

static void end(block *k) {
    amx_end();
    if (TEAM && k->helpers) release_helpers(k);
}

/* What this was compiled for, sizes in bytes and how weights lie: the caller checks, and packs. */
EXPORT const char *wn_shapes(void) { return SHAPES; }
/* Asks the system, once, for what the other calls need; 0 when it may be used. */
EXPORT int32_t wn_prepare(void) { return amx_ask(); }
EXPORT int64_t wn_model_bytes(void) { return sizeof(model); }
EXPORT int64_t wn_state_bytes(void) { return sizeof(state); }
EXPORT int32_t wn_tile(void) { return TILE; }
EXPORT int32_t wn_group(void) { return GROUP; }
EXPORT int32_t wn_apart(void) { return TWIN; }

/* bias: NULL, or [bias_rows][L][B][G], each row for steps / bias_rows samples, a whole number. mix:
 * NULL, or [steps][B][parts] for a bias [bias_rows][parts][L][B][G]: what a sample has of each part.
 * uniforms [steps][B][UNIFORMS] of 24 bits -> samples [steps][B]. inverse_temperature [B]: 0 is the
 * likeliest sample. helpers: how many threads are in wn_help, or soon will be. */
EXPORT void wn_generate(const model *m, state *s, int32_t helpers, int32_t steps, const float *bias,
                        int32_t bias_rows, const float *mix, int32_t parts,
                        const int32_t *uniforms, const float *inverse_temperature,
                        sample *samples) {
    const uint64_t denormals = flush_denormals();
    block k = begin(m, s, steps, bias, bias_rows, mix, parts, helpers);
    for (int32_t t = 0; t < steps; t++, uniforms += BATCH * UNIFORMS, samples += BATCH) {
        block_step(&k, t);
        for (int b = 0; b < BATCH; b++)
            samples[b] = draw(s->params + b * A, uniforms + b * UNIFORMS, inverse_temperature[b]);
        push(s, samples);
    }
    end(&k);
    restore_denormals(denormals);
}

/* Teacher forcing: samples [steps][B], within CODES -> params [steps][B][PARAMS]. */
EXPORT void wn_score(const model *m, state *s, int32_t helpers, int32_t steps, const float *bias,
                     int32_t bias_rows, const float *mix, int32_t parts, const sample *samples,
                     float *params) {
    const uint64_t denormals = flush_denormals();
    block k = begin(m, s, steps, bias, bias_rows, mix, parts, helpers);
    for (int32_t t = 0; t < steps; t++, samples += BATCH) {
        block_step(&k, t);
        for (int b = 0; b < BATCH; b++, params += PARAMS)
            memcpy(params, s->params + b * A, sizeof(float) * PARAMS);
        push(s, samples);
    }
    end(&k);
    restore_denormals(denormals);
}

/* What a thread that is helper k, from 1, of these streams does until it is dismissed. */
EXPORT void wn_help(const model *m, state *s, int32_t k) {
    if (TEAM) help(m, s, k);
}

/* Lets all helpers return, also such as have not come yet. Not during wn_generate or wn_score. */
EXPORT void wn_dismiss(state *s) {
    if (TEAM) dismiss(s);
}

/* In a process that was forked off, before its own helpers come. */
EXPORT void wn_forked(state *s) {
    if (TEAM) forget_helpers(s);
}

/* Shares that helpers came too late for, of all samples so far. */
EXPORT int64_t wn_missed(const state *s) { return (int64_t)s->team.missed; }

/* More would find no column of the skip sums left. */
EXPORT int32_t wn_most_helpers(void) {
    const int parts = TEAM ? (S + PART - 1) / PART : 0;
    return parts < MOST_HELPERS ? parts : MOST_HELPERS;
}

/* The state in no engine's own layout: samples [k0][B] and delay lines [(k-1)*sum(d)][B][R], oldest
 * first. */
EXPORT void wn_snapshot(const state *s, sample *samples, float *lines) {
    for (int j = 0; j < INPUT_KERNEL; j++, samples += BATCH)
        memcpy(samples, s->window[INPUT_KERNEL - 1 - j], sizeof s->window[0]);
    _Alignas(64) float padded[R]; /* without it GCC 12 loads it as aligned from where it is not */
    for (int layer = 0, base = 0; layer < LAYERS; base += OLDER * dilations[layer++]) {
        const int span = OLDER * dilations[layer];
        for (int i = 0; i < span; i++)
            for (int b = 0; b < BATCH; b++, lines += RESIDUAL) {
                size_t at = (size_t)(base + (s->slot[layer] + i) % span) * BATCH + b;
                decode(padded, s->lines + at * LINE_ROW, s->line_scales[at], R);
                memcpy(lines, padded, sizeof(float) * RESIDUAL);
            }
    }
}

EXPORT void wn_restore(state *s, const sample *samples, const float *lines) {
    for (int j = 0; j < INPUT_KERNEL; j++, samples += BATCH)
        memcpy(s->window[INPUT_KERNEL - 1 - j], samples, sizeof s->window[0]);
    memset(s->slot, 0, sizeof s->slot);
    _Alignas(64) float padded[R] = {0};
    for (size_t at = 0; at < (size_t)LINE_ROWS * BATCH; at++, lines += RESIDUAL) {
        memcpy(padded, lines, sizeof(float) * RESIDUAL);
        s->line_scales[at] = encode(s->lines + at * LINE_ROW, padded, R);
    }
}
