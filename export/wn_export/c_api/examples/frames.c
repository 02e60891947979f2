/* A model that takes frames (a vocoder, a voice), to a WAV file:
 *
 *     frames MODEL.wn OUT.wav FRAMES.npy SEED [speaker=theo] ...
 *
 * FRAMES.npy: float32, (frames, channels), as numpy.save writes it. */
#include "files.h"

/* The numbers of a .npy file of format 1; *count: how many. */
static const float *numbers(const char *path, size_t *count) {
    size_t bytes;
    const unsigned char *data = whole_file(path, &bytes);
    const size_t head = bytes < 10 ? 0 : 10u + data[8] + 256u * data[9];
    if (bytes < 10 || memcmp(data, "\x93NUMPY\1", 7) || head % 64 || head > bytes)
        fprintf(stderr, "error: %s is no array of numpy.save\n", path), exit(2);
    *count = (bytes - head) / sizeof(float);
    return (const float *)(const void *)(data + head);
}

int main(int count, char **given) {
    if (count < 5) return fputs("frames MODEL.wn OUT.wav FRAMES.npy SEED [NAME=VALUE]\n", stderr), 2;
    size_t bytes, all;
    const void *file = whole_file(given[1], &bytes);
    const wavestep_model *model;
    checked(wavestep_open(file, bytes, &model));
    const int32_t channels = wavestep_frame_channels(model), rate = wavestep_sample_rate(model);
    if (!channels)
        return fprintf(stderr, "error: %s takes no frames; see say.c\n", wavestep_name(model)), 2;
    const float *frames = numbers(given[3], &all);

    bytes = wavestep_voice_bytes(model, 0);
    wavestep_voice *voice = aligned(bytes);
    checked(wavestep_init(voice, bytes, model, 0));
    for (int i = 5; i < count; i++) choose(voice, model, given[i]);
    const uint64_t seed = strtoull(given[4], NULL, 10);
    checked(wavestep_begin(voice, seed, 0, wavestep_temperature(model)));

    FILE *wav = opened(given[2], "wb");
    uint32_t samples = 0;
    int32_t left = (int32_t)(all / (size_t)channels), finished = 0, made;
    write_wav_header(wav, (uint32_t)rate, 0);
    do { /* as many frames as there is room for, then what they are enough for */
        const int32_t taken = finished ? 0 : checked(wavestep_push(voice, frames, left));
        frames += (size_t)taken * (size_t)channels, left -= taken;
        if (!left && !finished) finished = 1, checked(wavestep_finish(voice));
        float audio[400];
        made = checked(wavestep_read(voice, audio, 400));
        write_samples(wav, audio, made);
        samples += (uint32_t)made;
    } while (made);
    write_wav_header(wav, (uint32_t)rate, samples);
    return fclose(wav) ? perror(given[2]), 2 : 0;
}
