// Graphs.
#pragma once

#include "call.h"

API cuStreamBeginCapture_v2(void *handle, int mode) {
    return call("cuStreamBeginCapture", CONTEXT, [=] {
        Stream *stream = stream_of(handle);
        if (!stream) return INVALID_HANDLE;
        if (stream->capture || stream == &default_stream) return CAPTURE_UNSUPPORTED;
        stream->capture = *graphs.insert(new Graph()).first;
        stream->spoiled = false;
        stream->by = std::this_thread::get_id();
        stream->mode = mode;
        return SUCCESS;
    });
}
API cuStreamEndCapture(void *handle, void **graph) {
    return call("cuStreamEndCapture", CONTEXT, [=] {
        Stream *stream = stream_of(handle);
        if (!stream || !stream->capture) return INVALID_HANDLE;
        *graph = stream->spoiled ? nullptr : stream->capture;
        if (stream->spoiled) {
            graphs.erase(stream->capture);
            delete stream->capture;
        }
        stream->capture = nullptr;
        return stream->spoiled ? CAPTURE_INVALIDATED : SUCCESS;
    });
}
API cuStreamIsCapturing(void *handle, int *status) {
    return call("cuStreamIsCapturing", CONTEXT, [=] {
        Stream *stream = stream_of(handle);
        if (!stream) return INVALID_HANDLE;
        *status = !stream->capture ? 0 : stream->spoiled ? 2 : 1;
        return SUCCESS;
    });
}
API cuStreamGetCaptureInfo_v3(void *handle, int *status, uint64_t *id, void **graph, void **after,
                              void **edges, size_t *count) {
    return call("cuStreamGetCaptureInfo", CONTEXT, [=] {
        Stream *stream = stream_of(handle);
        if (!stream) return INVALID_HANDLE;
        *status = !stream->capture ? 0 : stream->spoiled ? 2 : 1;
        if (id) *id = (uint64_t)stream->capture;
        if (graph) *graph = stream->capture;
        if (after) *after = nullptr;
        if (edges) *edges = nullptr;
        if (count) *count = 0;
        return SUCCESS;
    });
}
API cuGraphInstantiateWithParams(void **result, void *graph, GraphParams *params) {
    return call("cuGraphInstantiateWithParams", CONTEXT, [=] {
        if (!graphs.count((Graph *)graph)) return INVALID_HANDLE;
        note("%zu nodes", ((Graph *)graph)->work.size());
        auto *made = new Graph(*(Graph *)graph);
        for (auto &[object, references] : made->objects) object->references += references;
        *result = *executables.insert(made).first;
        params->result = 0;
        return SUCCESS;
    });
}
API cuGraphLaunch(void *graph, void *stream) {
    return call("cuGraphLaunch", CONTEXT, [=] {
        if (!executables.count((Graph *)graph)) return INVALID_HANDLE;
        for (const Work &each : ((Graph *)graph)->work)
            if (const CUresult refused = enqueue(stream, each)) return refused;
        return SUCCESS;
    });
}
static CUresult destroy(std::set<Graph *> &of, void *graph) {
    if (!of.erase((Graph *)graph)) return INVALID_HANDLE;
    for (auto &[object, references] : ((Graph *)graph)->objects) release(object, references);
    delete (Graph *)graph;
    return SUCCESS;
}
API cuGraphExecDestroy(void *graph) {
    return call("cuGraphExecDestroy", CONTEXT, [=] { return destroy(executables, graph); });
}
API cuGraphDestroy(void *graph) {
    return call("cuGraphDestroy", CONTEXT, [=] { return destroy(graphs, graph); });
}
API cuUserObjectCreate(void **result, void *of, void (*end)(void *), unsigned references,
                       unsigned) {
    return call("cuUserObjectCreate", INIT, [=] {
        *result = new UserObject{of, end, (int)references};
        return SUCCESS;
    });
}
API cuUserObjectRelease(void *object, unsigned references) {
    return call("cuUserObjectRelease", INIT, [=] {
        release((UserObject *)object, (int)references);
        return SUCCESS;
    });
}
API cuGraphRetainUserObject(void *graph, void *handle, unsigned references, unsigned flags) {
    return call("cuGraphRetainUserObject", CONTEXT, [=] {
        if (!graphs.count((Graph *)graph)) return INVALID_HANDLE;
        auto *object = (UserObject *)handle;
        ((Graph *)graph)->objects[object] += (int)references;
        const bool moved = flags & 1;  // CU_GRAPH_USER_OBJECT_MOVE: from the caller
        if (!moved) object->references += (int)references;
        return SUCCESS;
    });
}
API cuGraphReleaseUserObject(void *graph, void *handle, unsigned references) {
    return call("cuGraphReleaseUserObject", CONTEXT, [=] {
        if (!graphs.count((Graph *)graph)) return INVALID_HANDLE;
        auto *object = (UserObject *)handle;
        int &held = ((Graph *)graph)->objects[object];
        if (held < (int)references) misuse("a graph holds %d references of an object", held);
        held -= (int)references;
        release(object, (int)references);
        return SUCCESS;
    });
}
