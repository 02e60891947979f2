// What a gate's sum does not wait for: the conditioning, and the older taps of its convolution. Where
// CHAINED also the share of the layer before's input.
//
// A layer's rows are read while the one before is summed.
#ifndef WN_OLDER_CUH
#define WN_OLDER_CUH

#ifndef AHEAD_MOST
#define AHEAD_MOST 8
#endif
#define MO CEIL(M_GATE, OLDER_WARPS)  // tiles of outputs of a warp
// Rows are read ahead into registers where those are few.
#define AHEAD (PRECISION != FP32 && OLDER * KT_R * NT <= AHEAD_MOST)
#define HOLD_OLDER (PRECISION != FP32 && MO * KT_R <= 8)

// What is read ahead for a layer.
struct Ahead {
    float bias[KEPT_OF(MO)][NT][2 * PER];
    int4 line;
#if AHEAD
    uint2 rows[OLDER][KT_R * NT];
#endif
};

FORCE LineRow older_row(const Here &here, int4 line, int j) {
    int row = line.w - j * line.z;
    if (row < 0) row += line.y;
    return LineRow{line_row(here, line.x, row), here.lane};
}

// The tile of a lane's m-th sums; beyond the last where the warps do not share them out evenly.
FORCE int older_tile(const Here &here, int m) { return here.lane.tile<MO, OLDER_WARPS>(here.warp, m); }
#define IS_GATE(tile) (M_GATE % OLDER_WARPS == 0 || (tile) < M_GATE)

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
    for (int m = 0; m < KEPT_OF(MO); m++) {
        const int c = older_tile(here, m) * 8 + here.lane.row;
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < KEPT_PER; s++) {
                const int stream = here.lane.kept_stream(n, s);
                ahead.bias[m][n][s] = ahead.bias[m][n][PER + s] = 0;
                if (bias && c < GATE / 2 && is_kept(stream)) {
                    ahead.bias[m][n][s] = own[stream * GATE + c];
                    ahead.bias[m][n][PER + s] = own[stream * GATE + c + GATE / 2];
                }
            }
    }
}

// A lane's share of the sums of a tile, in shared memory.
template <typename Visit>
FORCE void each_sum(const Here &here, int slot, int tile, const Visit &visit) {
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
        for (int s = 0; s < KEPT_PER; s++) {
            const int stream = here.lane.kept_stream(n, s);
            if (!is_kept(stream)) continue;
            float *sums = here.shared->gate_sums[slot][tile][stream] + here.lane.row;
            visit(n, s, sums[0], sums[8]);
        }
}

#if PRECISION == INT8
#define SCALE_OF(w, matrix) (w).matrix##_scale
#else
#define SCALE_OF(w, matrix) nullptr
#endif

// Tiles of a matrix [M_GATE][KT_R], those of a warp; beyond the last the first: nobody looks at it.
FORCE Tiles older_tiles(const Here &here, const Tile (*matrix)[KT_R], int m) {
    const int tile = here.warp + m * OLDER_WARPS;
    return Tiles(matrix[IS_GATE(tile) ? tile : 0], here.lane);
}

typedef float OlderSums[KEPT_OF(MO)][NT][2 * PER];

template <typename Inputs>
FORCE void add_older(const Here &here, OlderSums &y, const Tile (*matrix)[KT_R], const Inputs rows,
                     const float (*scales)[16]) {
    multiply_all<KT_R, MO, OLDER_WARPS>(
        y, [&](int m) { return older_tiles(here, matrix, m); }, rows, scales, here.lane, here.warp);
}

FORCE void store_sums(const Here &here, int slot, const OlderSums &y) {
#pragma unroll
    for (int m = 0; m < KEPT_OF(MO); m++) {
        const int tile = older_tile(here, m);
        if (!IS_GATE(tile)) continue;
        each_sum(here, slot, tile, [&](int n, int s, float &one, float &other) {
            one = y[m][n][s], other = y[m][n][PER + s];
        });
    }
}

