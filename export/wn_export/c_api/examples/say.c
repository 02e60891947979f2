/* A model that takes no frames, to a WAV file:
 *
 *     say MODEL.wn OUT.wav SECONDS SEED [speaker=theo] [mood=calm] ...
 */
#include "files.h"

/* Samples of so many seconds: as many as a WAV file can have at most. */
static int32_t samples_of(const char *given, int32_t rate) {
    const double least = 1.0 / rate, most = (INT32_MAX - 32.0) / rate;
    char *end;
    const double seconds = strtod(given, &end);
    if (end == given || *end || !(seconds >= least && seconds <= most)) {
        fprintf(stderr, "error: SECONDS is '%s'; it must be ", given);
        fprintf(stderr, "%g to %.0f\n", least, most - 0.5);
        exit(2);
    }
    return (int32_t)(seconds * rate);
}

int main(int count, char **given) {
    if (count < 5) return fputs("say MODEL.wn OUT.wav SECONDS SEED [NAME=VALUE ...]\n", stderr), 2;
    size_t bytes;
    const void *file = whole_file(given[1], &bytes);
    const wavestep_model *model;
    checked(wavestep_open(file, bytes, &model));
    if (wavestep_frame_channels(model))
        return fprintf(stderr, "error: %s takes frames; see frames.c\n", wavestep_name(model)), 2;

    bytes = wavestep_voice_bytes(model, 0);
    wavestep_voice *voice = aligned(bytes);
    checked(wavestep_init(voice, bytes, model, 0));
    for (int i = 5; i < count; i++) choose(voice, model, given[i]);
    checked(wavestep_begin(voice, seed_of(given[4]), 0, wavestep_temperature(model)));
    const int32_t rate = wavestep_sample_rate(model);
    int32_t left = samples_of(given[3], rate);

    FILE *wav = opened(given[2], "wb"); /* last: a mistake costs no file that is there */
    write_wav_header(wav, (uint32_t)rate, (uint32_t)left);
    for (float audio[400]; left > 0;) {
        const int32_t made = checked(wavestep_read(voice, audio, left < 400 ? left : 400));
        write_samples(wav, audio, made);
        left -= made;
    }
    return fclose(wav) ? perror(given[2]), 2 : 0;
}
