/* Stands in for ONNX Runtime's own header where only its library is, as pip brings it: what
 * examples/onnx/generate.cpp uses. Functions are found by their place in a table, which never
 * changes from version to version. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define ORT_API_VERSION 17

typedef struct OrtEnv OrtEnv;
typedef struct OrtStatus OrtStatus;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtModelMetadata OrtModelMetadata;

typedef enum { ORT_LOGGING_LEVEL_WARNING = 2 } OrtLoggingLevel;
typedef enum {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT = 1,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 = 6,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE = 11
} ONNXTensorElementDataType;

#define OTHERS(first, last) void *others_##first[(last) - (first) + 1]

typedef struct OrtApi {
    OTHERS(0, 1);
    const char *(*GetErrorMessage)(const OrtStatus *);
    OrtStatus *(*CreateEnv)(OrtLoggingLevel, const char *, OrtEnv **);
    OTHERS(4, 6);
    OrtStatus *(*CreateSession)(const OrtEnv *, const char *, const OrtSessionOptions *, OrtSession **);
    OTHERS(8, 8);
    OrtStatus *(*Run)(OrtSession *, const OrtRunOptions *, const char *const *, const OrtValue *const *,
                      size_t, const char *const *, size_t, OrtValue **);
    OrtStatus *(*CreateSessionOptions)(OrtSessionOptions **);
    OTHERS(11, 23);
    OrtStatus *(*SetIntraOpNumThreads)(OrtSessionOptions *, int);
    OTHERS(25, 29);
    OrtStatus *(*SessionGetInputCount)(const OrtSession *, size_t *);
    OrtStatus *(*SessionGetOutputCount)(const OrtSession *, size_t *);
    OTHERS(32, 32);
    OrtStatus *(*SessionGetInputTypeInfo)(const OrtSession *, size_t, OrtTypeInfo **);
    OTHERS(34, 35);
    OrtStatus *(*SessionGetInputName)(const OrtSession *, size_t, OrtAllocator *, char **);
    OrtStatus *(*SessionGetOutputName)(const OrtSession *, size_t, OrtAllocator *, char **);
    OTHERS(38, 47);
    OrtStatus *(*CreateTensorAsOrtValue)(OrtAllocator *, const int64_t *, size_t,
                                         ONNXTensorElementDataType, OrtValue **);
    OTHERS(49, 50);
    OrtStatus *(*GetTensorMutableData)(OrtValue *, void **);
    OTHERS(52, 54);
    OrtStatus *(*CastTypeInfoToTensorInfo)(const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **);
    OTHERS(56, 59);
    OrtStatus *(*GetTensorElementType)(const OrtTensorTypeAndShapeInfo *, ONNXTensorElementDataType *);
    OrtStatus *(*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo *, size_t *);
    OrtStatus *(*GetDimensions)(const OrtTensorTypeAndShapeInfo *, int64_t *, size_t);
    OTHERS(63, 77);
    OrtStatus *(*GetAllocatorWithDefaultOptions)(OrtAllocator **);
    OTHERS(79, 95);
    void (*ReleaseValue)(OrtValue *);
    OTHERS(97, 97);
    void (*ReleaseTypeInfo)(OrtTypeInfo *);
    OTHERS(99, 99);
    void (*ReleaseSessionOptions)(OrtSessionOptions *);
    OTHERS(101, 110);
    OrtStatus *(*SessionGetModelMetadata)(const OrtSession *, OrtModelMetadata **);
    OTHERS(112, 115);
    OrtStatus *(*ModelMetadataLookupCustomMetadataMap)(const OrtModelMetadata *, OrtAllocator *,
                                                       const char *, char **);
    OTHERS(117, 117);
    void (*ReleaseModelMetadata)(OrtModelMetadata *);
} OrtApi;

#define IS_AT(name, place) \
    static_assert(offsetof(OrtApi, name) == (place) * sizeof(void *), "OrtApi." #name)
IS_AT(Run, 9);
IS_AT(SetIntraOpNumThreads, 24);
IS_AT(SessionGetInputName, 36);
IS_AT(CreateTensorAsOrtValue, 48);
IS_AT(GetDimensions, 62);
IS_AT(GetAllocatorWithDefaultOptions, 78);
IS_AT(ReleaseValue, 96);
IS_AT(ReleaseSessionOptions, 100);
IS_AT(ReleaseModelMetadata, 118);

typedef struct OrtApiBase {
    const OrtApi *(*GetApi)(uint32_t version);
    const char *(*GetVersionString)(void);
} OrtApiBase;

extern "C" const OrtApiBase *OrtGetApiBase(void);