FORCE void sum_older(const Here &here, const Layer &w, int layer, const Ahead &ahead, int slot) {
    const Older &older = older_of(here, w, layer);
    OlderSums y;
#pragma unroll
    for (int m = 0; m < KEPT_OF(MO); m++) {
        const int tile = older_tile(here, m);
        const float *bias = w.gate_bias[IS_GATE(tile) ? tile : 0];
        const float filter = bias[here.lane.row], gate = bias[here.lane.row + 8];
#pragma unroll
        for (int n = 0; n < NT; n++)
#pragma unroll
            for (int s = 0; s < PER; s++) {
                const bool kept = s < KEPT_PER;
                y[m][n][s] = kept ? filter + ahead.bias[m][n][s] : 0;
                y[m][n][PER + s] = kept ? gate + ahead.bias[m][n][PER + s] : 0;
            }
    }
#if PRECISION == INT8
#define OLDER_SCALE older.scale[j - 1]
#else
#define OLDER_SCALE nullptr
#endif
#if AHEAD
#pragma unroll
    for (int j = 1; j <= OLDER; j++)
        add_older(here, y, older.tiles[j - 1], HeldRows{ahead.rows[j - 1]}, OLDER_SCALE);
#else
    for (int j = 1; j <= OLDER; j++)
        add_older(here, y, older.tiles[j - 1], older_row(here, ahead.line, j), OLDER_SCALE);
#endif
    store_sums(here, slot, y);
}

// The conditioning of a block of samples, row by row.
struct HeldBias {
    const float *row;
    int held, left;  // samples of this row to come
    size_t size;
    METHOD HeldBias(const Here &here) : row(nullptr), held(here.block->held), left(0), size(0) {
        if (held == 0) return;
        row = here.block->bias + (size_t)here.group * STREAMS * GATE;
        left = held - here.block->offset;
        size = (size_t)LAYERS * here.block->width * GATE;
    }
    METHOD void next() {
        if (held == 0 || --left > 0) return;
        row += size, left = held;
    }
};

#if CHAINED

// All of a step's layers before it begins, into a slot each.
FORCE void sum_all(const Here &here, const Ring &ring, const float *bias) {
    Ahead ahead;
    look_ahead(here, here.first, bias, ahead);
    for (int layer = here.first; layer < here.last; layer++) {
        const Ahead now = ahead;
        if (layer + 1 < here.last) look_ahead(here, layer + 1, bias, ahead);
        const Layer &w = weights_of(here, ring, layer);
        sum_older(here, w, layer, now, layer - here.first);
    }
}

FORCE void read_rows(const LayerRows from, uint2 (&rows)[KT_R * NT]) {
#pragma unroll
    for (int k = 0; k < KT_R; k++)
#pragma unroll
        for (int n = 0; n < NT; n++) rows[k * NT + n] = from.fragment(k, n);
}

// A layer's input to its delay line, by the warps in turn; `rows`: the lane's share of it.
FORCE void write_line(const Here &here, int layer, const uint2 (&rows)[KT_R * NT]) {
    const int4 line = here.shared->lines[layer];
    unsigned char *to = line_row(here, line.x, line.w) + here.lane.column * 8;
#pragma unroll
    for (int k = 0; k < KT_R; k++)
#pragma unroll
        for (int n = 0; n < NT; n++) {
            const int c = n * 8 + here.lane.row;
            if ((k * NT + n) % OLDER_WARPS != here.warp || c >= COLUMNS) continue;
            *(uint2 *)(to + (k * COLUMNS + c) * 32) = rows[k * NT + n];
        }
}

