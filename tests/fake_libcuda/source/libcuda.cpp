// A libcuda.so.1 without a GPU, for tests of what is above it: the real cuda-core and
// cuda-bindings.
//
// It has the functions of the driver that those call for wavestep; others they report as missing.
#include "kernels.h"

#define API extern "C" __attribute__((visibility("default"))) CUresult

API cuInit(unsigned) {
    return call("cuInit", NOTHING, [] {
        initialised = true;
        return SUCCESS;
    });
}
API cuDriverGetVersion(int *version) {
    return call("cuDriverGetVersion", NOTHING, [=] {
        *version = (int)gpu.driver;
        return SUCCESS;
    });
}

static const ErrorText *text_of(CUresult error) {
    for (const ErrorText &each : ERRORS)
        if (each.code == error) return &each;
    return nullptr;
}
API cuGetErrorName(CUresult error, const char **text) {
    const ErrorText *found = text_of(error);
    *text = found ? found->name : nullptr;
    return found ? SUCCESS : INVALID_VALUE;
}
API cuGetErrorString(CUresult error, const char **text) {
    const ErrorText *found = text_of(error);
    *text = found ? found->text : nullptr;
    return found ? SUCCESS : INVALID_VALUE;
}

// The device, and the primary context.

API cuDeviceGetCount(int *count) {
    return call("cuDeviceGetCount", INIT, [=] {
        *count = 1;
        return SUCCESS;
    });
}
API cuDeviceGetName(char *name, int size, int) {
    return call("cuDeviceGetName", INIT, [=] {
        snprintf(name, size, "Fake GPU");
        return SUCCESS;
    });
}
API cuDeviceGetAttribute(int *value, int attribute, int) {
    return call("cuDeviceGetAttribute", INIT, [=] {
        const std::map<int, long> values = {
            {MULTIPROCESSOR_COUNT, gpu.multiprocessors},
            {INTEGRATED, gpu.integrated},
            {L2_CACHE_SIZE, gpu.l2},
            {COMPUTE_CAPABILITY_MAJOR, gpu.arch / 10},
            {COMPUTE_CAPABILITY_MINOR, gpu.arch % 10},
            {COOPERATIVE_LAUNCH, 1},
            {MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, gpu.shared},
            {MEMORY_POOLS_SUPPORTED, gpu.pools},
        };
        note("attribute %d", attribute);
        const auto found = values.find(attribute);
        if (found == values.end()) return INVALID_VALUE;
        *value = (int)found->second;
        return SUCCESS;
    });
}
API cuDevicePrimaryCtxRetain(void **result, int) {
    return call("cuDevicePrimaryCtxRetain", INIT, [=] {
        retained++;
        *result = &context;
        return SUCCESS;
    });
}
API cuDevicePrimaryCtxRelease_v2(int) {
    return call("cuDevicePrimaryCtxRelease", INIT, [] {
        if (--retained < 0) misuse("the primary context is released more often than retained");
        return SUCCESS;
    });
}
API cuCtxSetCurrent(void *of) {
    return call("cuCtxSetCurrent", INIT, [=] {
        current = of;
        return SUCCESS;  // whatever became of it
    });
}
API cuCtxGetCurrent(void **result) {
    return call("cuCtxGetCurrent", INIT, [=] {
        *result = current;
        return SUCCESS;
    });
}
API cuCtxGetDevice(int *device) {
    return call("cuCtxGetDevice", CONTEXT, [=] {
        *device = 0;
        return SUCCESS;
    });
}
API cuCtxGetStreamPriorityRange(int *least, int *greatest) {
    return call("cuCtxGetStreamPriorityRange", CONTEXT, [=] {
        *least = *greatest = 0;
        return SUCCESS;
    });
}

// Streams.

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

// Memory. There is one pool, the device's default one.

static char pool;

