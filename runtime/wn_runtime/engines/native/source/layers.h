/* A step: from the samples so far to the params of the next one's distribution. */
#ifndef WN_LAYERS_H
#define WN_LAYERS_H

#include "taps.h"

/* h of the first layer: the newest samples through the first causal convolution. */
static void embed(const model *m, state *s) {
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < R; i += LANES) {
#if CODES
            vf h = load(&m->input[0][s->window[0][b]][i]);
            for (int j = 1; j < INPUT_KERNEL; j++) h += load(&m->input[j][s->window[j][b]][i]);
#else
            vf h = load(m->input_bias + i);
            for (int j = 0; j < INPUT_KERNEL; j++) h += s->window[j][b] * load(m->input[j] + i);
#endif
            store(&s->h[b * R + i], h);
        }
}

static void push(state *s, const sample *samples) {
    memmove(s->window + 1, s->window, sizeof s->window - sizeof s->window[0]);
    memcpy(s->window[0], samples, sizeof s->window[0]);
}

/* Streams whose delay lines no longer fit the L2 cache beside the weights, mostly. */
#define MANY 4

/* Asks for what the next step's older taps read, a step ahead. */
INLINE void ask_for_tap(const state *s, int layer, int base) {
    for (int j = 1; j <= OLDER; j++) {
        const row *next = s->lines + (size_t)tap_row(line_of(s, layer, base), j, 0) * LINE_ROW;
        for (int i = 0; i < BATCH * LINE_ROW; i += 64) __builtin_prefetch(next + i);
    }
}

/* The bias and older taps of a layer: from tap_sums, from what was made ahead, or made now. */
INLINE const float *gate_init(const model *m, state *s, int layer, int base, moment now,
                              int helped) {
    if (summed(layer, now)) return sums_of(s, layer, now.t, helped);
    if (helped) return OLDER ? s->team.ahead[layer] : s->bias[layer][0];
    return older_taps(m, s, layer, base, now, s->a);
}

/* Asks for a layer's older taps of this step, where a helper has made them. */
INLINE void ask_for_sums(state *s, int layer, moment now) {
#if LEAVE_SUMS
    if (layer >= LAYERS || !s->team.left[layer] || !summed(layer, now)) return;
    const char *sums = (const char *)sums_of(s, layer, now.t, 1);
    for (int i = 0; i < G * (int)sizeof(float); i += 64) __builtin_prefetch(sums + i);
#else
    (void)s, (void)layer, (void)now;
#endif
}

/* One layer: h to the next h in place. Alone, z's share of the skip sum, too; with helpers, z is
 * where they find it. `init` is bias and older taps; returns the next layer's. */
INLINE const float *layer_step(const model *m, state *s, int layer, int base, moment now,
                               const float *init, int helped) {
    const layer_weights *w = &m->layer[layer];
    const int span = OLDER * dilations[layer];
    const size_t at = (size_t)(base + s->slot[layer]) * BATCH;
    row *line = s->lines + at * LINE_ROW, *z = helped ? s->team.z[layer].bytes : s->z_row;
    for (int b = 0; b < BATCH; b++)
        s->line_scales[at + b] = encode(line + b * LINE_ROW, s->h + b * R, R);
    s->slot[layer] = s->slot[layer] + 1 == span ? 0 : s->slot[layer] + 1;
    if (BATCH >= MANY) ask_for_tap(s, layer, base);

    multiply(BATCH, R, G, COLUMNS(&w->gate),
             (rows_io){line, s->line_scales + at, init, G, s->a});
    for (int b = 0; b < BATCH; b++) {
        UNROLL for (int i = 0; i < Z; i += LANES) {
            const float *a = s->a + b * G + i / 16 * 32 + i % 16;
            store(s->z + b * Z + i, gated(load(a), load(a + 16)));
        }
        s->z_scale[b] = encode_unit(z + b * ROW_BYTES(Z), s->z + b * Z, Z);
    }
    if (helped) {
        raise_to(&s->team.rows, s->team.samples * LAYERS + layer + 1);
        ask_for_sums(s, layer + 2, now);
    }
    if (layer + 1 < LAYERS) {
        for (int b = 0; b < BATCH; b++)
            for (int i = 0; i < R; i += LANES) {
                float *h = s->h + b * R + i;
                store(h, load(h) * RESIDUAL_SCALE + load(w->residual_bias + i));
            }
        init = gate_init(m, s, layer + 1, base + span, now, helped);
        multiply(BATCH, Z, R, COLUMNS(&w->residual), (rows_io){z, s->z_scale, s->h, R, s->h});
    }
    if (!helped)
        multiply(BATCH, Z, S, COLUMNS(&w->skip), (rows_io){z, s->z_scale, s->skip, S, s->skip});
    return init;
}

/* The chain of a step. Compiled once: alone or not is asked at each layer. */
static void layers_step(const model *m, state *s, moment now, int helped) {
#ifndef WN_ALONE
    __asm__("" : "+r"(helped)); /* no copy of all this for each of its two values */
#endif
    embed(m, s);
    const float *init = gate_init(m, s, 0, 0, now, helped);
    for (int layer = 0, base = 0; layer < LAYERS; base += OLDER * dilations[layer++])
        init = layer_step(m, s, layer, base, now, init, helped);
}

INLINE void relu_row(row *to, float *scale, float *x, int n) {
    for (int i = 0; i < n; i += LANES) store(x + i, larger(load(x + i), (vf){0}));
    *scale = encode(to, x, n);
}

/* From the skip sums to the params. */
INLINE void head_step(const model *m, state *s) {
    for (int b = 0; b < BATCH; b++)
        relu_row(s->skip_row + b * ROW_BYTES(S), s->skip_scale + b, s->skip + b * S, S);
    rows_io first = {s->skip_row, s->skip_scale, m->head0_bias, 0, s->hidden};
    for (int i = 0; i < HEAD0_PARTS; i++) {
        multiply(BATCH, S, H, COLUMNS(&m->head0[i]), first);
        first.init = s->hidden, first.init_stride = H;
    }
    for (int b = 0; b < BATCH; b++)
        relu_row(s->hidden_row + b * ROW_BYTES(H), s->hidden_scale + b, s->hidden + b * H, H);
    rows_io last = {s->hidden_row, s->hidden_scale, m->head1_bias, 0, s->params};
    for (int i = 0; i < HEAD1_PARTS; i++) {
        multiply(BATCH, H, A, COLUMNS(&m->head1[i]), last);
        last.init = s->params, last.init_stride = A;
    }
}

/* From the samples so far to the params of the next, by this thread alone. */
static void step(const model *m, state *s, moment now) {
    for (int b = 0; b < BATCH; b++) memcpy(s->skip + b * S, m->skip_bias, sizeof m->skip_bias);
    layers_step(m, s, now, 0);
    head_step(m, s);
}

#endif
