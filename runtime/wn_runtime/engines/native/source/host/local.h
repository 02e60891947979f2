/* Frames through a network at their own rate, stretched to rows: conditioning/frames.py, a frame at a
 * time. Each layer keeps its newest inputs; the first output comes when all have enough. */
#if LOCAL
static const int32_t local_widths[] = LOCAL_WIDTHS; /* of the kernels, then of what is stretched */

typedef struct {
    int32_t seen[LOCAL_KERNELS + 1];      /* inputs of each layer, at most its width */
    float inputs[LOCAL_INPUT_NUMBERS];    /* of each layer, oldest first */
    float next[LOCAL_HIDDEN];             /* a layer's output */
    float row[LOCAL_HIDDEN];
} local_state;

/* A normalised frame, kept within what training could have seen: 1000 deviations of the mean. */
static float local_normalised(float x, float mean, float scale) {
    if (scale != 0) {
        const double far = 1000.0 / (double)scale, reach = far < 0 ? -far : far;
        const double least = (double)mean - reach, most = (double)mean + reach;
        x = x < least ? (float)least : x > most ? (float)most : x;
    }
    return (x - mean) * scale;
}

/* One more frame of input; whether a frame of output came of it, in the last layer's inputs. */
static int local_layers(const conditioning *c, local_state *s, const float *frame) {
    const float *given = frame;
#if LOCAL_KERNELS
    const float *weights = c->local_kernels;
#else
    (void)c;
#endif
    float *inputs = s->inputs;
    for (int layer = 0;; layer++) {
        const int width = local_widths[layer], channels = layer ? LOCAL_HIDDEN : FRAME_CHANNELS;
        shift_rows(inputs, width, channels);
        memcpy(inputs + (width - 1) * channels, given, sizeof(float) * (size_t)channels);
        if (s->seen[layer] < width) s->seen[layer]++;
        if (s->seen[layer] < width) return 0;
        if (layer == LOCAL_KERNELS) return 1;
#if LOCAL_KERNELS
        const int terms = width * channels;
        set_product(s->next, inputs, weights, terms, LOCAL_HIDDEN);
        biased_relu(s->next, weights + (size_t)terms * LOCAL_HIDDEN, LOCAL_HIDDEN);
        weights += (size_t)(terms + 1) * LOCAL_HIDDEN;
        given = s->next;
        inputs += width * channels;
#endif
    }
}

/* Before the first frame all are the mean, which normalised is zero. */
static void local_begin(const conditioning *c, local_state *s) {
    memset(s, 0, sizeof *s);
    float silence[FRAME_CHANNELS] = {0};
    for (int i = 0; i < LOCAL_PAST; i++) local_layers(c, s, silence);
}

/* NULL: a frame of the largest number there is, as stretched.py marks what is beyond a clip. */
static int local_frame(const conditioning *c, local_state *s, const float *frame) {
    float given[FRAME_CHANNELS];
    for (int i = 0; i < FRAME_CHANNELS; i++)
        given[i] = local_normalised(frame ? frame[i] : 0x1.fffffep127f, c->local_mean[i],
                                    c->local_scale[i]);
    return local_layers(c, s, given);
}

/* Row r of LOCAL_ROWS of the newest frame of output. */
static void local_row(const conditioning *c, local_state *s, int r, float *row) {
    const float *y = s->inputs + LOCAL_INPUT_NUMBERS - LOCAL_TAPS * LOCAL_HIDDEN; /* oldest first */
#if LOCAL_UPSAMPLING == TRANSPOSED
    memset(s->row, 0, sizeof s->row);
    for (int tap = 0; tap < LOCAL_TAPS; tap++) /* the newest frame's is tap 0 */
        add_product(s->row, y + tap * LOCAL_HIDDEN,
                    c->local_upsampling[(LOCAL_TAPS - 1 - tap) * LOCAL_ROWS + r], LOCAL_HIDDEN,
                    LOCAL_HIDDEN);
    y = s->row;
#elif LOCAL_UPSAMPLING == LINEAR
    const float way = (float)((r + 0.5) / LOCAL_ROWS);
    for (int i = 0; i < LOCAL_HIDDEN; i++) s->row[i] = way * (y[LOCAL_HIDDEN + i] - y[i]) + y[i];
    y = s->row;
#else
    (void)r;
#endif
    set_product(row, y, c->local_weight[0], LOCAL_HIDDEN, BIAS_ROW);
}
#endif
