/* A model that takes frames (a vocoder, a voice), to a WAV file:
 *
 *     frames MODEL.wn OUT.wav FRAMES.npy SEED [speaker=theo] ...
 *
 * FRAMES.npy: float32, (frames, channels), as numpy.save writes it. */
#include <math.h>

#include "files.h"

/* The frames of a .npy file of format 1; *count: how many. */
static const float *frames_of(const char *path, size_t channels, int32_t *count) {
    size_t bytes, rows = 0, width = 0;
    const unsigned char *data = whole_file(path, &bytes);
    const size_t head = bytes < 10 ? 0 : 10u + data[8] + 256u * data[9];
    if (bytes < 10 || memcmp(data, "\x93NUMPY\1", 7) || head % 64 || head > bytes)
        fprintf(stderr, "error: %s is no array of numpy.save\n", path), exit(2);
    char text[128] = "";
    memcpy(text, data + 10, head - 10 < sizeof text ? head - 10 : sizeof text - 1);
    text[strcspn(text, "}\n")] = 0;
    const char *form = "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), ";
    if (sscanf(text, form, &rows, &width) != 2 || width != channels) {
        fprintf(stderr, "error: %s has %s}; save ", path, text);
        fprintf(stderr, "numpy.ascontiguousarray(frames, '<f4'), (frames, %zu)\n", channels);
        exit(2);
    }
    const size_t found = (bytes - head) / sizeof(float);
    /* Divided, as a product of what a file says may be more than a size_t of 32 bits holds. */
    const int whole = found / width == rows && !(found % width) && !((bytes - head) % sizeof(float));
    if (!rows || rows > INT32_MAX || !whole) {
        fprintf(stderr, "error: %s has %zu numbers for %zu frames; ", path, found, rows);
        fprintf(stderr, "it is empty, cut short or damaged\n");
        exit(2);
    }
    const float *frames = (const float *)(const void *)(data + head);
    for (size_t i = 0; i < found; i++)
        if (!isfinite(frames[i]))
            fprintf(stderr, "error: frame %zu of %s is not finite\n", i / width, path), exit(2);
    *count = (int32_t)rows;
    return frames;
}

int main(int count, char **given) {
    if (count < 5) return fputs("frames MODEL.wn OUT.wav FRAMES.npy SEED [NAME=VALUE]\n", stderr), 2;
    size_t bytes;
    int32_t left;
    const void *file = whole_file(given[1], &bytes);
    const wavestep_model *model;
    checked(wavestep_open(file, bytes, &model));
    const int32_t channels = wavestep_frame_channels(model), rate = wavestep_sample_rate(model);
    if (!channels)
        return fprintf(stderr, "error: %s takes no frames; see say.c\n", wavestep_name(model)), 2;
    const float *frames = frames_of(given[3], (size_t)channels, &left);

    bytes = wavestep_voice_bytes(model, 0);
    wavestep_voice *voice = aligned(bytes);
    checked(wavestep_init(voice, bytes, model, 0));
    for (int i = 5; i < count; i++) choose(voice, model, given[i]);
    checked(wavestep_begin(voice, seed_of(given[4]), 0, wavestep_temperature(model)));

    FILE *wav = opened(given[2], "wb"); /* last: a mistake costs no file that is there */
    uint32_t samples = 0;
    int32_t finished = 0, made;
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
