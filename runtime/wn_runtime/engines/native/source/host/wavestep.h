/* wavestep without Python: a WaveNet from a packed model file to audio, for C, C++ and WebAssembly.
 *
 *     const wavestep_model *model;
 *     int32_t status = wavestep_open(file, bytes, &model);       the file in memory, at 64 bytes
 *     void *memory = aligned_alloc(WAVESTEP_ALIGNMENT, wavestep_voice_bytes(model, 0));
 *     wavestep_voice *voice = memory;
 *     status = wavestep_init(voice, wavestep_voice_bytes(model, 0), model, 0);
 *     wavestep_choose(voice, wavestep_condition(model, "speaker"), 3);
 *     wavestep_begin(voice, seed, 0, 1.0);
 *     int32_t made = wavestep_read(voice, audio, 400);           400 samples, from -1 to 1
 *
 * The library is compiled for the shapes of one model, in one precision; the weights, names and rates
 * are in the file. Nothing is allocated and no file is opened: memory is the caller's, and nothing of
 * the C library is used but memcpy, memmove and memset. The same file, seed and choices make the same
 * audio as the Python package's native engine; docs/c-api.md says what equals what.
 *
 * Threads: a model is only read, so that any number of voices on any threads can share it. A voice is
 * for one thread at a time; it may move from one to another between calls. The library has no other
 * state.
 *
 * Nothing aborts: what is wrong is returned as a negative status, and nothing has changed then.
 * Pointers must be valid; voices must have been through wavestep_init. All else is checked.
 */
#ifndef WAVESTEP_H
#define WAVESTEP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header. A library answers wavestep_abi() with its own; functions may be added within one
 * number, nothing else changes. */
#define WAVESTEP_ABI 1

/* What files and voices must begin at a multiple of. */
#define WAVESTEP_ALIGNMENT 64

#ifndef WAVESTEP_API
#define WAVESTEP_API
#endif

enum {
    WAVESTEP_OK = 0,
    WAVESTEP_NOT_A_MODEL = -1,       /* no packed model file at all */
    WAVESTEP_OTHER_FORMAT = -2,      /* of a later or an earlier format */
    WAVESTEP_TRUNCATED = -3,         /* fewer bytes than the file says that it has */
    WAVESTEP_DAMAGED = -4,           /* its checksum is not that of its bytes, or it contradicts itself */
    WAVESTEP_OTHER_MODEL = -5,       /* the library is for a model of other shapes, or precision */
    WAVESTEP_OTHER_LAYOUT = -6,      /* weights packed for another kind of CPU than the library's */
    WAVESTEP_MISALIGNED = -7,        /* file or memory not at a multiple of WAVESTEP_ALIGNMENT */
    WAVESTEP_NO_AMX = -8,            /* compiled for AMX, which this system does not allow */
    WAVESTEP_TOO_SMALL = -9,         /* less memory than wavestep_voice_bytes */
    WAVESTEP_NO_SUCH_CONDITION = -10, /* an index, or a name, that the model does not have */
    WAVESTEP_NO_SUCH_VALUE = -11,
    WAVESTEP_BAD_ARGUMENT = -12,     /* a temperature that is negative or no number, a count below 0 */
    WAVESTEP_NO_FRAMES = -13,        /* the model takes no frames */
    WAVESTEP_BAD_FRAMES = -14,       /* a frame holds NaN, infinity or more than 1e38 */
    WAVESTEP_FINISHED = -15,         /* the last frames have been pushed: begin anew */
    WAVESTEP_NOT_BEGUN = -16         /* wavestep_begin comes first */
};

/* In one line of English; never NULL, for any number. */
WAVESTEP_API const char *wavestep_text(int32_t status);

/* WAVESTEP_ABI of the library. */
WAVESTEP_API int32_t wavestep_abi(void);

/* ---- The model ---------------------------------------------------------------------------------
 * It is the file itself, which must stay in memory, unchanged, as long as the model and its voices
 * are used. Strings that are returned lie in it, end with a zero and are UTF-8. */
typedef struct wavestep_model wavestep_model;

/* Checks the whole file; *model is it, or NULL where the status is not WAVESTEP_OK. */
WAVESTEP_API int32_t wavestep_open(const void *file, size_t bytes, const wavestep_model **model);

