/* Frames stretched in stages that see their neighbours: conditioning/stretched.py, a frame at a time.
 *
 *     y     the clip's frames, normalised; before it its first, after it its last
 *     c[g]  the convolution around frame g, zero beyond the clip and its margin
 *     rows  of frame i: the stages on c[i-before .. i+after]
 *
 * Where the stages do nothing but stretch (STRETCH_LINEAR), V goes before them, and what they make of
 * the c is a matrix, the same for every frame that lies alike to the clip's ends. */
#if STRETCH
typedef struct {
    int32_t scale, back, ahead, rows, before, after, skip, drop, taps;
} stretch_level;

static const stretch_level stretch_levels[STRETCH_STAGES] = STRETCH_LEVELS;

#if STRETCH_LINEAR
#define STRETCH_C BIAS_ROW        /* numbers of a c */
#define STRETCH_K STRETCH_CS      /* channels that the stages work on: a unit for each c */
#else
#define STRETCH_C FRAME_CHANNELS
#define STRETCH_K FRAME_CHANNELS
#endif

typedef struct {
    int64_t fed;         /* the next frame to go into y; the first are before the clip */
    int32_t first, last; /* of the newest STRETCH_CS c, those within the clip */
    int32_t made_first, made_last; /* what `stretched` was made for */
    float y[STRETCH_WIDTH * FRAME_CHANNELS];
    float c[STRETCH_CS * STRETCH_C];
    float convolved[FRAME_CHANNELS];
    float stretched[FRAME_HOP * STRETCH_K];
    float room[2][STRETCH_ROOM];
} stretch_state;

static void stretch_begin(stretch_state *s) {
    memset(s, 0, sizeof *s);
    s->fed = STRETCH_START;
    s->made_first = -1;
}

/* Row r of a level's input, counted from the first that there is: the c that it comes from. */
static int stretch_origin(const stretch_level *level, int r) {
    const stretch_level *first = stretch_levels;
    return (first->before * level->rows - level->before + r) / level->rows;
}

/* One stage: rows of STRETCH_K numbers -> `count` times `scale` rows. */
static void stretch_stage(const stretch_level *level, const float *weights, const float *in,
                          float *out, int count) {
    const float bias = weights[level->taps * level->scale * STRETCH_FREQUENCY];
    for (int r = 0; r < count * level->scale; r++, out += STRETCH_K) {
        const float *near = in + (size_t)(r / level->scale) * STRETCH_K;
        const float *kernel = weights + r % level->scale * STRETCH_FREQUENCY;
        for (int channel = 0; channel < STRETCH_K; channel++) out[channel] = 0;
        for (int tap = 0; tap < level->taps; tap++, near += STRETCH_K) {
            const float *each = kernel + (size_t)tap * (size_t)level->scale * STRETCH_FREQUENCY;
            for (int q = 0; q < STRETCH_FREQUENCY; q++) {
                const int shift = q - STRETCH_FREQUENCY / 2;
                const int begin_at = shift < 0 ? -shift : 0;
                const int end_at = shift > 0 ? STRETCH_K - shift : STRETCH_K;
                for (int channel = begin_at; channel < end_at; channel++)
                    out[channel] += near[channel + shift] * each[q];
            }
        }
        for (int channel = 0; channel < STRETCH_K; channel++) {
            const float sum = out[channel] + bias, leaked = sum * STRETCH_SLOPE;
            out[channel] = STRETCH_UNLEAKED || sum > leaked ? sum : leaked;
        }
    }
}

/* All stages on STRETCH_CS rows in room[0], into `stretched`. */
static void stretch_stages(const conditioning *w, stretch_state *s) {
    float *in = s->room[0], *out = s->room[1];
    const float *weights = w->stretch_stages;
    for (int i = 0; i < STRETCH_STAGES; i++) {
        const stretch_level *level = &stretch_levels[i];
        const int rows = level->before + level->rows + level->after;
        for (int r = 0; i && r < rows; r++) { /* a stage sees nothing beyond the clip */
            const int from = stretch_origin(level, r);
            if (from < s->first || from > s->last)
                memset(in + (size_t)r * STRETCH_K, 0, sizeof(float) * STRETCH_K);
        }
        const int count = rows - level->back - level->ahead;
        stretch_stage(level, weights, in, out, count);
        weights += level->taps * level->scale * STRETCH_FREQUENCY + 1;
        const int kept = count * level->scale - level->skip - level->drop;
        memcpy(i + 1 < STRETCH_STAGES ? in : s->stretched, out + (size_t)level->skip * STRETCH_K,
               sizeof(float) * (size_t)kept * STRETCH_K);
    }
}

