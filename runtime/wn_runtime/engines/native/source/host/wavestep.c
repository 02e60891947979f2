/* The C API of one model's engine (wavestep.h): wavenet.c with a host around it, in one unit.
 *
 * shapes.h and head.h are those of wavenet.c; host_shapes.h says what conditions the model and how its
 * samples are decoded (wn_export/c_api/host_shapes.py). */
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define WAVESTEP_API __declspec(dllexport)
#else
#define WAVESTEP_API __attribute__((visibility("default"), used))
#endif
#include "wavestep.h"

#define WN_ALONE 1
#define EXPORT __attribute__((unused)) static
#include "../wavenet.c"

#include "host_shapes.h"
#define BIAS_ROW (LAYERS * GATE)
#define TRANSPOSED 1
#define LINEAR 2

#include "crc32.h"
#include "file.h"
#include "names.h"
#include "check.h"
#include "philox.h"
#include "product.h"
#include "global.h"
#include "local.h"
#include "stretched.h"
#include "stack.h"
#include "bias.h"
#include "sound.h"
#include "voice.h"

int32_t wavestep_abi(void) { return WAVESTEP_ABI; }

int32_t wavestep_open(const void *file, size_t bytes, const wavestep_model **model) {
    *model = 0;
    if ((uintptr_t)file % WAVESTEP_ALIGNMENT) return WAVESTEP_MISALIGNED;
    const int32_t status = check_file(file, bytes);
    if (status) return status;
    if (wn_prepare()) return WAVESTEP_NO_AMX;
    *model = file;
    return WAVESTEP_OK;
}

int32_t wavestep_sample_rate(const wavestep_model *file) { return (int32_t)file->sample_rate; }
double wavestep_temperature(const wavestep_model *file) { return file->temperature; }

int32_t wavestep_frame_channels(const wavestep_model *file) {
    (void)file;
    return FRAME_CHANNELS;
}

int32_t wavestep_frame_hop(const wavestep_model *file) {
    (void)file;
    return FRAME_HOP;
}

int32_t wavestep_frame_lookahead(const wavestep_model *file) {
    (void)file;
    return FRAME_LOOKAHEAD;
}

const char *wavestep_text(int32_t status) {
    switch (status) {
    case WAVESTEP_OK: return "all is well";
    case WAVESTEP_NOT_A_MODEL: return "this is not a packed wavestep model";
    case WAVESTEP_OTHER_FORMAT: return "the packed model is of another format; export it again";
    case WAVESTEP_TRUNCATED: return "the packed model is cut short; copy it again";
    case WAVESTEP_DAMAGED: return "the packed model is damaged; copy it again";
    case WAVESTEP_OTHER_MODEL:
        return "the packed model is not the one that this library was compiled for, or of another "
               "precision";
    case WAVESTEP_OTHER_LAYOUT:
        return "the packed model is for another kind of CPU than this library";
    case WAVESTEP_MISALIGNED: return "model and voice must begin at a multiple of 64 bytes";
    case WAVESTEP_NO_AMX:
        return "this library uses AMX, which this system does not allow; compile it with -DWN_NO_AMX";
    case WAVESTEP_TOO_SMALL: return "a voice takes more memory: wavestep_voice_bytes";
    case WAVESTEP_NO_SUCH_CONDITION: return "the model has no such condition";
    case WAVESTEP_NO_SUCH_VALUE: return "the condition has no such value";
    case WAVESTEP_BAD_ARGUMENT: return "an argument is negative, or not a number";
    case WAVESTEP_NO_FRAMES: return "this model takes no frames";
    case WAVESTEP_BAD_FRAMES: return "frames hold NaN, infinity or more than 1e38";
    case WAVESTEP_FINISHED: return "the last frames have been pushed; begin anew";
    case WAVESTEP_NOT_BEGUN: return "the voice has not begun: wavestep_begin";
    default: return "an unknown status";
    }
}