API cuDeviceGetMemPool(void **result, int) {
    return call("cuDeviceGetMemPool", INIT, [=] {
        *result = &pool;
        return gpu.pools ? SUCCESS : NOT_SUPPORTED;
    });
}
API cuMemPoolGetAttribute(void *, int attribute, void *value) {
    return call("cuMemPoolGetAttribute", CONTEXT, [=] {
        const std::map<int, uint64_t> values = {
            {RELEASE_THRESHOLD, pool_keeps}, {RESERVED_NOW, used + unused}, {USED_NOW, used}};
        note("attribute %d", attribute);
        const auto found = values.find(attribute);
        if (found == values.end()) return INVALID_VALUE;
        *(uint64_t *)value = found->second;
        return SUCCESS;
    });
}
API cuMemPoolSetAttribute(void *, int attribute, void *value) {
    return call("cuMemPoolSetAttribute", CONTEXT, [=] {
        note("attribute %d", attribute);
        if (attribute != RELEASE_THRESHOLD) return INVALID_VALUE;
        pool_keeps = *(uint64_t *)value;
        return SUCCESS;
    });
}
API cuMemPoolTrimTo(void *, size_t keep) {
    return call("cuMemPoolTrimTo", CONTEXT, [=] {
        unused = unused < keep ? unused : keep;
        note("%zu bytes", unused);
        return SUCCESS;
    });
}
API cuMemAllocFromPoolAsync(CUdeviceptr *at, size_t size, void *, void *stream) {
    return call("cuMemAllocFromPoolAsync", CONTEXT, [=] {
        note("%zu bytes", size);
        if (!stream_of(stream)) return INVALID_HANDLE;
        const CUresult refused = not_while_capturing();
        return refused ? refused : allocate(at, size);
    });
}
API cuMemFreeAsync(CUdeviceptr at, void *stream) {
    return call("cuMemFreeAsync", CONTEXT, [=] {
        return enqueue_uncaptured(stream, [=] { return give_back(at); });
    });
}
API cuMemGetInfo_v2(size_t *available, size_t *total) {
    return call("cuMemGetInfo", CONTEXT, [=] {
        *total = gpu.memory;
        *available = gpu.memory - used - unused;
        return SUCCESS;
    });
}
API cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, void *stream) {
    return call("cuMemcpyAsync", CONTEXT, [=] {
        note("%zu bytes", bytes);
        if (!on_device(to) && !on_device(from)) misuse("neither end of a copy is the device's");
        // What is not pinned, as no memory of ours is, is not copied in a capture.
        return enqueue_uncaptured(stream, [=] {
            check_range(to, bytes);
            check_range(from, bytes);
            memcpy((void *)to, (const void *)from, bytes);
            return SUCCESS;
        });
    });
}
API cuMemsetD8Async(CUdeviceptr at, unsigned char value, size_t bytes, void *stream) {
    return call("cuMemsetD8Async", CONTEXT, [=] {
        note("%zu bytes", bytes);
        return enqueue(stream, [=] {
            check_range(at, bytes);
            memset((void *)at, value, bytes);
            return SUCCESS;
        });
    });
}

// Code.