/* One more c, of frame g; end: frames of the clip, as far as is known. */
static void stretch_convolve(const conditioning *w, stretch_state *s, int64_t g, int64_t end) {
    const int64_t oldest = g - STRETCH_CS + 1, after = end + STRETCH_MARGIN;
    s->first = oldest < -STRETCH_MARGIN ? (int32_t)(-STRETCH_MARGIN - oldest) : 0;
    s->last = after - oldest < STRETCH_CS ? (int32_t)(after - oldest) - 1 : STRETCH_CS - 1;
    if (STRETCH_CS > 1) shift_rows(s->c, STRETCH_CS, STRETCH_C);
    float *c = s->c + (size_t)(STRETCH_CS - 1) * STRETCH_C;
    if (g < -STRETCH_MARGIN || g >= after) {
        memset(c, 0, sizeof(float) * STRETCH_C);
        return;
    }
#if STRETCH_LINEAR
    set_product(s->convolved, s->y, w->stretch_conv[0], STRETCH_WIDTH * FRAME_CHANNELS,
                FRAME_CHANNELS);
    set_product(c, s->convolved, w->stretch_weight[0], FRAME_CHANNELS, BIAS_ROW);
#else
    set_product(c, s->y, w->stretch_conv[0], STRETCH_WIDTH * FRAME_CHANNELS, FRAME_CHANNELS);
#endif
}

/* One more frame, NULL: the clip is over, of `end` frames. Whether the rows of a frame came of it. */
static int stretch_frame(const conditioning *w, stretch_state *s, const float *frame, int64_t end) {
    float *y = s->y + (STRETCH_WIDTH - 1) * FRAME_CHANNELS;
    if (STRETCH_WIDTH > 1) shift_rows(s->y, STRETCH_WIDTH, FRAME_CHANNELS);
    if (frame) {
        for (int i = 0; i < FRAME_CHANNELS; i++) {
            const float x = (frame[i] - w->stretch_mean[i]) * w->stretch_scale[i];
            y[i] = x < -1000 ? -1000 : x > 1000 ? 1000 : x;
        }
    } else if (STRETCH_WIDTH > 1) {
        memcpy(y, y - FRAME_CHANNELS, sizeof(float) * FRAME_CHANNELS);
    }
    const int64_t fed = ++s->fed - STRETCH_START;
    if (fed < STRETCH_WIDTH) return 0;
    stretch_convolve(w, s, s->fed - 1 - STRETCH_CONTEXT, end);
    if (fed < STRETCH_WIDTH - 1 + STRETCH_CS) return 0;
#if STRETCH_LINEAR
    if (s->first == s->made_first && s->last == s->made_last) return 1;
    s->made_first = s->first, s->made_last = s->last;
    memset(s->room[0], 0, sizeof(float) * STRETCH_CS * STRETCH_CS);
    for (int i = 0; i < STRETCH_CS; i++) s->room[0][i * STRETCH_CS + i] = 1;
#else
    memcpy(s->room[0], s->c, sizeof s->c);
#endif
    stretch_stages(w, s);
    return 1;
}

/* Row r of FRAME_HOP of the newest frame of output. */
static void stretch_row(const conditioning *w, stretch_state *s, int r, float *row) {
    const float *of = s->stretched + (size_t)r * STRETCH_K;
#if STRETCH_LINEAR
    (void)w;
    set_product(row, of, s->c, STRETCH_CS, BIAS_ROW);
#else
    set_product(row, of, w->stretch_weight[0], FRAME_CHANNELS, BIAS_ROW);
#endif
}
#endif
