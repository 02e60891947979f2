/* wavenet.c as a program, for sanitizers and for emulated CPUs: every array is allocated to its
 * exact size, read from a file, and what comes out is written to another.
 *
 *     driver                        prints the tile width, and the bytes of model and state
 *     driver MODEL IN OUT           IN:  steps, bias_steps, has_bias (int32), 1/temperature (float),
 *                                        samples and lines of a state, bias, uniforms, samples
 *                                   OUT: logits of the samples; classes from the same state; state
 */
#include "wavenet.c"

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

int main(int count, char **words) {
    if (count == 1) {
        printf("%d %ld %ld\n", (int)wn_tile(), (long)wn_model_bytes(), (long)wn_state_bytes());
        return 0;
    }
    if (wn_prepare()) return 7;
    FILE *weights = fopen(words[1], "rb"), *in = fopen(words[2], "rb"), *out = fopen(words[3], "wb");
    if (!weights || !in || !out) return 2;
    model *m = take(weights, sizeof(model));
    state *s = take(0, sizeof(state));
    memset(s, 0, sizeof *s);
    int32_t *plan = take(in, 12);
    float *inverse = take(in, 4);
    const size_t steps = (size_t)plan[0], each = sizeof(float) * LAYERS * BATCH * GATE;
    const size_t heard_bytes = sizeof(int32_t) * INPUT_KERNEL * BATCH;
    const size_t line_bytes = sizeof(float) * LINE_ROWS * BATCH * RESIDUAL;
    const size_t logit_bytes = sizeof(float) * steps * BATCH * CLASSES;
    int32_t *heard = take(in, heard_bytes);
    float *lines = take(in, line_bytes);
    float *bias = plan[2] ? take(in, each * (size_t)plan[1]) : 0;
    float *uniforms = take(in, sizeof(float) * steps * BATCH);
    int32_t *samples = take(in, sizeof(int32_t) * steps * BATCH);
    float *logits = take(0, logit_bytes);
    int32_t *classes = take(0, sizeof(int32_t) * steps * BATCH);

    wn_restore(s, heard, lines);
    wn_score(m, s, plan[0], bias, plan[1], samples, logits);
    give(out, logits, logit_bytes);
    wn_restore(s, heard, lines);
    wn_generate(m, s, plan[0], bias, plan[1], uniforms, *inverse, classes);
    give(out, classes, sizeof(int32_t) * steps * BATCH);
    wn_snapshot(s, heard, lines);
    give(out, heard, heard_bytes);
    give(out, lines, line_bytes);

    void *memory[] = {m, s, plan, inverse, heard, lines, bias, uniforms, samples, logits, classes};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) free(memory[i]);
    fclose(weights), fclose(in);
    return fclose(out) ? 6 : 0;
}
