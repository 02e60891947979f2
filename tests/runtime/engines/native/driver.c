/* wavenet.c as a program, for sanitizers and for emulated CPUs: every array is allocated to its
 * exact size, read from a file, and what comes out is written to another.
 *
 *     driver                        prints how weights lie, and the bytes of model and state
 *     driver MODEL IN OUT           IN:  steps, bias_rows, has_bias, parts (0: no mix), helpers
 *                                        (int32), 1/temperature of each stream (float), samples
 *                                        and delay lines of a state, bias, mix, uniforms (int32),
 *                                        samples
 *                                   OUT: params of the samples; samples drawn from the same state;
 *                                        the state after those
 */
#include "wavenet.c"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *take(FILE *file, size_t bytes) {
    void *memory = 0;
    if (posix_memalign(&memory, 64, bytes ? bytes : 64)) exit(3);
    if (file && fread(memory, 1, bytes, file) != bytes) exit(4);
    return memory;
}

static void give(FILE *file, const void *memory, size_t bytes) {
    if (fwrite(memory, 1, bytes, file) != bytes) exit(5);
}

typedef struct {
    const model *m;
    state *s;
    int32_t number;
} helper;

static void *be_helper(void *given) {
    const helper *h = given;
    wn_help(h->m, h->s, h->number);
    return 0;
}

int main(int count, char **words) {
    if (count == 1) {
        printf("%d %d %d %ld %ld\n", (int)wn_tile(), (int)wn_group(), (int)wn_apart(),
               (long)wn_model_bytes(), (long)wn_state_bytes());
        return 0;
    }
    if (wn_prepare()) return 7;
    FILE *weights = fopen(words[1], "rb"), *in = fopen(words[2], "rb"), *out = fopen(words[3], "wb");
    if (!weights || !in || !out) return 2;
    model *m = take(weights, sizeof(model));
    state *s = take(0, sizeof(state));
    memset(s, 0, sizeof *s);
    int32_t *plan = take(in, 20);
    float *inverse = take(in, sizeof(float) * BATCH);
    const size_t steps = (size_t)plan[0], each = sizeof(float) * LAYERS * BATCH * GATE;
    const size_t window_bytes = sizeof(sample) * INPUT_KERNEL * BATCH;
    const size_t line_bytes = sizeof(float) * LINE_ROWS * BATCH * RESIDUAL;
    const size_t sample_bytes = sizeof(sample) * steps * BATCH;
    const size_t param_bytes = sizeof(float) * steps * BATCH * PARAMS;
    sample *window = take(in, window_bytes);
    float *lines = take(in, line_bytes);
    const int32_t rows = plan[1], parts = plan[3];
    float *bias = plan[2] ? take(in, each * (size_t)(rows * (parts ? parts : 1))) : 0;
    float *mix = parts ? take(in, sizeof(float) * steps * BATCH * (size_t)parts) : 0;
    int32_t *uniforms = take(in, sizeof(int32_t) * steps * BATCH * UNIFORMS);
    sample *samples = take(in, sample_bytes);
    float *params = take(0, param_bytes);
    sample *drawn = take(0, sample_bytes);

    helper each_helper[MOST_HELPERS];
    pthread_t threads[MOST_HELPERS];
    const int helpers = plan[4] < wn_most_helpers() ? plan[4] : wn_most_helpers();
    for (int i = 0; i < helpers; i++) {
        each_helper[i] = (helper){m, s, i + 1};
        if (pthread_create(threads + i, 0, be_helper, each_helper + i)) exit(8);
    }
    while (atomic_load(&s->team.asleep) < (uint32_t)helpers) nap(NAP_NS);
    wn_restore(s, window, lines);
    wn_score(m, s, helpers, plan[0], bias, rows, mix, parts, samples, params);
    give(out, params, param_bytes);
    wn_restore(s, window, lines);
    wn_generate(m, s, helpers, plan[0], bias, rows, mix, parts, uniforms, inverse, drawn);
    give(out, drawn, sample_bytes);
    wn_snapshot(s, window, lines);
    wn_dismiss(s);
    for (int i = 0; i < helpers; i++) pthread_join(threads[i], 0);
    printf("%ld\n", (long)wn_missed(s));
    give(out, window, window_bytes);
    give(out, lines, line_bytes);

    void *memory[] = {m,    s,   plan,     inverse, window, lines,
                      bias, mix, uniforms, samples, params, drawn};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) free(memory[i]);
    fclose(weights), fclose(in);
    return fclose(out) ? 6 : 0;
}
