// A WaveNet that generates on a GPU: one launch makes a block of samples.
//
// At step t, with h the layer's input and d its dilation:
//
//     a[t] = sum_{j=0}^{k-1} h[t - j*d] @ Wgate[j] + bgate + bias[t]
//     z[t] = tanh(a[:G/2]) * sigmoid(a[G/2:])
//     skip += z @ Wskip
//     h_next[t] = (z @ Wres + bres + h[t]) * residual_scale
//
// (van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016.) Then
// relu(skip + bskip) @ Whead0 + b, relu, @ Whead1 + b: the params of x[t]'s distribution, and the
// draw. A group of STREAMS streams belongs to one thread block, or to CLUSTER blocks that share the
// layers out: a cluster or, with FLAGS, any that run at once. In a block each warp has one role for the whole launch:
//
//     gate warps      h --> z of a layer
//     residual warps  z --> h of the next layer, and its delay line
//     older warps     what the gates' sums have beside, ahead of the gate warps
//     skip warps      z --> the skip sum, beside the chain
//     one more        with a ring of weights: keeps it filled
//
// and gate, residual and skip warps together make the head and the draw: of the same block, or of
// several in blocks of their own.
//
// shapes.cuh, made by macros.py, defines LAYERS KERNEL INPUT_KERNEL RESIDUAL GATE SKIP HEAD PARAMS CODES
// UNIFORMS DILATIONS LINE_FIRST RESIDUAL_SCALE PRECISION, the widths R Z S H A padded to tiles, the
// head's own constants, and the schedule: STREAMS CLUSTER FIRST_LAYER LAYER_RANKS HEAD_RANK PARAMS_RANK
// GATE_WARPS RESIDUAL_WARPS SKIP_WARPS Z_DEPTH SOURCE STAGES OLDER_READ SKIP_READ
// HEAD_READ SKIP_EARLY FLAGS; the sizes that Python counts with: LAYER_BYTES MODEL_BYTES
// SHARED_BYTES MAIL_BYTES; and CHUNK, 0 but for a plan's node, with CONTROL_MARK.
#include "shapes.cuh"
#include "device.cuh"
#include "tiles.cuh"
#include "products.cuh"
#include "activations.cuh"
#include "draw.cuh"
#include "layout.cuh"
#include "weights.cuh"
#include "handover.cuh"
#include "head.cuh"
#include "older.cuh"
#include "gate.cuh"
#include "residual.cuh"
#include "skip.cuh"
#include "state.cuh"

FORCE void open_signals(const Here &here) {
    Shared *shared = here.shared;
    if (threadIdx.x == 0) {
#if BY_CLUSTER
        signal_open(&shared->h_ready, 1);
        signal_open(&shared->skip_ready, 1);
        signal_open(&shared->hidden_ready, 1);
        signal_expect(&shared->h_ready, HANDED_BYTES);
        signal_expect(&shared->skip_ready, LAYER_RANKS * STREAMS * S * 4);
        signal_expect(&shared->hidden_ready, STREAMS * H * 2);
#endif
#if CHAINED
        for (int i = 0; i < Z_DEPTH; i++) signal_open(&shared->z_ready[i], GATE_WARPS);
#endif
#if SOURCE == RING
        for (int i = 0; i < STAGES; i++) {
            signal_open(&shared->full[i], FILLERS);
            signal_open(&shared->empty[i], ROLE_WARPS);
        }
#endif
    }
}

FORCE void generate(const Block &block) {
    SHARED_MEMORY(memory);
    Here here;
    here.block = &block;
    here.shared = (Shared *)memory;
#if BY_CLUSTER
    here.rank = cluster_rank();
#else
    here.rank = blockIdx.x % CLUSTER;
#endif
    here.group = blockIdx.x / CLUSTER;
#if FLAGS
    here.mail = block.mail + here.group;
#endif
    here.first = first_layer[here.rank], here.last = first_layer[here.rank + 1];
    here.weights = here.has_head() ? memory + sizeof(Shared) : (unsigned char *)here.shared->skip_rows;
    here.thread = thread_index();
    const int lane = here.thread % 32, warp = here.thread / 32;
    here.lane = {lane, lane / 4, lane % 4};

    here.lines = block.lines + (size_t)here.group * line_first[LAYERS] * LINE_BYTES;
    for (int layer = threadIdx.x; layer < LAYERS; layer += blockDim.x) {
        const int rows = line_rows(layer);
        here.shared->lines[layer] =
            make_int4(line_first[layer], rows, dilations[layer], (int)(block.t % rows));
    }
    clear_rows(here);  // columns of no stream, and what fills up a width, stay zero
#if SOURCE == RESIDENT
    load_resident(here);
#endif
    load_ends(here);
    open_signals(here);
    __syncthreads();
#if BY_CLUSTER
    cluster_sync();
#endif
    if (here.rank == PARAMS_RANK && warp < WORKERS) embed_last(here);
#if CLUSTER == 1
    __syncthreads();
#endif
#if CLUSTER > 1
    if (here.first == here.last) {
        if (warp < WORKERS) heads(here);
    } else
#endif
    if (warp < GATE_WARPS) {
        here.warp = warp;
        gates(here);
    } else if (warp < GATE_WARPS + RESIDUAL_WARPS) {
        here.warp = warp - GATE_WARPS;
        residuals(here);
    } else if (warp < ROLE_WARPS - OLDER_WARPS) {
        here.warp = warp - GATE_WARPS - RESIDUAL_WARPS;
        skips(here);
    } else if (warp < ROLE_WARPS) {
        here.warp = warp - (ROLE_WARPS - OLDER_WARPS);
        olders(here);
#if SOURCE == RING
    } else {
        fill_ring(here);
#endif
    }
#if BY_CLUSTER
    cluster_sync();  // nobody leaves while another may still send to it
#endif
}

#if CHUNK == 0
extern "C" __global__ void __launch_bounds__(THREADS, 1) wn_generate(const Model *model, unsigned char *lines, Sample *window, const float *bias,
            const int *uniforms, const float *inverse, const Sample *forced, Sample *samples,
            float *out, long long t, long long held, long long offset, long long steps,
            long long width, Mail *mail) {
    const Block block = {model, lines, window, bias,  uniforms,    inverse,     forced,
                         samples, out, (u64)t, (int)held, (int)offset, (int)steps, (int)width,
                         mail};
    generate(block);
}
#else
static_assert(!FLAGS, "a plan's node has no mail");
// The same as a node of a TensorRT plan, of up to CHUNK samples: its inputs are tensors, numbers too.
// A builder times it with whatever lies in them, hence the mark: without it nothing is made.
struct Control {
    int mark;
    unsigned t_low, t_high;
    int steps, held, offset, forced;
};

extern "C" __global__ void __launch_bounds__(THREADS, 1) wn_chunk(const Model *model, unsigned char *lines, Sample *window, const float *bias,
            const int *uniforms, const float *inverse, const Sample *forced, Sample *samples,
            float *out, const Control *control, long long width) {
    const Control now = *control;
    const bool rows = now.held > 0 && now.offset >= 0 && now.offset < now.held;
    if (now.mark != CONTROL_MARK || now.steps < 1 || now.steps > CHUNK || (bias && !rows)) return;
    const Block block = {model, lines, window, bias, uniforms, inverse, now.forced ? forced : nullptr,
                         samples, out, (u64)now.t_high << 32 | now.t_low, bias ? now.held : 0,
                         now.offset, now.steps, (int)width, nullptr};
    generate(block);
}
#endif
