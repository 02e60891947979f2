/* What a layer adds to tap 0, which alone waits for the sample before: its bias and its older taps.
 *
 * Tap j of a layer of dilation d is known j*d steps before it is needed. So it is computed for up to
 * as many steps at once, TAP_STEPS at most, and its weights are read once for all of them: in a model
 * of kernel width 3 that does not fit the cache that is most of what a step reads. Steps are counted
 * within a block, and so many as are not all in it are computed one by one.
 *
 *     d = 1, k = 3    tap 1: |t|t|t|t|    tap 2: |t . |t . |           tap_sums: none
 *     d = 4, k = 3    tap 1: |t . . . |   tap 2: |t . . . . . . . |    tap_sums: 4 steps
 *
 * All layers at once would be a pause every TAP_STEPS samples. Alone nobody minds; with helpers the
 * chain's thread does this while it waits for the head of every sample, so there layers that look back
 * twice as far sum up some steps before they must, each another number of them: early_by. Helpers may
 * do these in its place.
 *
 * The sum is bias + tap 1 + tap 2 ... in this order, to the bit, however many steps go together.
 */
#ifndef WN_TAPS_H
#define WN_TAPS_H

#include "model.h"

INLINE delay_line line_of(const state *s, int layer, int base) {
    return (delay_line){layer, base, s->slot[layer]};
}

/* The row of a delay line that holds tap j of the step `later` steps from now. */
INLINE int tap_row(delay_line line, int j, int later) {
    const int span = OLDER * dilations[line.layer];
    int r = line.slot - j * dilations[line.layer] + later;
    return (line.base + (r < 0 ? r + span : r)) * BATCH;
}

#define BIAS_SIZE ((size_t)LAYERS * BATCH * GATE)

INLINE const float *bias_at(held_bias bias, int32_t t) {
    return bias.rows ? bias.rows + (size_t)(t / bias.held) * (size_t)bias.parts * BIAS_SIZE : 0;
}

/* Whether many samples have a row of bias: then it is in the state, in column order. */
INLINE int is_held(held_bias bias) { return !bias.rows || (bias.held > 1 && !bias.mix); }

/* own + row `from`, of one stream and layer, to column order. */
INLINE void add_row(const float *own, const float *from, float *to) {
    const float *gates = from + GATE / 2;
    int i = 0;
    for (; i + LANES <= GATE / 2; i += LANES) {
        const int at = i / 16 * 32 + i % 16;
        /* The row after this one, if each sample has its own: it is all layers away. */
        __builtin_prefetch(from + i + BIAS_SIZE);
        __builtin_prefetch(gates + i + BIAS_SIZE);
        store(to + at, load(own + at) + load(from + i));
        store(to + at + 16, load(own + at + 16) + load(gates + i));
    }
    for (; i < GATE / 2; i++) {
        const int at = i / 16 * 32 + i % 16;
        to[at] += from[i];
        to[at + 16] += gates[i];
    }
}

/* The same of `parts` rows from `from` on, times their weights, added in this order. At a frame's
 * beginning and end those of its furthest neighbours are zero: they are not read, as nothing reads
 * them again before weights have driven them out of the cache. */
INLINE void add_mixed(const float *own, const float *from, const float *weights, int parts,
                      float *to) {
    const float *gates = from + GATE / 2;
    int first = 0, end = parts, i = 0;
    while (first < end && weights[first] == 0) first++;
    while (first < end && weights[end - 1] == 0) end--;
    for (; i + LANES <= GATE / 2; i += LANES) {
        const int at = i / 16 * 32 + i % 16;
        vf filter = load(own + at), gate = load(own + at + 16);
        for (int j = first; j < end; j++) {
            filter += weights[j] * load(from + i + j * BIAS_SIZE);
            gate += weights[j] * load(gates + i + j * BIAS_SIZE);
        }
        store(to + at, filter);
        store(to + at + 16, gate);
    }
    for (; i < GATE / 2; i++) {
        const int at = i / 16 * 32 + i % 16;
        for (int j = first; j < end; j++) {
            to[at] += weights[j] * from[i + j * BIAS_SIZE];
            to[at + 16] += weights[j] * gates[i + j * BIAS_SIZE];
        }
    }
}

