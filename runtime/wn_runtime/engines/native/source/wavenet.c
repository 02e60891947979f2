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
_Static_assert(LAYOUT == 6, "the installation was replaced meanwhile: start this program again");

/* The most steps whose older taps are computed together, a power of two: those inputs are known
 * beforehand where a layer looks back at least so far. Their weights are then read once for all the
 * steps. Small int8 matrices are read so fast that it does not pay; where those of the older taps are
 * over a megabyte, they do not stay in the cache, and twice the steps gain 3 %. */
#define WIDE (PRECISION == INT8 && (KERNEL - 1) * LAYERS * RESIDUAL * GATE > 1 << 20)
#ifndef TAP_STEPS
#define SMALL (PRECISION == INT8 && RESIDUAL < 48)
#define TAP_STEPS (BATCH > 2 || SMALL ? 1 : (WIDE ? 16 : 8) / BATCH)
#endif
_Static_assert(TAP_STEPS >= 1 && TAP_STEPS <= 16 && !(TAP_STEPS & (TAP_STEPS - 1)), "see SOME");

#include "matrix.h"
#include "vector.h"

/* Whether a tap that looks back further than tap 1 is computed for more steps together than that:
 * it waits as integers for the sum of those before it, as floats are added in one order only. */
#define EARLY (PRECISION == INT8 && TAP_STEPS > 1 && KERNEL > 2 && R <= EXACT_INPUTS)

/* Of the sums of older taps: with helpers, the next steps' are made before this one's have been read. */
#define SUM_HALVES (TEAM && TAP_STEPS > 1 ? 2 : 1)

#define PADDED(n) (((n) + 15) / 16 * 16) /* widths are padded with zeros to 16 */
#define R PADDED(RESIDUAL)
#define Z PADDED(GATE / 2)
#define G (2 * Z) /* gate columns: 16 filters, their 16 gates, the next 16 filters, ... */
#define S PADDED(SKIP)
#define H PADDED(HEAD)
#define A PADDED(PARAMS)
#define OLDER (KERNEL - 1) /* taps from the delay line */
#define LINE_ROW ROW_BYTES(R)
/* What int8 leaves of a matrix is another: params bear rounding worst, see pack.py. */
#define HEAD0_PARTS (PRECISION == INT8 && !CODES ? 2 : 1)
#define HEAD1_PARTS (PRECISION == INT8 ? 2 : 1)

#include "head.h"

#ifdef EXPORT
#elif defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

/* Room for the rows of a tap that are multiplied together. */
typedef struct {
    _Alignas(64) row bytes[TAP_STEPS * BATCH * LINE_ROW];
    float scales[TAP_STEPS * BATCH];
} tap_rows;

/* The conditioning of a block of samples: rows [L][B][G], each for `held` samples; NULL: none. With a
 * mix there are `parts` rows where else is one, and each of these samples has a sum of its own: that
 * of the rows, times its weights, mix[t][b]. */
typedef struct {
    const float *rows;
    int32_t held;
    const float *mix; /* [steps][B][parts]; NULL: parts is 1 */
    int32_t parts;
} held_bias;

/* Where a step stands in its block of steps. */
typedef struct {
    int32_t t, steps;
} moment;

/* A layer's delay line: its first row of all, and the slot of the coming step. */
typedef struct {
    int layer, base, slot;
} delay_line;

#include "team.h"

static const int32_t dilations[LAYERS] = DILATIONS;

typedef struct {
    MATRIX(R, G) gate;     /* tap 0 */
    MATRIX(Z, R) residual; /* times residual_scale */
    MATRIX(Z, S) skip;
    _Alignas(64) float gate_bias[G];
    _Alignas(64) float residual_bias[R]; /* times residual_scale */
} layer_weights;

/* The packed weights; pack.py writes the same order. What every sample reads comes first, in one
 * piece: so a cache that holds little more than that holds it, whatever the way of its sets. */
typedef struct {
#if CODES
    _Alignas(64) float input[INPUT_KERNEL][CODES][R]; /* tap 0 has the bias in it */
#else
    _Alignas(64) float input[INPUT_KERNEL][R];
    _Alignas(64) float input_bias[R];
#endif
    layer_weights layer[LAYERS];
    _Alignas(64) float skip_bias[S];
    MATRIX(S, H) head0[HEAD0_PARTS];
    _Alignas(64) float head0_bias[H];
    MATRIX(H, A) head1[HEAD1_PARTS];
    _Alignas(64) float head1_bias[A];    /* -1e30 in the padding: never drawn */
    MATRIX(R, G) older[OLDER][LAYERS]; /* taps 1 .. k-1 */
} model;

/* Streams' memory, and room to work in. */
typedef struct {
    sample window[INPUT_KERNEL][BATCH]; /* newest first */
    int32_t slot[LAYERS];               /* of (k-1)*d rows: the oldest, next to be overwritten */
    /* The delay lines, layer after layer: rings of (k-1)*d rows of each layer's input. */
    _Alignas(64) row lines[(size_t)LINE_ROWS * BATCH * LINE_ROW];
    float line_scales[(size_t)LINE_ROWS * BATCH];
    _Alignas(64) float bias[LAYERS][BATCH][G]; /* bgate + conditioning, in column order */
    _Alignas(64) float h[BATCH * R];
    _Alignas(64) float a[BATCH * G];
    _Alignas(64) float z[BATCH * Z];
    _Alignas(64) float skip[BATCH * S];
    _Alignas(64) float hidden[BATCH * H];
    _Alignas(64) float params[BATCH * A];
    _Alignas(64) row z_row[BATCH * ROW_BYTES(Z)];
    _Alignas(64) row skip_row[BATCH * ROW_BYTES(S)];
    _Alignas(64) row hidden_row[BATCH * ROW_BYTES(H)];
    _Alignas(64) float z_scale[BATCH], skip_scale[BATCH], hidden_scale[BATCH];
    _Alignas(64) float tap_sums[SUM_HALVES][LAYERS][TAP_STEPS][BATCH * G]; /* without tap 0 */
    tap_rows tap_rows;
#if EARLY
    _Alignas(64) int32_t early[OLDER - 1][LAYERS][TAP_STEPS][BATCH * G]; /* of taps 2 .. k-1 */
#endif
    team team;
} state;

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

#include "taps.h"

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

/* A block of steps under way. */
typedef struct block {
    const model *m;
    state *s;
    int32_t steps;
    held_bias bias;
    int helpers;
} block;

/* What can be known of step t before its first sample is. */
INLINE void prepare(const block *k, int32_t t) {
    for (int layer = 0, base = 0; layer < LAYERS; base += OLDER * dilations[layer++])
        prepare_layer(k->m, k->s, &k->s->tap_rows, k->bias, layer, base, (moment){t, k->steps}, 0);
}

#include "shares.h"

static block begin(const model *m, state *s, int32_t steps, const float *bias, int32_t bias_rows,
                   const float *mix, int32_t parts, int32_t helpers) {
    block k = {m, s, steps, {bias, steps / bias_rows, mix, mix ? parts : 1}, helpers};
    if (TEAM && helpers) {
        leave_sums(s, helpers);
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
