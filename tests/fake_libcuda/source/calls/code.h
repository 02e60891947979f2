// Code.
#pragma once

#include "call.h"

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