FORCE void olders(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    const Ring ring(here);
    HeldBias bias(here);
    const int layers = here.last - here.first;
    sum_all(here, ring, bias.row);
    for (int step = 0; step < block.steps; step++) {
        barrier_arrive(SUMS_READY, SUMS_THREADS);
        for (int slot = 1; slot < layers; slot++) {  // with the input of the layer before
            const Layer &w = weights_of(here, ring, here.first + slot);
            OlderSums y;
#pragma unroll
            for (int m = 0; m < KEPT_OF(MO); m++) {
#pragma unroll
                for (int n = 0; n < NT; n++)
#pragma unroll
                    for (int e = 0; e < 2 * PER; e++) y[m][n][e] = 0;
                const int tile = older_tile(here, m);
                if (!IS_GATE(tile)) continue;
                each_sum(here, slot, tile, [&](int n, int s, float &one, float &other) {
                    y[m][n][s] = one, y[m][n][PER + s] = other;
                });
            }
            uint4 held[MO][HOLD_OLDER ? KT_R : 1];
#pragma unroll
            for (int m = 0; m < MO; m++)
                if (HOLD_OLDER) hold(held[m], older_tiles(here, w.current, m));
            if (slot > 1)
                barrier_sync(H_READY + (slot - 1 & 1), H_THREADS);
            else
#if FLAGS
                barrier_sync(INPUT_READY, INPUT_THREADS);
#else
                signal_wait(&shared->h_ready, step & 1);
#endif
            uint2 rows[KT_R * NT];
            read_rows(LayerRows(shared->h[slot - 1], here.lane), rows);
            multiply_all<KT_R, MO, OLDER_WARPS>(
                y,
                [&](int m) {
                    return HeldTiles<HOLD_OLDER ? KT_R : 0>{held[m], older_tiles(here, w.current, m)};
                },
                HeldRows{rows}, SCALE_OF(w, current), here.lane, here.warp);
            store_sums(here, slot, y);
            barrier_arrive(LAYER_READY + (slot & 1), SUMS_THREADS);
            if (slot == 1) write_line(here, here.first, rows);  // before the next one can come
        }
        bias.next();
        // As the chain leaves the block: what it does not wait for.
        barrier_sync(H_READY + (layers - 1 & 1), H_THREADS);
        for (int slot = 1; slot < layers; slot++) {
            uint2 rows[KT_R * NT];
            read_rows(LayerRows(shared->h[slot], here.lane), rows);
            write_line(here, here.first + slot, rows);
        }
        barrier_sync(STEP_DONE, STEP_THREADS);  // after the last z: the gate warps have read all sums
        for (int i = here.warp * 32 + here.lane.index; i < layers; i += OLDER_WARPS * 32) {
            int4 &line = shared->lines[here.first + i];
            line.w = line.w + 1 == line.y ? 0 : line.w + 1;
        }
        barrier_sync(LINES_MOVED, OLDER_WARPS * 32);
        if (step + 1 < block.steps) sum_all(here, ring, bias.row);
    }
}

#else

// A few layers ahead of the gate warps.
FORCE void olders(const Here &here) {
    const Block &block = *here.block;
    Ring ring(here);
    Ahead ahead;
    HeldBias bias(here);
    int slot = 0, used = 0;  // of gate_sums; how many have been filled so far, up to two
    for (int step = 0; step < block.steps; step++, bias.next()) {
        look_ahead(here, here.first, bias.row, ahead);
        for (int layer = here.first; layer < here.last; layer++) {
            const Layer &w = weights_of(here, ring, layer);
            if (used == 2)
                barrier_sync(SUMS_FREE + slot, SUMS_THREADS);
            else
                used++;
            const Ahead now = ahead;
            if (layer + 1 < here.last) look_ahead(here, layer + 1, bias.row, ahead);
            sum_older(here, w, layer, now, slot);
            barrier_arrive(SUMS_READY + slot, SUMS_THREADS);
            slot ^= 1;
            ring.next();
        }
        barrier_sync(STEP_DONE, STEP_THREADS);
#if SOURCE == RING
        ring.skip(CYCLE - LAYERS);
#endif
    }
    for (int i = 0; i < used; i++) {
        slot ^= 1;
        barrier_sync(SUMS_FREE + slot, SUMS_THREADS);
    }
}

#endif

#endif
