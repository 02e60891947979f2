/* A block of steps: what it is conditioned on, and where a step stands in it. */
#ifndef WN_BLOCK_H
#define WN_BLOCK_H

#include "matrix.h"

static const int32_t dilations[LAYERS] = DILATIONS;

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

#endif
