// Everything of a generated sample that is not the network: draw the class, write the delay lines,
// and lay out the inputs of the next call. One kernel after each call of the step graph, so that
// nothing returns to the host inside a block.
//
//   set 0: sample, past, bias ──graph──► params, present ──advance──► set 1 ──graph──► … ──► set 0
//
// Two sets of graph inputs, and two Controls, take turns: a thread block may still read the old
// while another writes the new. The first `streams` blocks draw, one stream each; the others move
// rows. A row element (layer, stream, channel) belongs to one thread from end to end, so that the
// delay lines need no synchronisation.
//
// A graph that makes `chunk` samples a call (export/wn_export/chunk_graph.py) draws its own
// classes; the rest is the same with `chunk` rows where a step graph has one.

#ifdef __CUDACC__
#define SHARED_MEMORY(name) extern __shared__ float name[]
#endif

struct Shape {
    int streams, layers, kernel, residual, gate, classes, input_kernel, chunk;
    int tables[1];  // dilation[layers], then the first row of each layer's ring [layers]
};

struct Control {
    unsigned long long t;       // samples since the start of the stream: the rings' position
    int i, total;               // samples done of this block, and its length
    int bias_rows;              // 1: the conditioning is constant over the block
    int forced;                 // teacher forcing: the block's classes are given
    float inverse_temperature;  // 0: argmax
    int unused;
};

// What the host lays out for a block, and what it takes away. Row-major, i over the block.
struct Block {
    const float *uniforms;  // [total, B]
    const int *forced;      // [total, B]
    const void *bias;       // [bias_rows, L, B, G]
    int *classes;           // [total, B]
    float *params;          // [total, B, A], written under teacher forcing only
};

// The inputs of one call of the graph.
struct Inputs {
    int *sample;      // [B, k0], newest last
    void *past;       // [L, k-1, chunk, B, R]
    void *bias;       // [chunk, L, B, G]
    float *uniforms;  // [chunk, B], used by a chunk graph only, as are the next two
    int *forced;      // [chunk, B], -1 where the graph is to draw
    float *inverse_temperature;  // [1]
};

static __device__ int at_most(int a, int b) { return a < b ? a : b; }

// Row of step `now + ahead` of a layer's ring of `rows`, where `now` is a row already. `ahead` is
// -rows or more; one 64-bit division a layer is enough.
static __device__ int ring(int now, int ahead, int rows) { return (now + rows + ahead) % rows; }

template <typename Element>
static __device__ void lay_out(const Shape *shape, const Control now, const Block block,
                               const Element *lines, Inputs next, int thread, int threads) {
    const int width = shape->streams * shape->residual, chunk = shape->chunk;
    const int *dilation = shape->tables, *first = dilation + shape->layers;
    for (int e = thread; e < shape->layers * width; e += threads) {
        const int layer = e / width, column = e % width;
        const int rows = (shape->kernel - 1) * dilation[layer];
        const int row = (int)(now.t % rows);
        for (int j = 1; j < shape->kernel; j++)
            for (int s = 0; s < chunk; s++) {
                const int ago = j * dilation[layer];
                // A tap on a step of this same call is the graph's own business.
                Element value = 0;
                if (s < ago) value = lines[(first[layer] + ring(row, s - ago, rows)) * width + column];
                const int tap = layer * (shape->kernel - 1) + j - 1;
                ((Element *)next.past)[(tap * chunk + s) * width + column] = value;
            }
    }
    if (now.bias_rows > 0 && (now.bias_rows > 1 || now.i <= chunk)) {  // constant: once in each set
        const int size = shape->layers * shape->streams * shape->gate;
        for (int e = thread; e < chunk * size; e += threads) {
            const int row = at_most(now.i + e / size, now.bias_rows - 1);
            ((Element *)next.bias)[e] = ((const Element *)block.bias)[(long long)row * size + e % size];
        }
    }
    if (chunk > 1) {
        for (int e = thread; e < chunk * shape->streams; e += threads) {
            const int row = at_most(now.i + e / shape->streams, now.total - 1);
            const int from = row * shape->streams + e % shape->streams;
            next.uniforms[e] = now.forced ? 0.0f : block.uniforms[from];
            next.forced[e] = now.forced ? block.forced[from] : -1;
        }
        if (thread == 0) next.inverse_temperature[0] = now.inverse_temperature;
    }
}

