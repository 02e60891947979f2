// What lies where: the packed weights (pack.py writes the same order), and shared memory.
#ifndef WN_LAYOUT_CUH
#define WN_LAYOUT_CUH

// R Z S H A are the widths padded with zeros to whole tiles, as outputs and as inputs.
#define OLDER (KERNEL - 1)

#define KT_R (R / K_TILE)
#define KT_Z (Z / K_TILE)
#define KT_S (S / K_HEAD)
#define KT_H (H / K_HEAD)
#define M_GATE (Z / 8)
#define M_RESIDUAL (R / 16)
#define M_SKIP (S / 16)
#define M_HEAD (H / 16)
#define M_PARAMS (A / 16)

#define ROLE_WARPS (GATE_WARPS + RESIDUAL_WARPS + SKIP_WARPS + OLDER_WARPS)
#define THREADS ((ROLE_WARPS + (SOURCE == RING)) * 32)
// Warps that make the head: all of its block's or, where it has layers, those that are done with them.
#define WORKERS (CLUSTER > 1 ? ROLE_WARPS : ROLE_WARPS - OLDER_WARPS)

static __constant__ const int dilations[LAYERS] = DILATIONS;
// Layers of a block of the cluster: from first_layer[rank] up to the next one's.
static __constant__ const int first_layer[CLUSTER + 1] = FIRST_LAYER;

// With CHAINED a gate's sum has z of the layer before in place of h, by the product of both matrices:
//
//     h[l] @ Wgate[l] = s h[l-1] @ Wgate[l] + z[l-1] @ (s Wres[l-1] Wgate[l]) + constant
//
// so that the chain has one product a layer; the first term is made beside it. Not of a block's first
// layer, which has h.
//
// What the chain does not wait for, a group of several blocks may leave in global memory: OLDER_READ,
// SKIP_READ. There it stands behind all layers.
struct alignas(16) Older {
    Tile tiles[OLDER][M_GATE][KT_R];
#if PRECISION == INT8
    float scale[OLDER][M_GATE][16];
#endif
};
struct alignas(16) Skip {
    Tile tiles[M_SKIP][KT_Z];
#if PRECISION == INT8
    float rows[M_SKIP][16];
#endif
};
struct alignas(16) Layer {
    Tile current[M_GATE][KT_R];  // tap 0; rows 0..7 of a tile: filters, 8..15: their gates
#if CHAINED
    Tile chained[M_GATE][KT_Z];
#endif
    Tile residual[M_RESIDUAL][KT_Z];      // times residual_scale
    float gate_bias[M_GATE][16];          // as the rows of a tile
    float residual_bias[M_RESIDUAL][16];  // times residual_scale
#if PRECISION == INT8
    float current_scale[M_GATE][16];  // of a weight, times that of the activations
#if CHAINED
    float chained_scale[M_GATE][16];
#endif
    float residual_rows[M_RESIDUAL][16];
    float inverse[4];  // 1 / scale of this layer's input, and of the next one's
#endif
#if !OLDER_READ
    Older older;
#endif
#if !SKIP_READ
    Skip skip;
#endif
};

// The first causal convolution: what each of the newest samples adds to the first layer's input.
struct alignas(16) Embedding {
#if CODES
    float taps[INPUT_KERNEL][CODES][R];  // tap 0 has the bias in it
#else
    float taps[INPUT_KERNEL][R];
    float bias[R];
#endif
};

struct alignas(16) Model {
    Layer layer[LAYERS];
#if OLDER_READ
    Older older[LAYERS];
#endif
#if SKIP_READ
    Skip skip[LAYERS];
#endif
    Tile head0[M_HEAD][KT_S];
    Tile head1[M_PARAMS][KT_H];
    float skip_bias[S], head0_bias[H], head1_bias[A];  // -1e30 in A's padding: never drawn
    float input_scale[PADDED(LAYERS, 4)];  // of each layer's input; 1 but for int8
    Embedding embedding;
};
static_assert(sizeof(Layer) == LAYER_BYTES && sizeof(Model) == MODEL_BYTES, "pack.py packs another");

// A delay line has a row more than it looks back: one that is written while the oldest is read.
FORCE int line_rows(int layer) { return OLDER * dilations[layer] + 1; }
#define LINE_BYTES (KT_R * COLUMNS * 32)
static __constant__ const int line_first[LAYERS + 1] = LINE_FIRST;  // of all rows, layer after layer

// Where a block's weights are: all in shared memory, but for what is said to be read; as a stream
// through a ring of stages there, a layer each; or read from global memory where they are used.
#define RESIDENT 1
#define RING 2
#define DIRECT 3

#if SOURCE == RING
#define STAGE ((int)sizeof(Layer))
#define M_CHUNK0 (STAGE / (KT_S * 512))  // tiles of outputs of head0 in a stage
#define M_CHUNK1 (STAGE / (KT_H * 512))
static_assert(M_CHUNK0 > 0 && M_CHUNK1 > 0, "a stage has no room for a tile of the head's outputs");
#define CHUNKS0 CEIL(M_HEAD, M_CHUNK0)
#define CHUNKS1 CEIL(M_PARAMS, M_CHUNK1)
#define CYCLE (LAYERS + CHUNKS0 + CHUNKS1)  // stages that a step uses
#endif