/* A layer's bias [B][G] of step t in column order, with bgate. */
static void layer_bias(const model *m, held_bias bias, int layer, int32_t t, float *to) {
    const float *own = m->layer[layer].gate_bias, *rows = bias_at(bias, t);
    for (int b = 0; b < BATCH; b++, to += G) {
        memcpy(to, own, sizeof m->layer[layer].gate_bias);
        if (!rows) continue;
        const float *from = rows + ((size_t)layer * BATCH + (size_t)b) * GATE;
        if (!bias.mix) add_row(own, from, to);
        else add_mixed(own, from, bias.mix + ((size_t)t * BATCH + b) * bias.parts, bias.parts, to);
    }
}

/* Steps for which this layer's tap j can be computed together. */
INLINE int together(int layer, int j) {
    const int most = dilations[layer] < TAP_STEPS ? j * dilations[layer] : TAP_STEPS;
    return 1 << (31 - __builtin_clz((unsigned)(most < TAP_STEPS ? most : TAP_STEPS)));
}

/* Whether they are, so many steps: not where the block ends before. */
INLINE int have_room(int some, moment now) { return some > 1 && (now.t | (some - 1)) < now.steps; }

/* Whether this layer's sums of a step are in tap_sums. */
INLINE int summed(int layer, moment now) { return have_room(together(layer, 1), now); }

/* Whether the products of its tap j are made before, of more steps. */
INLINE int is_early(int layer, int j, moment now) {
    return EARLY && j > 1 && together(layer, j) > together(layer, 1) &&
           have_room(together(layer, j), now);
}

/* Steps before the first that a layer's sums are made at: two at least, as helpers may take until the
 * end of the next sample's chain. */
INLINE int early_by(int layer, int helped) {
    const int may = TEAM && helped && TAP_STEPS > 1 && dilations[layer] >= 2 * TAP_STEPS;
    return may ? 2 + layer % (TAP_STEPS > 2 ? TAP_STEPS - 2 : 1) : 0;
}

/* A layer's sums of step t. Those made early are in both halves in turns: some of one are still to be
 * read while the other's are made. */
INLINE float *sums_of(state *s, int layer, int32_t t, int helped) {
    const int half = early_by(layer, helped) ? t / TAP_STEPS % 2 : 0;
    return s->tap_sums[half][layer][t & (together(layer, 1) - 1)];
}

#if EARLY
/* Adds what was made early of tap j to the sums of `some` steps. */
INLINE void add_early(const model *m, state *s, int layer, int base, int j, int some, moment now,
                      float *to) {
    const int first = now.t & (together(layer, j) - 1);
    for (int i = 0; i < some; i++)
        add_whole(BATCH, G, COLUMNS(&m->older[j - 1][layer]), s->early[j - 2][layer][first + i],
                  s->line_scales + tap_row(line_of(s, layer, base), j, i), to + i * BATCH * G);
}
#endif

/* bias + sum_{j>=1} h[t - j*d] @ Wgate[j] of the coming step, to `to`; returns where it stands. */
INLINE const float *older_taps(const model *m, state *s, int layer, int base, moment now,
                               float *to) {
    const float *init = s->bias[layer][0];
    for (int j = 1; j <= OLDER; j++) {
#if EARLY
        if (is_early(layer, j, now)) {
            add_early(m, s, layer, base, j, 1, now, to);
            continue;
        }
#endif
        const size_t at = (size_t)tap_row(line_of(s, layer, base), j, 0);
        multiply(BATCH, R, G, COLUMNS(&m->older[j - 1][layer]),
                 (rows_io){s->lines + at * LINE_ROW, s->line_scales + at, init, G, to});
        init = to;
    }
    (void)now;
    return init;
}

/* y += tap j of `some` steps, the first `later` steps from now: a product of many rows. WHOLE: y, of
 * `early`, is its integer sums. */
