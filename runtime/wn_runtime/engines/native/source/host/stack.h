/* A context stack, conditioning/context_stack.py: a row is made of the history that ends a block
 * before it, a pooled frame at a time. */
#if STACK
static const int32_t stack_dilations[STACK_LAYERS] = STACK_DILATIONS;

#define STACK_MEMORY (STACK_BLOCK + STACK_FILTER - 1) /* samples before the next that are kept */

typedef struct {
    int32_t end; /* of `wave`: where the next sample goes */
    int32_t slot[STACK_LAYERS]; /* of each ring: the oldest, next to be overwritten */
    float wave[2 * STACK_MEMORY];
    float past[STACK_PAST_NUMBERS]; /* of each layer the newest (k-1)*d inputs, a ring */
    float filtered[STACK_CHANNELS], frame[STACK_CHANNELS], added[STACK_CHANNELS];
} stack_state;

static float stack_amplitude(const conditioning *c, sample x) {
#if CODES
    return c->stack_wave[x];
#else
    (void)c;
    return x;
#endif
}

/* Before the first block there is one of silence, before that nothing. */
static void stack_begin(const conditioning *c, stack_state *s) {
    memset(s, 0, sizeof *s);
    const float silence = stack_amplitude(c, SILENCE);
    for (int i = STACK_FILTER - 1; i < STACK_MEMORY; i++) s->wave[i] = silence;
    s->end = STACK_MEMORY;
}

static void stack_hears(const conditioning *c, stack_state *s, const sample *samples, int count) {
    for (int i = 0; i < count; i++) {
        if (s->end == 2 * STACK_MEMORY) {
            memcpy(s->wave, s->wave + STACK_MEMORY, sizeof s->wave / 2);
            s->end = STACK_MEMORY;
        }
        s->wave[s->end++] = stack_amplitude(c, samples[i]);
    }
}

/* `later`: how many samples after the next the row is for; less than STACK_BLOCK. */
static void stack_pooled(const conditioning *c, stack_state *s, int later) {
    const float *now = s->wave + s->end - STACK_BLOCK + later;
    memset(s->frame, 0, sizeof s->frame);
    for (int t = 0; t < STACK_POOL; t++, now++) {
        memset(s->filtered, 0, sizeof s->filtered);
        for (int tap = STACK_FILTER - 1; tap >= 0; tap--)
            add_product(s->filtered, now - tap, c->stack_filter[tap], 1, STACK_CHANNELS);
        biased_relu(s->filtered, c->stack_filter_bias, STACK_CHANNELS);
        for (int i = 0; i < STACK_CHANNELS; i++) s->frame[i] += s->filtered[i];
    }
    for (int i = 0; i < STACK_CHANNELS; i++) s->frame[i] /= STACK_POOL;
}

static void stack_row(const conditioning *c, stack_state *s, int later, float *row) {
    stack_pooled(c, s, later);
    float *past = s->past;
    for (int layer = 0; layer < STACK_LAYERS; layer++) {
        const int span = (STACK_KERNEL - 1) * stack_dilations[layer], slot = s->slot[layer];
        const float *weights = c->stack_layers[layer];
        set_product(s->added, s->frame, weights, STACK_CHANNELS, STACK_CHANNELS);
        for (int tap = 1; tap < STACK_KERNEL; tap++) {
            weights += STACK_CHANNELS * STACK_CHANNELS;
            const int at = slot - tap * stack_dilations[layer];
            add_product(s->added, past + (size_t)(at < 0 ? at + span : at) * STACK_CHANNELS, weights,
                        STACK_CHANNELS, STACK_CHANNELS);
        }
        biased_relu(s->added, weights + STACK_CHANNELS * STACK_CHANNELS, STACK_CHANNELS);
        memcpy(past + (size_t)slot * STACK_CHANNELS, s->frame, sizeof s->frame);
        for (int i = 0; i < STACK_CHANNELS; i++) s->frame[i] += s->added[i];
        s->slot[layer] = slot + 1 == span ? 0 : slot + 1;
        past += (size_t)span * STACK_CHANNELS;
    }
    set_product(row, s->frame, c->stack_weight[0], STACK_CHANNELS, BIAS_ROW);
}
#endif
