// The device, and the primary context.
#pragma once

#include "call.h"

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
