// Times nv-wavenet's nvWavenetInfer (github.com/NVIDIA/nv-wavenet). build.py compiles this
// against its headers, once for each shape, precision and implementation:
//
//     -DWEIGHT=half2 -DDATA=half (fp32: float, float) -DLAYERS=20 -DMAX_DILATION=512
//     -DRESIDUAL=64 -DSKIP=128 -DOUTPUTS=256 -DIMPLEMENTATION=1 (a number of its enumeration)
//
// and runs it with cases, streams:streams-of-a-block (1:1 16:4 ...). It prints a line for each:
//
//     first 128 131 ...                   stream 0's first samples, of the first case only
//     timed 1:1 4096 0.161 0.162 0.161    samples of a run, and the seconds of each run
//     refused 16:4                        nv-wavenet would not launch it
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "nv_wavenet.cuh"

// run() names every implementation with 1 to 4 streams a block; those that this program never runs
// become empty, so that a program is compiled in seconds.
#define NOTHING(...)                                                          \
    template <>                                                               \
    struct __VA_ARGS__ {                                                      \
        bool operator()(nv_wavenet_params<WEIGHT, DATA>, cudaStream_t) {      \
            return false;                                                     \
        }                                                                     \
    };
#define SHAPE WEIGHT, DATA, RESIDUAL, SKIP, OUTPUTS
#define NO_SINGLE(N) NOTHING(launch_singleBlock<SHAPE, N>)
#define NO_DUAL(N) NOTHING(launch_dualBlock<SHAPE, N>)
#define NO_PERSISTENT(N) NOTHING(launch_persistent<SHAPE, N>)
#define NO_MANY(N) NOTHING(launch_manyblock<false, SHAPE, N>)
#if IMPLEMENTATION == 1
NO_SINGLE(2) NO_SINGLE(3)
#else
NO_SINGLE(1) NO_SINGLE(2) NO_SINGLE(3) NO_SINGLE(4)
#endif
#if IMPLEMENTATION == 2
NO_DUAL(2) NO_DUAL(3)
#else
NO_DUAL(1) NO_DUAL(2) NO_DUAL(3) NO_DUAL(4)
#endif
#if IMPLEMENTATION == 3
NO_PERSISTENT(2) NO_PERSISTENT(3)
#else
NO_PERSISTENT(1) NO_PERSISTENT(2) NO_PERSISTENT(3) NO_PERSISTENT(4)
#endif
#if IMPLEMENTATION == 4
NO_MANY(2) NO_MANY(3)
#else
NO_MANY(1) NO_MANY(2) NO_MANY(3) NO_MANY(4)
#endif

typedef nvWavenetInfer<SHAPE> Network;

// At LONGEST the int indices into (samples, layers, streams, 2R) do not overflow with 64 streams of
// 30 layers, and memory is far from running out.
const int LONGEST = 4096, SHORTEST = 1024, WARM_UP = 512, REPEATS = 3;
const double RUN_S = 0.15;

static uint32_t seed;

// In (0, 1); the same numbers in every program.
static float uniform() {
    seed = seed * 1664525u + 1013904223u;
    return ((seed >> 8) + 0.5f) / 16777216.f;
}

static std::vector<float> within(float bound, int rows, int columns = 1) {
    std::vector<float> made((size_t)rows * columns);
    for (float &value : made) value = (2 * uniform() - 1) * bound;
    return made;
}

// Of the size of a trained network's: sums neither vanish nor saturate.
static std::vector<float> weights(int outputs, int inputs) {
    return within(std::sqrt(3.f / inputs), outputs, inputs);
}

static void fill(Network &network, int streams) {
    const int R = RESIDUAL, S = SKIP, A = OUTPUTS;
    seed = 1;
    std::vector<float> previous = within(1, A, R), current = within(1, A, R);
    network.setEmbeddings(previous.data(), current.data());
    for (int layer = 0; layer < LAYERS; layer++) {
        std::vector<float> tap = weights(2 * R, R), now = weights(2 * R, R), gate = within(0.1, 2 * R);
        std::vector<float> residual = weights(R, R), residual_bias = within(0.1, R);
        std::vector<float> skip = weights(S, R), skip_bias = within(0.1, S);
        network.setLayerWeights(layer, tap.data(), now.data(), gate.data(), residual.data(),
                                residual_bias.data(), skip.data(), skip_bias.data());
    }
    std::vector<float> hidden = weights(A, S), hidden_bias = within(0.1, A);
    std::vector<float> last = weights(A, A), last_bias = within(0.1, A);
    network.setOutWeights(hidden.data(), hidden_bias.data(), last.data(), last_bias.data());
    std::vector<float> selectors;  // the draws' uniforms, (samples, streams): all streams alike
    for (int sample = 0; sample < LONGEST; sample++)
        selectors.insert(selectors.end(), streams, uniform());
    // Conditioning of zeros: it is read and added all the same.
    size_t bytes = (size_t)LONGEST * LAYERS * streams * 2 * R * sizeof(float);
    float *conditioning;
    gpuErrChk(cudaMalloc(&conditioning, bytes));
    gpuErrChk(cudaMemset(conditioning, 0, bytes));
    network.setInputs(conditioning, selectors.data());
    gpuErrChk(cudaDeviceSynchronize());
    gpuErrChk(cudaFree(conditioning));
}

// Seconds until the samples are on the host; negative where nv-wavenet refuses. The network's
// activations are not written out, which nv_wavenet_perf.cu does and pays for.
static double seconds_of(Network &network, int samples, int streams, int a_block, int *out) {
    auto start = std::chrono::steady_clock::now();
    bool ran = network.run(samples, streams, out, a_block);
    gpuErrChk(cudaDeviceSynchronize());
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    return ran ? took.count() : -1;
}

static void measure(Network &network, int streams, int a_block, int *out, bool show) {
    // The first run loads the kernel; the second says how long the others may be.
    if (seconds_of(network, WARM_UP, streams, a_block, out) < 0) {
        printf("\nrefused %d:%d\n", streams, a_block);
        return;
    }
    if (show) {
        printf("\nfirst");
        for (int sample = 0; sample < WARM_UP; sample++) printf(" %d", out[sample]);
        printf("\n");  // nv-wavenet prints lines of its own
    }
    double quick = seconds_of(network, WARM_UP, streams, a_block, out);
    int samples = (int)std::min((double)LONGEST, RUN_S / quick * WARM_UP);
    samples = std::max(samples, SHORTEST);
    double runs[REPEATS];
    for (double &run : runs) run = seconds_of(network, samples, streams, a_block, out);
    printf("\ntimed %d:%d %d", streams, a_block, samples);
    for (double run : runs) printf(" %.6f", run);
    printf("\n");
}

int main(int count, char **words) {
    for (int word = 1; word < count; word++) {
        int streams, a_block, *out;
        if (sscanf(words[word], "%d:%d", &streams, &a_block) != 2) return 2;
        Network network(LAYERS, MAX_DILATION, streams, LONGEST, IMPLEMENTATION);
        fill(network, streams);
        gpuErrChk(cudaMallocHost(&out, (size_t)LONGEST * streams * sizeof(int)));
        measure(network, streams, a_block, out, word == 1);
        fflush(stdout);
        gpuErrChk(cudaFreeHost(out));
    }
}