API cuLibraryLoadData(void **result, const void *code, void *, void *, unsigned, void *, void *,
                      unsigned) {
    return call("cuLibraryLoadData", CONTEXT, [=] { return load((Library **)result, code); });
}
API cuLibraryUnload(void *library) {
    return call("cuLibraryUnload", CONTEXT, [=] {
        if (!libraries.erase((Library *)library)) return INVALID_HANDLE;
        for (auto &[name, kernel] : ((Library *)library)->kernels) all_kernels.erase(kernel.get());
        return SUCCESS;  // work that is enqueued may still need it
    });
}
API cuLibraryGetKernel(void **result, void *library, const char *name) {
    return call("cuLibraryGetKernel", CONTEXT, [=] {
        if (!libraries.count((Library *)library)) return INVALID_HANDLE;
        const auto &kernels = ((Library *)library)->kernels;
        const auto found = kernels.find(name);
        if (found == kernels.end()) return NOT_FOUND;
        *result = found->second.get();
        return SUCCESS;
    });
}
API cuKernelSetAttribute(int attribute, int value, void *handle, int) {
    return call("cuKernelSetAttribute", CONTEXT, [=] {
        if (!all_kernels.count((Kernel *)handle)) return INVALID_HANDLE;
        Kernel &kernel = *(Kernel *)handle;
        note("attribute %d = %d", attribute, value);
        if (attribute == NON_PORTABLE_CLUSTER) {
            kernel.non_portable = value;
        } else {
            const bool fits = value >= 0 && value + kernel.static_shared <= gpu.shared;
            if (attribute != MAX_DYNAMIC_SHARED || !fits) return INVALID_VALUE;
            kernel.max_shared = value;
        }
        return SUCCESS;
    });
}
API cuLaunchKernelEx(const LaunchConfig *config, void *handle, void **parameters, void **extra) {
    return call("cuLaunchKernelEx", CONTEXT, [=] {
        if (!all_kernels.count((Kernel *)handle)) return INVALID_HANDLE;
        return extra ? INVALID_VALUE : launch(*config, (Kernel *)handle, parameters);
    });
}
API cuOccupancyMaxActiveClusters(int *count, void *handle, const LaunchConfig *config) {
    return call("cuOccupancyMaxActiveClusters", CONTEXT, [=] {
        if (!all_kernels.count((Kernel *)handle)) return INVALID_HANDLE;
        unsigned blocks = 1;
        for (unsigned i = 0; i < config->count; i++)
            if (config->attributes[i].id == CLUSTER_DIMENSION)
                blocks = config->attributes[i].cluster[0];
        *count = blocks <= gpu.most_cluster ? (int)(gpu.multiprocessors / blocks) : 0;
        note("of %u: %d", blocks, *count);
        return SUCCESS;
    });
}

// As if a multiprocessor had one at a time.
API cuOccupancyMaxActiveBlocksPerMultiprocessor(int *count, void *handle, int threads, size_t) {
    return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", CONTEXT, [=] {
        if (!all_kernels.count((Kernel *)handle)) return INVALID_HANDLE;
        *count = threads <= ((Kernel *)handle)->max_threads;
        return SUCCESS;
    });
}

// Graphs.

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

// NVRTC looks for tables of NVIDIA's own; without one it compiles as where there is no driver.
API cuGetExportTable(const void **table, const Uuid *) {
    *table = nullptr;
    return NOT_FOUND;
}

// For tests: the next call of a function, and all after it, answer so.
extern "C" __attribute__((visibility("default"))) void fake_cuda_fail(const char *name, int code) {
    std::lock_guard<std::recursive_mutex> hold(lock);
    faults[name] = {times[name] + 1, code};
}
extern "C" __attribute__((visibility("default"))) unsigned fake_cuda_identity(const void *cubin) {
    return Cubin{(const unsigned char *)cubin}.identity();
}

// How a function is found: by its name and the version of its interface.

API cuGetProcAddress_v2(const char *name, void **function, int version, uint64_t, int *status) {
    static const struct {
        const char *name;
        int from;  // the first version of CUDA with this one
        const char *symbol;
    } NEWER[] = {
        {"cuGetProcAddress", 12000, "cuGetProcAddress_v2"},
        {"cuDevicePrimaryCtxRelease", 11000, "cuDevicePrimaryCtxRelease_v2"},
        {"cuStreamDestroy", 4000, "cuStreamDestroy_v2"},
        {"cuMemGetInfo", 3020, "cuMemGetInfo_v2"},
        {"cuStreamBeginCapture", 10010, "cuStreamBeginCapture_v2"},
        {"cuStreamGetCaptureInfo", 12030, "cuStreamGetCaptureInfo_v3"},
    };
    static void *self = [] {
        Dl_info info;
        dladdr((void *)cuInit, &info);
        return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    }();
    std::string symbol = name;
    for (const auto &each : NEWER)
        if (symbol == each.name && version >= each.from) symbol = each.symbol;
    const bool old = version > gpu.driver;
    *function = old ? nullptr : dlsym(self, symbol.c_str());
    if (status) *status = *function ? 0 : old ? 2 : 1;  // CUdriverProcAddressQueryResult
    return *function ? SUCCESS : NOT_FOUND;
}
