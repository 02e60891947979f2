/* A voice: all that a stream is, in memory of the caller's, without a pointer into itself. */
struct wavestep_voice {
    _Alignas(WAVESTEP_ALIGNMENT) state engine;
    const wavestep_model *file;
    philox randomness;
    double memory; /* of the de-emphasis */
    float inverse_temperature;
    int32_t begun;
    uint32_t chosen[(COND_VALUES + 31) / 32 + 1];
    int32_t uniforms[CHUNK * UNIFORMS];
    sample samples[CHUNK];
    bias_state bias;
    float queue[]; /* [capacity][FRAME_CHANNELS] */
};

/* Frames that must be there before a block can be made, and those of the caller's wish. */
static uint64_t queue_capacity(int32_t frames) {
#if FRAME_CHANNELS
    return (uint64_t)frames + COND_BLOCK / FRAME_HOP + FRAME_LOOKAHEAD;
#else
    return (uint64_t)frames * 0;
#endif
}

/* A state that generates from silence on, as wn_restore of the initial arrays leaves it. */
static void silence_engine(state *s) {
    memset(s, 0, sizeof *s);
    for (int i = 0; i < INPUT_KERNEL; i++) s->window[i][0] = SILENCE;
    for (size_t i = 0; i < LINE_ROWS; i++)
        s->line_scales[i] = encode(s->lines + i * LINE_ROW, s->h, R);
}

size_t wavestep_voice_bytes(const wavestep_model *file, int32_t frames) {
    (void)file;
    if (frames < 0) return 0;
    const uint64_t queue = queue_capacity(frames) * FRAME_CHANNELS * sizeof(float);
    const uint64_t bytes = FILE_ALIGNED(sizeof(wavestep_voice) + queue);
    return bytes > SIZE_MAX / 2 || queue_capacity(frames) > INT32_MAX ? 0 : (size_t)bytes;
}

int32_t wavestep_init(wavestep_voice *voice, size_t bytes, const wavestep_model *file,
                      int32_t frames) {
    const size_t needed = wavestep_voice_bytes(file, frames);
    if (!needed) return WAVESTEP_BAD_ARGUMENT;
    if ((uintptr_t)voice % WAVESTEP_ALIGNMENT) return WAVESTEP_MISALIGNED;
    if (bytes < needed) return WAVESTEP_TOO_SMALL;
    voice->file = file;
    voice->begun = 0;
    memset(voice->chosen, 0, sizeof voice->chosen);
    voice->bias.capacity = (int32_t)queue_capacity(frames);
    return WAVESTEP_OK;
}

int32_t wavestep_choose(wavestep_voice *voice, int32_t condition, int32_t value) {
    if (!condition_exists(condition)) return WAVESTEP_NO_SUCH_CONDITION;
    const int32_t count = condition_values[condition];
    if (value < -1 || value >= count) return WAVESTEP_NO_SUCH_VALUE;
#if COND_VALUES
    const int32_t first = first_value(condition);
    for (int32_t i = 0; i < count && (value < 0 || !condition_tags[condition]); i++)
        choose_value(voice->chosen, first + i, 0);
    if (value >= 0) choose_value(voice->chosen, first + value, 1);
#else
    (void)voice;
#endif
    return WAVESTEP_OK;
}

/* 1/T as heads/head.py has it: 0 for temperature 0. */
static float inverse_of(double temperature) {
    const double steepest = 0x1p100;
    if (temperature == 0) return 0;
    if (temperature < 1 / steepest) temperature = 1 / steepest;
    return (float)(1 / (temperature < steepest ? temperature : steepest));
}

