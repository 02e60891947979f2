// Everything of a generated sample that is not the network: draw it, write the delay lines, and lay
// out the inputs of the next call. One kernel after each call of the step graph, so that nothing
// returns to the host inside a block.
//
//   set 0: sample, past, bias ──graph──► params, present ──advance──► set 1 ──graph──► … ──► set 0
//
// Two sets of graph inputs, and two Controls, take turns: a thread block may still read the old
// while another writes the new. The first `streams` blocks draw, one stream each; the others move
// rows. A row element (layer, stream, channel) belongs to one thread from end to end, so that the
// delay lines need no synchronisation. A draw is one warp's: the lanes hand over by shuffles, and
// nothing needs shared memory.

#include "head.cuh"

struct Shape {
    int streams, layers, kernel, residual, gate, params, input_kernel, unused;
    int tables[1];  // dilation[layers], then the first row of each layer's ring [layers]
};

struct Control {
    unsigned long long t;  // samples since the start of the stream: the rings' position
    int i, total;          // samples done of this block, and its length
    int held, offset;      // samples that a row of bias is held for, and how many of the first are
                           // over; held 0: there is none
    int forced;            // teacher forcing: the block's samples are given
    int unused;
};

// What the host lays out for a block, and what it takes away. Row-major, i over the block.
struct Block {
    const int *uniforms;               // [total, B, UNIFORMS]
    const float *inverse_temperature;  // [B], 0: the likeliest sample
    const Sample *forced;              // [total, B]
    const void *bias;                  // [rows, L, B, G]
    Sample *samples;                   // [total, B]
    float *params;                     // [total, B, A], written under teacher forcing only
};

// The inputs of one call of the graph.
struct Inputs {
    Sample *sample;  // [B, k0], newest last
    void *past;      // [L, k-1, B, R]
    void *bias;      // [L, B, G]
};

// Row of step `now - ago` of a layer's ring of `rows`, where `now` is a row already.
static __device__ int ring(int now, int ago, int rows) { return (now + rows - ago) % rows; }

template <typename Element>
static __device__ void lay_out(const Shape *shape, const Control now, const Block block,
                               const Element *lines, Inputs next, int thread, int threads) {
    const int width = shape->streams * shape->residual;
    const int *dilation = shape->tables, *first = dilation + shape->layers;
    for (int e = thread; e < shape->layers * width; e += threads) {
        const int layer = e / width, column = e % width;
        const int rows = (shape->kernel - 1) * dilation[layer];
        const int row = (int)(now.t % rows);
        for (int j = 1; j < shape->kernel; j++) {
            const int tap = layer * (shape->kernel - 1) + j - 1;
            ((Element *)next.past)[tap * width + column] =
                lines[(first[layer] + ring(row, j * dilation[layer], rows)) * width + column];
        }
    }
    if (now.held == 0) return;
    const int i = (now.i < now.total ? now.i : now.total - 1) + now.offset;
    if (now.i > 1 && i % now.held > 1) return;  // both sets have this row already
    const int size = shape->layers * shape->streams * shape->gate;
    const Element *row = (const Element *)block.bias + (long long)(i / now.held) * size;
    for (int e = thread; e < size; e += threads) ((Element *)next.bias)[e] = row[e];
}

// One thread block: this call's sample of one stream, and the samples that the next call sees. Its
// first warp draws.
static __device__ void take_sample(const Shape *shape, const Control now, const Block block,
                                   const float *params, const Sample *sample, Inputs next) {
    const int stream = blockIdx.x, at = now.i * shape->streams + stream;
    const float *own = params + (long long)stream * shape->params;
    Sample newest;
    if (now.forced) {
        newest = block.forced[at];
        for (int e = threadIdx.x; e < shape->params; e += blockDim.x)
            block.params[(long long)at * shape->params + e] = own[e];
    } else {
        if (threadIdx.x >= 32) return;
        newest = draw(own, shape->params, block.inverse_temperature[stream],
                      block.uniforms + (long long)at * UNIFORMS);
    }
    if (threadIdx.x != 0) return;
    block.samples[at] = newest;
    const int width = shape->input_kernel;
    for (int j = 0; j + 1 < width; j++)
        next.sample[stream * width + j] = sample[stream * width + j + 1];
    next.sample[stream * width + width - 1] = newest;
}

template <typename Element>
static __device__ void advance(const Shape *shape, const Control *control, Control *control_next,
                               const Block block, const float *params, const Element *present,
                               const Sample *sample, Inputs next, Element *lines) {
    Control now = *control;
    if ((int)blockIdx.x < shape->streams) {
        take_sample(shape, now, block, params, sample, next);
        return;
    }
    const int thread = (blockIdx.x - shape->streams) * blockDim.x + threadIdx.x;
    const int threads = (gridDim.x - shape->streams) * blockDim.x;
    const int width = shape->streams * shape->residual;
    const int *dilation = shape->tables, *first = dilation + shape->layers;
    for (int e = thread; e < shape->layers * width; e += threads) {
        const int layer = e / width, column = e % width;
        const int rows = (shape->kernel - 1) * dilation[layer];
        lines[(first[layer] + (int)(now.t % rows)) * width + column] = present[e];
    }
    now.t++;
    now.i++;
    if (thread == 0) *control_next = now;
    lay_out<Element>(shape, now, block, lines, next, thread, threads);
}

// `Element` only moves: a half is two bytes, a float four.
#define KERNELS(SUFFIX, Element)                                                                   \
    extern "C" __global__ void wn_prepare_##SUFFIX(const Shape *shape, const Control *control,     \
                                                   const Block *block, const Inputs *next,         \
                                                   const Element *lines) {                         \
        lay_out<Element>(shape, *control, *block, lines, *next,                                    \
                         blockIdx.x * blockDim.x + threadIdx.x, gridDim.x * blockDim.x);           \
    }                                                                                              \
    extern "C" __global__ void wn_advance_##SUFFIX(                                                \
        const Shape *shape, const Control *control, Control *control_next, const Block *block,     \
        const float *params, const Element *present, const Sample *sample, const Inputs *next,     \
        Element *lines) {                                                                          \
        advance<Element>(shape, control, control_next, *block, params, present, sample, *next,     \
                         lines);                                                                   \
    }
KERNELS(fp16, unsigned short)
KERNELS(fp32, unsigned int)
