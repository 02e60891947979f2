/* The packed model file: written by wn_export/c_api/model_file.py, described in docs/c-api.md.
 *
 * What it holds has the sizes that this was compiled for, every one of them: nothing in the file is a
 * size or a place that is believed. So a file that passes can be read anywhere, whoever wrote it. */
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "packed model files are little-endian, and read in place"
#endif

#define FILE_FORMAT 1
#define FILE_ALIGNED(bytes) (((uint64_t)(bytes) + 63) / 64 * 64)

/* Canonical weights, one after the other; `arrays` of wn_export/c_api/host_shapes.py is
 * in the same order. */
typedef struct {
#if COND_VALUES
    _Alignas(64) float global[COND_VALUES][BIAS_ROW]; /* of all values of all conditions */
#endif
#if LOCAL
    _Alignas(64) float local_mean[FRAME_CHANNELS];
    _Alignas(64) float local_scale[FRAME_CHANNELS];
#if LOCAL_KERNELS
    _Alignas(64) float local_kernels[LOCAL_KERNEL_NUMBERS]; /* of each its weight, its bias */
#endif
#if LOCAL_UPSAMPLING == TRANSPOSED
    _Alignas(64) float local_upsampling[LOCAL_TAPS * LOCAL_ROWS][LOCAL_HIDDEN * LOCAL_HIDDEN];
#endif
    _Alignas(64) float local_weight[LOCAL_HIDDEN][BIAS_ROW];
#endif
#if STRETCH
    _Alignas(64) float stretch_mean[FRAME_CHANNELS];
    _Alignas(64) float stretch_scale[FRAME_CHANNELS];
    _Alignas(64) float stretch_conv[STRETCH_WIDTH * FRAME_CHANNELS][FRAME_CHANNELS];
    _Alignas(64) float stretch_stages[STRETCH_STAGE_NUMBERS]; /* of each its kernel, its bias */
    _Alignas(64) float stretch_weight[FRAME_CHANNELS][BIAS_ROW];
#endif
#if STACK
#if CODES
    _Alignas(64) float stack_wave[CODES];
#endif
    _Alignas(64) float stack_filter[STACK_FILTER][STACK_CHANNELS]; /* tap 0 = current */
    _Alignas(64) float stack_filter_bias[STACK_CHANNELS];
    _Alignas(64) float stack_layers[STACK_LAYERS]
                                   [(STACK_KERNEL * STACK_CHANNELS + 1) * STACK_CHANNELS];
    _Alignas(64) float stack_weight[STACK_CHANNELS][BIAS_ROW];
#endif
#if !PARTS
    _Alignas(64) float none;
#endif
} conditioning;

#define CONDITIONING_BYTES (PARTS ? sizeof(conditioning) : 0)

typedef struct {
    uint64_t at, bytes;
} file_section;

struct wavestep_model {
    unsigned char magic[8];
    uint32_t format, crc; /* of all that follows */
    uint64_t bytes;       /* of the whole file */
    uint32_t precision, tile;
    unsigned char digest[32]; /* of the shapes that the library must have */
    file_section weights, conditioning, decoding, text;
    uint32_t sample_rate, group;
    double temperature, deemphasis, gain;
    uint32_t apart;
    unsigned char zeros[28];
};

#define FILE_HEADER 192
_Static_assert(sizeof(struct wavestep_model) == FILE_HEADER, "the file's header has no gaps");

#define WEIGHTS_AT ((uint64_t)FILE_HEADER)
#define CONDITIONING_AT (WEIGHTS_AT + FILE_ALIGNED(sizeof(model)))
#define DECODING_AT (CONDITIONING_AT + FILE_ALIGNED(CONDITIONING_BYTES))
#define TEXT_AT (DECODING_AT + FILE_ALIGNED(sizeof(float) * DECODED))

static const unsigned char file_magic[8] = {0x89, 'W', 'N', 'M', '\r', '\n', 0x1a, '\n'};

/* What this library reads, where who packs a model finds it: in the compiled library's own bytes. */
__attribute__((used)) static const struct {
    char mark[24];
    uint32_t precision, tile, group, apart;
    unsigned char digest[32];
} file_layout = {"wavestep packed layout:", PRECISION, TILE, GROUP, TWIN, HOST_DIGEST};

static const void *file_at(const wavestep_model *file, uint64_t at) {
    return (const unsigned char *)file + (size_t)at;
}
static const model *file_weights(const wavestep_model *file) { return file_at(file, WEIGHTS_AT); }
#if PARTS
static const conditioning *file_conditioning(const wavestep_model *file) {
    return file_at(file, CONDITIONING_AT);
}
#endif
#if DECODED
static const float *file_decoding(const wavestep_model *file) { return file_at(file, DECODING_AT); }
#endif
static const char *file_text(const wavestep_model *file) { return file_at(file, TEXT_AT); }
