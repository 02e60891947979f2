// Streams.
#pragma once

#include "call.h"

API cuStreamCreateWithPriority(void **result, unsigned, int) {
    return call("cuStreamCreateWithPriority", CONTEXT, [=] {
        *result = *streams.insert(new Stream()).first;
        return SUCCESS;
    });
}
API cuStreamDestroy_v2(void *handle) {
    return call("cuStreamDestroy", CONTEXT, [=] {
        Stream *stream = stream_of(handle);
        if (!stream || stream == &default_stream) return INVALID_HANDLE;
        if (stream->capture) misuse("a stream is destroyed while it is captured");
        const CUresult result = drain(*stream);
        streams.erase(stream);
        delete stream;
        return result;
    });
}
API cuStreamSynchronize(void *handle) {
    return call("cuStreamSynchronize", CONTEXT, [=] {
        Stream *stream = stream_of(handle);
        if (!stream) return INVALID_HANDLE;
        const CUresult refused = not_while_capturing();
        return refused ? refused : drain(*stream);
    });
}
