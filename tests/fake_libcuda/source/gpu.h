// The GPU that the environment describes, the faults that a test asks for, and what every call of
// the driver begins with.
//
//     FAKE_CUDA_GPU     "arch=90 driver=13000 shared=232448": see Gpu
//     FAKE_CUDA_FAULTS  "cuInit=100 launch@3=719": every call fails with 100; every launch that
//                       runs, from the third on, with 719
//     FAKE_CUDA_KERNELS a directory of host code for cubins (see kernels.h)
//     FAKE_CUDA_LOG     a file that gets a line a call: its name, what it answered, and what of it
//                       tests look at
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

#include "abi.h"

// What would be undefined on a GPU: no code may take it for an error that the device reported.
__attribute__((format(printf, 1, 2), noreturn)) static void misuse(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("misuse of CUDA: ", stderr);
    vfprintf(stderr, format, values);
    fputs("\n", stderr);
    abort();
}

struct Gpu {
    long arch = 87;
    long driver = 13000;           // version of CUDA: 12060 is 12.6
    long multiprocessors = 16;
    long shared = 163 * 1024;      // bytes that a block can be given
    long l2 = 4 << 20;
    long memory = 1l << 30;
    long integrated = 0, pools = 1;
    long most_cluster = 16;        // blocks of the largest cluster that it hosts

    Gpu() {
        const std::map<std::string, long *> fields = {
            {"arch", &arch}, {"driver", &driver}, {"multiprocessors", &multiprocessors},
            {"shared", &shared}, {"l2", &l2}, {"memory", &memory}, {"integrated", &integrated},
            {"pools", &pools}, {"most_cluster", &most_cluster}};
        std::istringstream text(getenv("FAKE_CUDA_GPU") ? getenv("FAKE_CUDA_GPU") : "");
        for (std::string entry; text >> entry;) {
            const size_t at = entry.find('=');
            const auto field = fields.find(entry.substr(0, at));
            if (at == std::string::npos || field == fields.end())
                misuse("FAKE_CUDA_GPU has %s", entry.c_str());
            *field->second = std::stol(entry.substr(at + 1));
        }
    }
};
static const Gpu gpu;

struct Fault {
    int from;
    CUresult code;
};
static std::map<std::string, Fault> read_faults() {
    std::map<std::string, Fault> found;
    std::istringstream text(getenv("FAKE_CUDA_FAULTS") ? getenv("FAKE_CUDA_FAULTS") : "");
    for (std::string entry; text >> entry;) {
        char name[64];
        Fault fault = {1, 0};
        if (sscanf(entry.c_str(), "%63[A-Za-z0-9_]@%d=%d", name, &fault.from, &fault.code) != 3 &&
            sscanf(entry.c_str(), "%63[A-Za-z0-9_]=%d", name, &fault.code) != 2)
            misuse("FAKE_CUDA_FAULTS has %s", entry.c_str());
        found[name] = fault;
    }
    return found;
}
static std::map<std::string, Fault> faults = read_faults();
static std::map<std::string, int> times;  // that each function was called

// The fault that is asked for at this call, or success.
static CUresult fault_of(const char *name) {
    const int now = ++times[name];
    const auto fault = faults.find(name);
    return fault != faults.end() && now >= fault->second.from ? fault->second.code : SUCCESS;
}

static std::recursive_mutex lock;
static bool initialised;
static CUresult lost;  // what a device that is gone answers every call
static thread_local void *current;
static int retained;  // times that the primary context is in use
static char context;  // its address is the handle of the primary one

static std::string detail;  // for the line of the call at hand

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
    char text[400];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    detail += std::string(" ") + text;
}

static void log_line(const char *name, CUresult result) {
    static FILE *file = getenv("FAKE_CUDA_LOG") ? fopen(getenv("FAKE_CUDA_LOG"), "a") : nullptr;
    if (file) {
        fprintf(file, "%s %d%s\n", name, result, detail.c_str());
        fflush(file);
    }
    detail.clear();
}

enum Needs { NOTHING, INIT, CONTEXT };

// One call: `body` does it, unless a fault is asked for, the device is gone, or what it needs is
// missing.
template <typename Body> static CUresult call(const char *name, Needs needs, const Body &body) {
    std::lock_guard<std::recursive_mutex> hold(lock);
    CUresult result = fault_of(name);
    if (!result && needs >= INIT && !initialised) result = NOT_INITIALIZED;
    if (!result && needs == CONTEXT) {
        if (lost) result = lost;
        else if (!current || !retained) result = INVALID_CONTEXT;
    }
    if (!result) result = body();
    log_line(name, result);
    return result;
}
