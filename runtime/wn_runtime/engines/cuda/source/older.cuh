// What a gate's sum does not wait for: the conditioning, and the older taps of its convolution.
//
// These warps run ahead of the gate warps. A layer's rows are read while the one before is summed.
#ifndef WN_OLDER_CUH
#define WN_OLDER_CUH

#define MO CEIL(M_GATE, OLDER_WARPS)  // tiles of outputs of a warp
// Rows are read ahead into registers where those are few.
#define AHEAD (PRECISION != FP32 && OLDER * KT_R * NT <= 16)

// What is read ahead for a layer.
struct Ahead {
    float bias[MO][NT][2 * PER];
    int4 line;
#if AHEAD
    uint2 rows[OLDER][KT_R * NT];
#endif
};

FORCE LineRow older_row(const Here &here, int4 line, int j) {
    int row = line.w - j * line.z;
    if (row < 0) row += line.y;
    return LineRow{line_row(here, line.x, row)};
}

// bias: of this step, or null.
FORCE void look_ahead(const Here &here, int layer, const float *bias, Ahead &ahead) {
    ahead.line = here.shared->lines[layer];
#if AHEAD
#pragma unroll
    for (int j = 1; j <= OLDER; j++) {
        const LineRow row = older_row(here, ahead.line, j);
#pragma unroll
        for (int k = 0; k < KT_R; k++)
#pragma unroll
            for (int n = 0; n < NT; n++) ahead.rows[j - 1][k * NT + n] = row.fragment(k, n);
    }
#endif
    const float *own = bias + (size_t)layer * here.block->width * GATE;
#pragma unroll
    for (int m = 0; m < MO; m++) {
        const int c = (here.warp + m * OLDER_WARPS) * 8 + lane_row();
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < PER; s++) {
                const int stream = stream_of(n, s);
                ahead.bias[m][n][s] = ahead.bias[m][n][PER + s] = 0;
                if (bias && c < GATE / 2 && stream < STREAMS) {
                    ahead.bias[m][n][s] = own[stream * GATE + c];
                    ahead.bias[m][n][PER + s] = own[stream * GATE + c + GATE / 2];
                }
            }
    }
}

FORCE void sum_older(const Here &here, const Layer &w, const Ahead &ahead, int slot) {
#pragma unroll
    for (int m = 0; m < MO; m++) {
        const int tile = here.warp + m * OLDER_WARPS;
        if (M_GATE % OLDER_WARPS != 0 && tile >= M_GATE) break;
        const float filter = w.gate_bias[tile][lane_row()], gate = w.gate_bias[tile][lane_row() + 8];
        float y[NT][2 * PER];
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < PER; s++) {
                y[n][s] = filter + ahead.bias[m][n][s];
                y[n][PER + s] = gate + ahead.bias[m][n][PER + s];
            }
#if PRECISION == INT8
#define OLDER_SCALE w.older_scale[j - 1][tile]
#else
#define OLDER_SCALE nullptr
#endif
#if AHEAD
#pragma unroll
        for (int j = 1; j <= OLDER; j++)
            multiply<KT_R>(y, Tiles{w.older[j - 1][tile]}, Held<NT>{ahead.rows[j - 1]}, OLDER_SCALE);
#else
        for (int j = 1; j <= OLDER; j++)
            multiply<KT_R>(y, Tiles{w.older[j - 1][tile]}, older_row(here, ahead.line, j),
                           OLDER_SCALE);
#endif
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int e = 0; e < 2 * PER; e++)
                here.shared->gate_sums[slot][tile][n][here.lane][e] = y[n][e];
    }
}

FORCE void olders(const Here &here) {
    const Block &block = *here.block;
    if (here.first == here.last) return;
    Ring ring(here);
    Ahead ahead;
    int slot = 0, used = 0;  // of gate_sums; how many have been filled so far, up to its depth
    int until = block.held - block.offset;  // this row of bias ends
    const float *bias = block.held ? block.bias + (size_t)here.group * STREAMS * GATE : nullptr;
    for (int step = 0; step < block.steps; step++, until--) {
        if (block.held && until == 0) {
            bias += (size_t)LAYERS * block.width * GATE;
            until = block.held;
        }
        look_ahead(here, here.first, bias, ahead);
        for (int layer = here.first; layer < here.last; layer++) {
            const Layer &w = weights_of(here, ring, layer);
            if (used == SUMS_DEPTH)
                barrier_sync(SUMS_FREE + slot, SUMS_THREADS);
            else
                used++;
            const Ahead now = ahead;
            if (layer + 1 < here.last) look_ahead(here, layer + 1, bias, ahead);
            sum_older(here, w, now, slot);
            barrier_arrive(SUMS_READY + slot, SUMS_THREADS);
            slot = slot + 1 == SUMS_DEPTH ? 0 : slot + 1;
            ring.next();
        }
        barrier_sync(STEP_DONE, STEP_THREADS);
#if SOURCE == RING
        ring.skip(CYCLE - LAYERS);
#endif
    }
    for (int i = 0; i < used; i++) {
        slot = slot == 0 ? SUMS_DEPTH - 1 : slot - 1;
        barrier_sync(SUMS_FREE + slot, SUMS_THREADS);
    }
}

#endif
