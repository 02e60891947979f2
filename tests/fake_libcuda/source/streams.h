// Streams, whose work is done when it is waited for and not before; and graphs.
//
// So what is copied from a device before it was waited for is not there, and what is copied to it
// must still be there when it is: the pages of the host are read that late.
#pragma once

#include <functional>
#include <deque>
#include <set>
#include <thread>
#include <vector>

#include "memory.h"

typedef std::function<CUresult()> Work;

// What a graph keeps alive: its end is called with the last reference.
struct UserObject {
    void *of;
    void (*end)(void *);
    int references;
};
static void release(UserObject *object, int references) {
    object->references -= references;
    if (object->references < 0) misuse("an object is released more often than retained");
    if (object->references > 0) return;
    object->end(object->of);
    delete object;
}

struct Graph {  // or an executable one
    std::vector<Work> work;
    std::map<UserObject *, int> objects;  // and references to each
};
struct Stream {
    std::deque<Work> queue;
    Graph *capture = nullptr;
    bool spoiled = false;  // something that no capture may contain was asked for meanwhile
    std::thread::id by;    // who began the capture
    int mode = 0;
};

static Stream default_stream;
static std::set<Stream *> streams = {&default_stream};
static std::set<Graph *> graphs, executables;

static Stream *stream_of(void *handle) {
    // null, and the handles of the legacy and the per-thread default stream
    Stream *stream = (uintptr_t)handle <= 2 ? &default_stream : (Stream *)handle;
    return streams.count(stream) ? stream : nullptr;
}

// Waits for a stream. What fails there loses the device.
static CUresult drain(Stream &stream) {
    while (!stream.queue.empty() && !lost) {
        const Work work = stream.queue.front();
        stream.queue.pop_front();
        lost = work();
    }
    return lost;
}

// Into the queue or, where the stream is being captured, into its graph.
static CUresult enqueue(void *handle, const Work &work) {
    Stream *stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) stream->capture->work.push_back(work);
    else stream->queue.push_back(work);
    return SUCCESS;
}

static CUresult enqueue_uncaptured(void *handle, const Work &work) {
    Stream *stream = stream_of(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) {
        stream->spoiled = true;
        return CAPTURE_UNSUPPORTED;
    }
    return enqueue(handle, work);
}

// Calls that wait, or might, are refused to a thread that captures in the mode thread_local, and to
// all threads while anyone captures in the mode global.
static CUresult not_while_capturing() {
    for (Stream *stream : streams) {
        const bool mine = stream->by == std::this_thread::get_id();
        if (!stream->capture || stream->mode == 2 || (stream->mode == 1 && !mine)) continue;
        stream->spoiled = true;
        return CAPTURE_UNSUPPORTED;
    }
    return SUCCESS;
}