static void begin_bias(const wavestep_model *file, const uint32_t *chosen, bias_state *s) {
    s->position = s->rows_from = s->rows_to = s->frames = s->left = s->ended = 0;
    (void)file, (void)chosen;
#if LOCAL
    s->local_next = 0;
    local_begin(file_conditioning(file), &s->local);
#endif
#if STRETCH
    stretch_begin(&s->stretch);
#endif
#if STACK
    stack_begin(file_conditioning(file), &s->stack);
#endif
#if COND_VALUES
    for (int part = 0; part < PARTS; part++)
        if (part_kind[part] == KIND_GLOBAL)
            global_row(file_conditioning(file), chosen, part, s->current[part]);
#endif
#if PARTS && !HOLD
    sum_parts(s, s->rows[0]);
#endif
}

int32_t wavestep_begin(wavestep_voice *voice, uint64_t seed, uint32_t stream, double temperature) {
    if (!(temperature >= 0 && temperature < 0x1p1000)) return WAVESTEP_BAD_ARGUMENT;
    silence_engine(&voice->engine);
    voice->randomness = (philox){{seed, stream}, 0, {0}, 0};
    voice->memory = 0;
    voice->inverse_temperature = inverse_of(temperature);
    begin_bias(voice->file, voice->chosen, &voice->bias);
    voice->begun = 1;
    return WAVESTEP_OK;
}

int32_t wavestep_push(wavestep_voice *voice, const float *frames, int32_t count) {
#if FRAME_CHANNELS
    if (count < 0) return WAVESTEP_BAD_ARGUMENT;
    if (!voice->begun) return WAVESTEP_NOT_BEGUN;
    if (voice->bias.ended) return WAVESTEP_FINISHED;
    for (size_t i = 0; i < (size_t)count * FRAME_CHANNELS; i++)
        if (!(frames[i] > -1e38f && frames[i] < 1e38f)) return WAVESTEP_BAD_FRAMES;
    return push_frames(&voice->bias, voice->queue, frames, count);
#else
    (void)voice, (void)frames, (void)count;
    return WAVESTEP_NO_FRAMES;
#endif
}

int32_t wavestep_finish(wavestep_voice *voice) {
    if (!FRAME_CHANNELS) return WAVESTEP_NO_FRAMES;
    if (!voice->begun) return WAVESTEP_NOT_BEGUN;
    if (voice->bias.ended) return WAVESTEP_FINISHED;
    voice->bias.ended = 1;
    return WAVESTEP_OK;
}

static int32_t samples_there(const bias_state *s) {
    const int64_t there = conditioned(s) - s->position;
    return there > INT32_MAX ? INT32_MAX : (int32_t)there;
}

int32_t wavestep_available(const wavestep_voice *voice) {
    return voice->begun ? samples_there(&voice->bias) : WAVESTEP_NOT_BEGUN;
}

/* At most CHUNK samples into voice->samples, which rows there are for; how many. */
static int32_t generate_piece(wavestep_voice *voice, int32_t most) {
    make_rows(voice->file, &voice->bias, voice->queue);
    const bias_piece piece = next_bias(&voice->bias, most);
    for (int32_t i = 0; i < piece.steps * UNIFORMS; i++)
        voice->uniforms[i] = philox_next(&voice->randomness);
    wn_generate(file_weights(voice->file), &voice->engine, 0, piece.steps, piece.rows, piece.count, 0,
                1, voice->uniforms, &voice->inverse_temperature, voice->samples);
#if STACK
    stack_hears(file_conditioning(voice->file), &voice->bias.stack, voice->samples, piece.steps);
#endif
    voice->bias.position += piece.steps;
    return piece.steps;
}

int32_t wavestep_read(wavestep_voice *voice, float *audio, int32_t samples) {
    if (samples < 0) return WAVESTEP_BAD_ARGUMENT;
    if (!voice->begun) return WAVESTEP_NOT_BEGUN;
    const int32_t there = samples_there(&voice->bias), most = samples < there ? samples : there;
    for (int32_t made = 0; made < most;) {
        const int32_t count = generate_piece(voice, most - made);
        for (int32_t i = 0; i < count; i++)
            audio[made++] = heard(voice->file, decoded(voice->file, voice->samples[i]),
                                  &voice->memory);
    }
    return most;
}