WAVESTEP_API const char *wavestep_name(const wavestep_model *model);
WAVESTEP_API int32_t wavestep_sample_rate(const wavestep_model *model); /* Hz */
/* What the model sounds best at, for wavestep_begin. */
WAVESTEP_API double wavestep_temperature(const wavestep_model *model);

/* Conditions (speaker, digit, tags, ...) are numbered from 0, and so are the values of each. The name
 * of a number that there is not is NULL. */
WAVESTEP_API int32_t wavestep_conditions(const wavestep_model *model);
WAVESTEP_API const char *wavestep_condition_name(const wavestep_model *model, int32_t condition);
/* 1: any set of its values can be chosen. 0: one. */
WAVESTEP_API int32_t wavestep_condition_is_tags(const wavestep_model *model, int32_t condition);
WAVESTEP_API int32_t wavestep_values(const wavestep_model *model, int32_t condition);
WAVESTEP_API const char *wavestep_value_name(const wavestep_model *model, int32_t condition,
                                             int32_t value);
/* The number of a name, or WAVESTEP_NO_SUCH_CONDITION, WAVESTEP_NO_SUCH_VALUE. */
WAVESTEP_API int32_t wavestep_condition(const wavestep_model *model, const char *name);
WAVESTEP_API int32_t wavestep_value(const wavestep_model *model, int32_t condition, const char *name);

/* Numbers of a frame (mel bands, phones, F0, ...); 0: the model takes none. */
WAVESTEP_API int32_t wavestep_frame_channels(const wavestep_model *model);
/* Samples that a frame covers; 0 without frames. */
WAVESTEP_API int32_t wavestep_frame_hop(const wavestep_model *model);
/* Frames beyond those of a sample that must be there to make it. */
WAVESTEP_API int32_t wavestep_frame_lookahead(const wavestep_model *model);

/* ---- A voice -----------------------------------------------------------------------------------
 * A stream of audio in memory of the caller's. There is no pointer into itself in it: a copy of its
 * bytes to other memory, aligned, is a snapshot that goes on from where it was taken. */
typedef struct wavestep_voice wavestep_voice;

/* The memory of a voice that holds so many frames ahead of what is made; as many as it needs at least
 * are always held. 0 where it could not be addressed, or frames is negative. */
WAVESTEP_API size_t wavestep_voice_bytes(const wavestep_model *model, int32_t frames);

/* Makes a voice in that memory, of so many bytes; `frames` as for wavestep_voice_bytes. Nothing is
 * chosen, and it has not begun. */
WAVESTEP_API int32_t wavestep_init(wavestep_voice *voice, size_t bytes, const wavestep_model *model,
                                   int32_t frames);

/* Chooses a value of a condition for when the voice begins the next time: the one value, or one tag
 * more. -1: none, as in training where a condition was left out. Choices stay until others are made. */
WAVESTEP_API int32_t wavestep_choose(wavestep_voice *voice, int32_t condition, int32_t value);

/* Begins, or begins anew, from silence. stream: 0; voices of one seed that are to differ have numbers
 * of their own. temperature: 0 is always the likeliest sample, 1 as trained. */
WAVESTEP_API int32_t wavestep_begin(wavestep_voice *voice, uint64_t seed, uint32_t stream,
                                    double temperature);

/* Appends frames [count][channels]. Returns how many were taken: fewer where the memory for frames is
 * full, until more is read. Frame i is of the samples from i * hop on. */
WAVESTEP_API int32_t wavestep_push(wavestep_voice *voice, const float *frames, int32_t count);

/* No frames follow: what was held back for want of them can now be read. */
WAVESTEP_API int32_t wavestep_finish(wavestep_voice *voice);

/* Samples that can be read with the frames pushed so far; INT32_MAX where the model takes none. */
WAVESTEP_API int32_t wavestep_available(const wavestep_voice *voice);

/* Makes the next samples, from -1 to 1: `samples` of them, or as many as there are frames for.
 * Returns how many. How it is cut into calls changes nothing of what is heard. */
WAVESTEP_API int32_t wavestep_read(wavestep_voice *voice, float *audio, int32_t samples);

#ifdef __cplusplus
}
#endif

#endif
