/* The two things that calls take: packed weights, which nothing writes, and the streams' state. */
#ifndef WN_MODEL_H
#define WN_MODEL_H

#include "block.h"
#include "head.h"
#include "team.h"

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

/* A block of steps under way. */
typedef struct block {
    const model *m;
    state *s;
    int32_t steps;
    held_bias bias;
    int helpers;
} block;

#endif
