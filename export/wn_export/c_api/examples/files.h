/* What the examples need of files: a file in aligned memory, and a WAV file of 16 bits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wavestep.h"

#ifdef _WIN32 /* whose C library has none */
#include <malloc.h>
#define aligned_alloc(alignment, bytes) _aligned_malloc(bytes, alignment)
#endif

/* The status, unless it is an error: that is said, and the program ends. */
static int32_t checked(int32_t status) {
    if (status >= 0) return status;
    fprintf(stderr, "error: %s\n", wavestep_text(status));
    exit(2);
}

static void *aligned(size_t bytes) {
    const size_t rounded = (bytes / WAVESTEP_ALIGNMENT + 1) * WAVESTEP_ALIGNMENT;
    void *memory = aligned_alloc(WAVESTEP_ALIGNMENT, rounded);
    if (!memory) fprintf(stderr, "error: %zu bytes are not to be had\n", bytes), exit(2);
    return memory;
}

static FILE *opened(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (!file) perror(path), exit(2);
    return file;
}

static void *whole_file(const char *path, size_t *bytes) {
    FILE *file = opened(path, "rb");
    const long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    rewind(file);
    *bytes = size < 0 ? 0 : (size_t)size;
    void *data = aligned(*bytes);
    if (size < 0 || fread(data, 1, *bytes, file) != *bytes) perror(path), exit(2);
    fclose(file);
    return data;
}

static uint64_t seed_of(const char *given) {
    char *end;
    errno = 0;
    const unsigned long long seed = strtoull(given, &end, 10);
    if (*given < '0' || *given > '9' || *end || errno)
        fprintf(stderr, "error: SEED is '%s'; it must be 0 to 2^64 - 1\n", given), exit(2);
    return seed;
}

static void write_wav_header(FILE *wav, uint32_t rate, uint32_t samples) {
    const uint32_t bytes = 2 * samples, size = 36 + bytes;
    const uint32_t format[] = {16, 1 << 16 | 1, rate, 2 * rate, 16 << 16 | 2};
    rewind(wav);
    fwrite("RIFF", 4, 1, wav), fwrite(&size, 4, 1, wav), fwrite("WAVEfmt ", 8, 1, wav);
    fwrite(format, sizeof format, 1, wav), fwrite("data", 4, 1, wav), fwrite(&bytes, 4, 1, wav);
}

static void write_samples(FILE *wav, const float *audio, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        const float even = 12582912; /* 1.5 * 2^23: rounds to an integer, ties to even */
        const int16_t sample = (int16_t)(audio[i] * 32767 + even - even);
        fwrite(&sample, sizeof sample, 1, wav);
    }
}

/* NAME=VALUE for the next begin; of a condition of tags, one tag more. */
static void choose(wavestep_voice *voice, const wavestep_model *model, char *name) {
    char *value = strchr(name, '=');
    if (!value) fprintf(stderr, "error: %s is no NAME=VALUE\n", name), exit(2);
    *value++ = 0;
    const int32_t condition = checked(wavestep_condition(model, name));
    checked(wavestep_choose(voice, condition, checked(wavestep_value(model, condition, value))));
}
