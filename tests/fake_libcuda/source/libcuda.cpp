// A libcuda.so.1 without a GPU, for tests of what is above it: the real cuda-core and
// cuda-bindings.
//
// It has the functions of the driver that those call for wavestep; others they report as missing.
#include "calls/device.h"
#include "calls/streams.h"
#include "calls/memory.h"
#include "calls/code.h"
#include "calls/graphs.h"

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