struct alignas(128) Shared {
    Columns h[CHAINED ? SUMS_DEPTH : 1][KT_R * NT];  // the layers' inputs
    Columns z[Z_DEPTH][KT_Z * NT];
    float h_in[STREAMS][R];  // from the block before, or from the sample; not with FLAGS
    // Of coming layers: all of a gate's sum but what the chain adds, as the rows of a tile.
    float gate_sums[SUMS_DEPTH][M_GATE][STREAMS][16];
    int4 lines[LAYERS];  // of each delay line: its first row, how many, the dilation, this step's row
    Signal h_ready, skip_ready, hidden_ready;
#if CHAINED
    Signal z_ready[Z_DEPTH];  // gate --> skip
#endif
#if SOURCE == RING
    Signal full[STAGES], empty[STAGES];
#endif
    // From here on the head's. A block of several that has layers has its weights here.
    alignas(128) Columns skip_rows[KT_S * NH];
    Columns hidden[KT_H * NH];
    float head0_bias[H], head1_bias[A];
    union {
        float skip_in[LAYER_RANKS][STREAMS][S];  // each block's share of the skip sum; not with FLAGS
        float params[STREAMS][A];
    };
};
static_assert(sizeof(Shared) == SHARED_BYTES, "schedule.py counts other shared memory");
// The weights follow: a resident block's layers and, in the last that has any, their skip weights; its
// share of the head; or the ring's stages. Then, where EMBED_SHARED, the embedding.

// Named barriers: who arrives --> who waits.
enum Barrier {
    H_READY = 1,                         // residual --> gate; where CHAINED --> older, by turns
    STEP_DONE = H_READY + 1 + CHAINED,   // residual --> older: rows written; where CHAINED z's come
    ALL_WORKERS,                         // all of the head
    Z_READY,                             // gate --> residual; where CHAINED by turns
    SUMS_READY = Z_READY + 1 + CHAINED,  // older --> gate, by turns; where CHAINED: a block's first
#if CHAINED
    LAYER_READY,                         // gate and older --> gate: a z, the next sums; by turns
    LINES_MOVED = LAYER_READY + 2,       // older
#if FLAGS
    INPUT_READY,                         // residual --> gate and older: a block's first h
#else
    INPUT_TAKEN,                         // residual --> skip: h_in is free once the sample is made
#endif
    BARRIERS
#else
    SUMS_FREE = SUMS_READY + 2,          // gate --> older, by turns
    Z_FOR_SKIP = SUMS_FREE + 2,          // gate --> skip, by slot
    Z_FREE = Z_FOR_SKIP + Z_DEPTH,       // skip --> gate, by slot
    BARRIERS = Z_FREE + Z_DEPTH
#endif
};
static_assert(BARRIERS <= 16, "a block has 16 barriers");
#define CHAIN_THREADS ((GATE_WARPS + RESIDUAL_WARPS) * 32)
#define H_THREADS (((CHAINED ? OLDER_WARPS : GATE_WARPS) + RESIDUAL_WARPS) * 32)
#define STEP_THREADS ((RESIDUAL_WARPS + OLDER_WARPS) * 32)
#define INPUT_THREADS ((RESIDUAL_WARPS + (FLAGS ? GATE_WARPS + OLDER_WARPS : SKIP_WARPS)) * 32)
#define SUMS_THREADS ((GATE_WARPS + OLDER_WARPS) * 32)
#define SKIP_THREADS ((GATE_WARPS + SKIP_WARPS) * 32)
#define ALL_THREADS (WORKERS * 32)

// How blocks of a group hand over: by the shared memory of a cluster, or by flags in global memory.
#define BY_CLUSTER (CLUSTER > 1 && !FLAGS)

#if FLAGS
// Of a group. The mark is the step that a number is for, counted from 1 in a launch, which finds zeros.
struct alignas(128) Mail {
    Flagged h[LAYER_RANKS][STREAMS][R];     // the input of each block's first layer
    Flagged skip[LAYER_RANKS][STREAMS][S];  // its share of the skip sum
    Flagged hidden[STREAMS][H / 2];         // two halves each
};
static_assert(sizeof(Mail) == MAIL_BYTES, "schedule.py counts another");
#else
struct Mail;
#endif

// The kernel's arguments.
struct Block {
    const Model *model;
    unsigned char *lines;    // [groups][rows of all delay lines][KT_R][COLUMNS][32]
    Sample *window;          // [groups][k0][STREAMS], a ring
    const float *bias;       // [rows][L][B][G], each held for `held` samples; none where held is 0
    const int *uniforms;     // [steps][B][UNIFORMS]
    const float *inverse;    // [B], 1 / temperature; 0: the likeliest sample
    const Sample *forced;    // [steps][B], or null
    Sample *samples;         // [steps][B]
    float *out;              // [steps][B][PARAMS], written where samples are forced
    u64 t;                   // samples made before
    int held, offset;        // offset: how many of the first row's samples are over
    int steps, width;        // width: B, whole groups
    Mail *mail;              // [groups]; null without FLAGS
};

// What every role needs to know of itself.
struct Here {
    const Block *block;
    Shared *shared;
    unsigned char *weights;  // after what the block has of Shared
    unsigned char *lines;    // the group's
    Mail *mail;
    int rank, group;
    int first, last;  // layers
    int thread, warp;  // warp: within its role
    Lane lane;
    METHOD bool has_head() const { return CLUSTER == 1 || first == last; }
};

// Row `slot` of a delay line, counted from its first.
FORCE unsigned char *line_row(const Here &here, int first, int slot) {
    return here.lines + (size_t)(first + slot) * LINE_BYTES;
}

#endif
