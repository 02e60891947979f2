/* The gates' bias of a voice's next samples: what its parts say, added up in the spec's order, as
 * conditioning/conditioner.py does; a row when it is needed.
 *
 * Frames wait in a queue, as they came. Each part takes them from it when it makes the rows of a frame,
 * and keeps of them what it needs. */
#define KIND_GLOBAL 1
#define KIND_LOCAL 2
#define KIND_STRETCH 3
#define KIND_STACK 4

#if PARTS
static const unsigned char part_kind[PARTS] = COND_PART_KINDS;
static const int32_t part_hold[PARTS] = COND_PART_HOLDS; /* samples that a row is for; 0: all */
#endif

#define CHUNK 256 /* samples made at once, at most */
/* Rows made at once: of 64 samples, or of one row, so that the engine has some samples to work on. */
#if HOLD == 0
#define ROWS 1
#else
#define ROWS ((HOLD < 64 ? 64 + HOLD - 1 : HOLD) / HOLD)
#endif

typedef struct {
    int64_t position;           /* samples made */
    int64_t rows_from, rows_to; /* what `rows` are for */
    int64_t frames;             /* pushed */
    int64_t left;               /* the first frame that is still in the queue */
    int32_t capacity, ended;    /* frames that the queue holds; whether the last has been pushed */
#if LOCAL
    int64_t local_next; /* the next frame that it takes */
    local_state local;
#endif
#if STRETCH
    stretch_state stretch;
#endif
#if STACK
    stack_state stack;
#endif
#if PARTS
    float current[PARTS][BIAS_ROW]; /* each part's newest row */
    float rows[ROWS][BIAS_ROW];
#endif
} bias_state;

/* Samples that the frames pushed so far suffice for, from the first on: whole blocks. */
static int64_t conditioned(const bias_state *s) {
#if FRAME_CHANNELS
    const int64_t frames = s->frames - FRAME_LOOKAHEAD;
    if (s->ended) return (s->frames * FRAME_HOP + COND_BLOCK - 1) / COND_BLOCK * COND_BLOCK;
    return frames <= 0 ? 0 : frames * FRAME_HOP / COND_BLOCK * COND_BLOCK;
#else
    (void)s;
    return INT64_MAX;
#endif
}

#if FRAME_CHANNELS
static float *queue_place(const bias_state *s, float *queue, int64_t frame) {
    return queue + (size_t)(frame % s->capacity) * FRAME_CHANNELS;
}

/* Frames that none of the parts will take again are left behind. */
static void leave_frames(bias_state *s) {
    int64_t next = INT64_MAX;
#if LOCAL
    if (s->local_next < next) next = s->local_next;
#endif
#if STRETCH
    if (s->stretch.fed < next) next = s->stretch.fed;
#endif
    s->left = next < 0 ? 0 : next < s->frames ? next : s->frames;
}

static int32_t push_frames(bias_state *s, float *queue, const float *frames, int32_t count) {
    const int64_t room = s->capacity - (s->frames - s->left);
    const int32_t taken = count < room ? count : (int32_t)room;
    for (int32_t i = 0; i < taken; i++, s->frames++)
        memcpy(queue_place(s, queue, s->frames), frames + (size_t)i * FRAME_CHANNELS,
               sizeof(float) * FRAME_CHANNELS);
    return taken;
}
#endif

#if FRAME_CHANNELS
/* A frame; beyond the last the padding, that of the first part that takes frames: the mean, or NULL
 * for what says that the clip is over. */
static const float *frame_at(const conditioning *c, const bias_state *s, float *queue, int64_t i) {
    (void)c;
    if (i < s->frames) return queue_place(s, queue, i);
#if PADDED_WITH_MEAN
    return c->local_mean;
#else
    return 0;
#endif
}
#endif

#if LOCAL
/* Takes frames until the rows of the next frame can be made. */
static void local_advance(const conditioning *c, bias_state *s, float *queue) {
    for (int made = 0; !made; s->local_next++)
        made = local_frame(c, &s->local, frame_at(c, s, queue, s->local_next));
}
#endif

#if STRETCH
static void stretch_advance(const conditioning *c, bias_state *s, float *queue) {
    const int64_t end = s->ended && !PADDED_WITH_MEAN ? s->frames : INT64_MAX / 2;
    for (int made = 0; !made;) {
        const int64_t next = s->stretch.fed < 0 ? 0 : s->stretch.fed;
        made = stretch_frame(c, &s->stretch, frame_at(c, s, queue, next), end);
    }
}
#endif

#if PARTS
/* Part `part`'s row of the samples from t on, in its place. */
static void part_row(const conditioning *c, bias_state *s, float *queue, int part, int64_t t) {
    const int32_t hold = part_hold[part];
    float *row = s->current[part];
    if (!hold || t % hold) return; /* it still holds */
    switch (part_kind[part]) {
#if LOCAL
    case KIND_LOCAL:
        if (t % FRAME_HOP == 0) local_advance(c, s, queue);
        local_row(c, &s->local, (int)(t % FRAME_HOP / hold), row);
        break;
#endif
#if STRETCH
    case KIND_STRETCH:
        if (t % FRAME_HOP == 0) stretch_advance(c, s, queue);
        stretch_row(c, &s->stretch, (int)(t % FRAME_HOP), row);
        break;
#endif
#if STACK
    case KIND_STACK: stack_row(c, &s->stack, (int)(t - s->position), row); break;
#endif
    default: break;
    }
    (void)c, (void)queue, (void)row;
}

static void sum_parts(const bias_state *s, float *row) {
    memcpy(row, s->current[0], sizeof s->current[0]);
    for (int part = 1; part < PARTS; part++)
        for (int i = 0; i < BIAS_ROW; i++) row[i] += s->current[part][i];
}
#endif

/* Makes the rows of the next samples, where there are none; they are within one block. */
static void make_rows(const wavestep_model *file, bias_state *s, float *queue) {
#if HOLD
    if (s->position < s->rows_to) return;
    const int64_t left = COND_BLOCK - s->position % COND_BLOCK;
    s->rows_from = s->position;
    for (int i = 0; i < ROWS && (int64_t)i * HOLD < left; i++) {
        for (int part = 0; part < PARTS; part++)
            part_row(file_conditioning(file), s, queue, part, s->rows_to);
        sum_parts(s, s->rows[i]);
        s->rows_to += HOLD;
    }
#if FRAME_CHANNELS
    leave_frames(s);
#endif
#endif
    (void)file, (void)s, (void)queue;
}

/* The bias of the next samples as wn_generate takes it: how many of `most`, and the rows they have. */
typedef struct {
    const float *rows;
    int32_t count, steps;
} bias_piece;

static bias_piece next_bias(const bias_state *s, int32_t most) {
    if (most > CHUNK) most = CHUNK;
#if !PARTS
    (void)s;
    return (bias_piece){0, 1, most};
#elif !HOLD
    return (bias_piece){s->rows[0], 1, most};
#else
    const int64_t inside = s->position - s->rows_from, there = s->rows_to - s->position;
    const int32_t within = (int32_t)(inside % HOLD), left = HOLD - within;
    const float *rows = s->rows[inside / HOLD];
    if (most > there) most = (int32_t)there;
    if (within || most < HOLD) return (bias_piece){rows, 1, most < left ? most : left};
    return (bias_piece){rows, most / HOLD, most / HOLD * HOLD};
#endif
}
