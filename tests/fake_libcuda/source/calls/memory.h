// Memory. There is one pool, the device's default one.
#pragma once

#include "call.h"

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
