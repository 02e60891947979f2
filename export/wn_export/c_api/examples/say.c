/* A model that takes no frames, to a WAV file:
 *
 *     say MODEL.wn OUT.wav SECONDS SEED [speaker=theo] [mood=calm] ...
 */
#include "files.h"

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
    const uint64_t seed = strtoull(given[4], NULL, 10);
    checked(wavestep_begin(voice, seed, 0, wavestep_temperature(model)));

    FILE *wav = opened(given[2], "wb");
    const int32_t rate = wavestep_sample_rate(model);
    int32_t left = (int32_t)(atof(given[3]) * rate);
    write_wav_header(wav, (uint32_t)rate, (uint32_t)left);
    for (float audio[400]; left > 0;) {
        const int32_t made = checked(wavestep_read(voice, audio, left < 400 ? left : 400));
        write_samples(wav, audio, made);
        left -= made;
    }
    return fclose(wav) ? perror(given[2]), 2 : 0;
}
