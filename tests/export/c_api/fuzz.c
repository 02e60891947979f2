/* A packed model, hurt in every way and used all the same: compiled with sanitizers, it must end well.
 *
 *     fuzz MODEL.wn SEED
 *
 * Prints how many files were opened and how many refused. Each file is in memory of its own size, so
 * that a byte read beyond it is found. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wavestep.h"

enum { HEADER = 192, CHECKED_FROM = 16, SAMPLES = 60 };

static uint64_t seed;
static uint32_t pick(uint32_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static void sign(unsigned char *file, size_t bytes) { /* bit by bit: not the library's own code */
    uint32_t crc = 0xffffffff;
    for (size_t i = CHECKED_FROM; i < bytes; i++) {
        crc ^= file[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    crc = ~crc;
    memcpy(file + 12, &crc, 4);
}

static void *memory(size_t bytes) {
    void *found = NULL;
    if (posix_memalign(&found, WAVESTEP_ALIGNMENT, bytes ? bytes : 1)) abort();
    memset(found, 0xa5, bytes);
    return found;
}

static void name_all(const wavestep_model *model) {
    size_t letters = strlen(wavestep_name(model));
    for (int32_t i = -1; i <= wavestep_conditions(model); i++) {
        const char *name = wavestep_condition_name(model, i);
        if (name) letters += strlen(name), wavestep_condition(model, name);
        for (int32_t j = -1; j <= wavestep_values(model, i); j++) {
            const char *value = wavestep_value_name(model, i, j);
            if (value) letters += strlen(value), wavestep_value(model, i, value);
        }
    }
    if (letters == (size_t)-1) abort();
}

/* Any calls in any order; the values are in and out of range. */
static void use(const wavestep_model *model) {
    static const double temperatures[] = {1, 0, 0.5, -1, 1e300, 1e-300, NAN, INFINITY};
    const int32_t capacity = (int32_t)pick(4), channels = wavestep_frame_channels(model);
    const size_t bytes = wavestep_voice_bytes(model, capacity);
    wavestep_voice *voice = memory(bytes);
    if (wavestep_init(voice, bytes - 1, model, capacity) != WAVESTEP_TOO_SMALL) abort();
    if (wavestep_init(voice, bytes, model, -1) != WAVESTEP_BAD_ARGUMENT) abort();
    if (wavestep_init(voice, bytes, model, capacity)) abort();
    float audio[SAMPLES], *frames = memory(sizeof(float) * 8 * (size_t)(channels + 1));
    if (wavestep_read(voice, audio, 1) != WAVESTEP_NOT_BEGUN) abort();
    name_all(model);
    for (int call = 0; call < 24; call++) {
        switch (call ? pick(6) : 0) {
        case 0: wavestep_begin(voice, seed, pick(3), temperatures[call ? pick(8) : 0]); break;
        case 1: wavestep_choose(voice, (int32_t)pick(6) - 2, (int32_t)pick(6) - 2); break;
        case 2: wavestep_finish(voice); break;
        case 3:
            for (int i = 0; i < 8 * channels; i++) frames[i] = (float)pick(2001) / 500 - 2;
            if (channels && !pick(8)) frames[pick(8)] = pick(2) ? NAN : 3e38f;
            wavestep_push(voice, frames, (int32_t)pick(10) - 1);
            break;
        default: {
            const int32_t asked = (int32_t)pick(SAMPLES + 2) - 1;
            const int32_t there = wavestep_available(voice);
            const int32_t made = wavestep_read(voice, audio, asked);
            if (made != (asked < 0 ? WAVESTEP_BAD_ARGUMENT : asked < there ? asked : there)) abort();
        }
        }
    }
    free(frames);
    free(voice);
}

static int opened, refused;
static void try_file(const unsigned char *bytes, size_t count) {
    unsigned char *file = memory(count);
    memcpy(file, bytes, count);
    const wavestep_model *model = (const wavestep_model *)file;
    const int32_t status = wavestep_open(file, count, &model);
    if (status ? model != NULL : model != (void *)file) abort();
    if (!*wavestep_text(status)) abort();
    if (status) refused++;
    else opened++, use(model);
    free(file);
}

int main(int arguments, char **given) {
    FILE *source = arguments == 3 ? fopen(given[1], "rb") : NULL;
    if (!source || fseek(source, 0, SEEK_END)) return 2;
    const size_t count = (size_t)ftell(source);
    unsigned char *whole = malloc(count), *hurt = malloc(count + 64);
    rewind(source);
    if (fread(whole, 1, count, source) != count) return 2;
    fclose(source);
    seed = strtoull(given[2], NULL, 10);

    for (int i = 0; i < 40; i++) try_file(whole, count);
    if (opened != 40) abort();
    for (size_t cut = 0; cut < count; cut += cut < 300 ? 1 : 1 + count / 97) {
        memcpy(hurt, whole, count); /* and one that says that it is so short */
        try_file(hurt, cut);
        if (cut < 24) continue;
        const uint64_t says = cut;
        memcpy(hurt + 16, &says, 8);
        sign(hurt, cut);
        try_file(hurt, cut);
    }
    if (opened != 40) abort();
    for (size_t at = 0; at < HEADER; at++)
        for (int change = 0; change < 2; change++) {
            static const unsigned char changes[] = {0x01, 0xf0};
            memcpy(hurt, whole, count);
            hurt[at] ^= changes[change];
            try_file(hurt, count); /* damage */
            sign(hurt, count);
            try_file(hurt, count); /* malice */
        }
    for (int i = 0; i < 100; i++) { /* malice in the weights: any numbers, infinite ones and none */
        static const uint32_t words[] = {0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff, 0x80808080};
        memcpy(hurt, whole, count);
        for (int many = 1 << pick(9); many; many--) {
            const uint32_t word = pick(2) ? words[pick(5)] : pick(0xffffffff);
            memcpy(hurt + HEADER + 4 * pick((uint32_t)(count - HEADER) / 4), &word, 4);
        }
        sign(hurt, count);
        try_file(hurt, count);
    }
    free(whole), free(hurt);
    return printf("%d opened, %d refused\n", opened, refused) < 0;
}