// The first class whose cumulative weight exceeds u * total, as sampling.CategoricalSampler: the
// sum runs in class order in one thread, so that rounding falls as it does there.
static __device__ int draw(const float *logits, int classes, float inverse_temperature, float u) {
    SHARED_MEMORY(weight);  // [A], then best, best_class [threads] and drawn
    const int me = threadIdx.x, threads = blockDim.x;
    float *best = weight + classes;
    int *best_class = (int *)(best + threads);
    int *drawn = best_class + threads;
    int mine = at_most(me, classes - 1);
    for (int c = me; c < classes; c += threads)
        if (logits[c] > logits[mine]) mine = c;
    best[me] = logits[mine];
    best_class[me] = mine;
    __syncthreads();
    for (int half = threads / 2; half > 0; half /= 2) {  // threads: a power of two
        if (me < half) {
            const int other = me + half;
            const bool lower = best[other] == best[me] && best_class[other] < best_class[me];
            if (best[other] > best[me] || lower) {
                best[me] = best[other];
                best_class[me] = best_class[other];
            }
        }
        __syncthreads();
    }
    if (inverse_temperature == 0) return best_class[0];
    for (int c = me; c < classes; c += threads)
        weight[c] = expf((logits[c] - best[0]) * inverse_temperature);
    __syncthreads();
    if (me == 0) {
        float sum = 0;
        for (int c = 0; c < classes; c++) weight[c] = sum += weight[c];
        *drawn = classes - 1;  // where rounding lets u * total reach the total
    }
    __syncthreads();
    const float threshold = u * weight[classes - 1];
    for (int c = me; c < classes; c += threads)
        if (weight[c] > threshold && !(c > 0 && weight[c - 1] > threshold)) *drawn = c;
    __syncthreads();
    return *drawn;
}

// One thread block: the classes of this call for one stream, and the samples the next one sees.
static __device__ void hear(const Shape *shape, const Control now, const Block block, int steps,
                            const float *params, const int *samples, const int *sample,
                            Inputs next) {
    const int stream = blockIdx.x, streams = shape->streams, classes = shape->classes;
    int drawn = 0;
    if (shape->chunk == 1 && !now.forced)
        drawn = draw(params + (long long)stream * classes, classes, now.inverse_temperature,
                     block.uniforms[now.i * streams + stream]);
    if (now.forced)
        for (int e = threadIdx.x; e < steps * classes; e += blockDim.x) {
            const long long row = (long long)(e / classes) * streams + stream;
            block.params[((long long)now.i * streams + row) * classes + e % classes] =
                params[row * classes + e % classes];
        }
    if (threadIdx.x != 0) return;
    for (int s = 0; s < steps; s++) {
        const int at = (now.i + s) * streams + stream;
        block.classes[at] = now.forced ? block.forced[at]
                            : shape->chunk == 1 ? drawn : samples[s * streams + stream];
    }
    const int width = shape->input_kernel;
    for (int j = 0; j < width; j++) {
        const int from = j + steps - width;  // of this call's classes; before them: the old window
        next.sample[stream * width + j] =
            from < 0 ? sample[stream * width + j + steps]
                     : block.classes[(now.i + from) * streams + stream];
    }
}

template <typename Element>
static __device__ void advance(const Shape *shape, const Control *control, Control *control_next,
                               const Block block, const float *params, const int *samples,
                               const Element *present, const int *sample, Inputs next,
                               Element *lines) {
    Control now = *control;
    const int steps = at_most(shape->chunk, now.total - now.i);
    if ((int)blockIdx.x < shape->streams) {
        hear(shape, now, block, steps, params, samples, sample, next);
        return;
    }
    const int thread = (blockIdx.x - shape->streams) * blockDim.x + threadIdx.x;
    const int threads = (gridDim.x - shape->streams) * blockDim.x;
    const int width = shape->streams * shape->residual;
    const int *dilation = shape->tables, *first = dilation + shape->layers;
    for (int e = thread; e < shape->layers * width; e += threads) {
        const int layer = e / width, column = e % width;
        const int rows = (shape->kernel - 1) * dilation[layer];
        const int row = (int)(now.t % rows);
        for (int s = 0; s < steps; s++)
            lines[(first[layer] + ring(row, s, rows)) * width + column] =
                present[(layer * shape->chunk + s) * width + column];
    }
    now.t += steps;
    now.i += steps;
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
        const float *params, const int *samples, const Element *present, const int *sample,        \
        const Inputs *next, Element *lines) {                                                      \
        advance<Element>(shape, control, control_next, *block, params, samples, present, sample,   \
                         *next, lines);                                                            \
    }
KERNELS(fp16, unsigned short)
KERNELS(fp32, unsigned int)