INLINE void multiply_tap(const model *m, state *s, tap_rows *room, delay_line line, int j, int later,
                         int some, float *y, int init_stride) {
    for (int i = 0; i < some; i++) {
        const size_t at = (size_t)tap_row(line, j, later + i);
        memcpy(room->bytes + i * BATCH * LINE_ROW, s->lines + at * LINE_ROW, BATCH * LINE_ROW);
        memcpy(room->scales + i * BATCH, s->line_scales + at, sizeof(float) * BATCH);
    }
    multiply(some * BATCH, R, G, COLUMNS(&m->older[j - 1][line.layer]),
             (rows_io){room->bytes, room->scales, y, init_stride, y});
}

/* The same for any number of steps that `together` says. */
static void multiply_some(const model *m, state *s, tap_rows *room, delay_line line, int j, int later,
                          int some, float *y, int whole) {
#define SOME(n)                                                                \
    if (n <= TAP_STEPS && some == n) {                                         \
        if (EARLY && whole) multiply_tap(m, s, room, line, j, 0, n, y, WHOLE); \
        else multiply_tap(m, s, room, line, j, later, n, y, G);                \
    }
    SOME(2)
    SOME(4)
    SOME(8)
    SOME(16)
#undef SOME
}

/* Fills a layer's tap_sums from the step on that is `later` steps from now. row_now: its bias, in
 * column order, of this step, or NULL. */
static void sum_older_taps(const model *m, state *s, tap_rows *room, held_bias bias, delay_line line,
                           moment now, int later, const float *row_now, float *sums) {
    const int layer = line.layer, some = together(layer, 1);
    const float *held = is_held(bias) ? bias_at(bias, now.t) : 0, *from = row_now;
    for (int i = 0; i < some; i++) { /* a row is put into column order once, then copied */
        const float *row = bias_at(bias, now.t + later + i);
        float *to = sums + i * BATCH * G;
        if (from && row == held && !bias.mix) {
            memcpy(to, from, sizeof s->bias[layer]);
            continue;
        }
        layer_bias(m, bias, layer, now.t + later + i, to);
        held = row, from = to;
    }
    for (int j = 1; j <= OLDER; j++) {
#if EARLY
        if (is_early(layer, j, now)) {
            add_early(m, s, layer, line.base, j, some, now, sums);
            continue;
        }
#endif
        multiply_some(m, s, room, line, j, later, some, sums, 0);
    }
}

/* What can be known of a layer's next step before its first sample is: bias, and older taps of many
 * steps. */
INLINE void prepare_layer(const model *m, state *s, tap_rows *room, held_bias bias, int layer,
                          int base, moment now, int helped) {
    const int sums = TAP_STEPS > 1 && summed(layer, now);
    const delay_line line = line_of(s, layer, base);
    const int other = now.t == 0 || bias.mix || (bias.rows && now.t % bias.held == 0);
    if (other && (is_held(bias) || !sums)) /* another than before */
        layer_bias(m, bias, layer, now.t, s->bias[layer][0]);
#if EARLY
    for (int j = 2; j <= OLDER; j++)
        if (is_early(layer, j, now) && now.t % together(layer, j) == 0)
            multiply_some(m, s, room, line, j, 0, together(layer, j),
                          (float *)s->early[j - 2][layer][0], 1);
#endif
    if (TAP_STEPS == 1) return;
    const int later = now.t ? early_by(layer, helped) : 0; /* nothing is before a block's first */
    const moment first = {now.t + later, now.steps};
    if (first.t % together(layer, 1) || !summed(layer, first)) return;
#if LEAVE_SUMS
    if (later && s->team.left[layer]) {
        tap_jobs *jobs = jobs_of(&s->team, s->team.samples + 1);
        jobs->bias = bias, jobs->now = now;
        jobs->line[jobs->count++] = line;
        return;
    }
#endif
    sum_older_taps(m, s, room, bias, line, now, later, s->bias[layer][0],
                   sums_of(s, layer, first.t, helped));
}

#endif
