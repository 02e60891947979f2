// Types and numbers of the CUDA driver's interface, as far as cuda-core calls it for wavestep; as
// CUDA 13's documentation and cuda-bindings' declarations have them. Handles are pointers.
#pragma once

#include <cstddef>
#include <cstdint>

typedef int CUresult;
typedef unsigned long long CUdeviceptr;

constexpr CUresult SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3,
    NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201,
    NO_BINARY_FOR_GPU = 209, ECC_UNCORRECTABLE = 214, INVALID_HANDLE = 400, NOT_FOUND = 500,
    ILLEGAL_ADDRESS = 700, LAUNCH_OUT_OF_RESOURCES = 701, LAUNCH_FAILED = 719, NOT_SUPPORTED =
    801, CAPTURE_UNSUPPORTED = 900, CAPTURE_INVALIDATED = 901, INVALID_CLUSTER_SIZE = 912,
    COOPERATIVE_TOO_LARGE = 720,
    UNKNOWN = 999;

struct ErrorText {
    CUresult code;
    const char *name, *text;
};
static const ErrorText ERRORS[] = {
    {SUCCESS, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available"},
    {ECC_UNCORRECTABLE, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver"},
    {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "not permitted in a capture"},
    {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "failed due to an error before"},
    {COOPERATIVE_TOO_LARGE, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", "too many blocks"},
    {INVALID_CLUSTER_SIZE, "CUDA_ERROR_INVALID_CLUSTER_SIZE", "cluster misconfiguration"},
    {UNKNOWN, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

struct LaunchAttribute {  // CUlaunchAttribute: the value is a union of 64 bytes
    int id, padding;
    union {
        unsigned cluster[3];
        int cooperative;
        char bytes[64];
    };
};
static_assert(sizeof(LaunchAttribute) == 72, "CUlaunchAttribute");
enum { COOPERATIVE = 2, CLUSTER_DIMENSION = 4 };

struct LaunchConfig {  // CUlaunchConfig
    unsigned grid[3], block[3], shared;
    void *stream;
    LaunchAttribute *attributes;
    unsigned count;
};
static_assert(sizeof(LaunchConfig) == 56, "CUlaunchConfig");

struct GraphParams {  // CUDA_GRAPH_INSTANTIATE_PARAMS
    uint64_t flags;
    void *upload_stream, *error_node;
    int result;
};

struct Uuid {
    char bytes[16];
};

enum DeviceAttribute {
    MULTIPROCESSOR_COUNT = 16,
    INTEGRATED = 18,
    L2_CACHE_SIZE = 38,
    COMPUTE_CAPABILITY_MAJOR = 75,
    COMPUTE_CAPABILITY_MINOR = 76,
    COOPERATIVE_LAUNCH = 95,
    MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97,
    MEMORY_POOLS_SUPPORTED = 115,
};
enum FunctionAttribute { MAX_DYNAMIC_SHARED = 8, NON_PORTABLE_CLUSTER = 14 };
enum PoolAttribute { RELEASE_THRESHOLD = 4, RESERVED_NOW = 5, USED_NOW = 7 };
