// Sound from generator.onnx with ONNX Runtime's C API alone.
//
//     c++ -std=c++17 -O2 generate.cpp -I include -L lib -lonnxruntime -o generate
//     ./generate DIR OUT.wav [SECONDS [SEED [TEMPERATURE [CONDITION=INDEX …]]]]
//
// The sound is that of `wn-run DIR --engine generator --seed SEED --temperature TEMPERATURE`.
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

static const OrtApi *ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);

static void check(OrtStatus *status) {
    if (status == nullptr) return;
    std::fprintf(stderr, "error: %s\n", ort->GetErrorMessage(status));
    std::exit(2);
}

struct Input {
    ONNXTensorElementDataType type;
    std::vector<int64_t> shape; // -1: what a call has of it
};

// A graph, and what goes into it and comes out. Values live as long as the program.
struct Graph {
    OrtAllocator *allocator;
    OrtSession *session;
    std::map<std::string, Input> inputs;
    std::vector<std::string> outputs;

    Graph(OrtEnv *env, const std::string &path) {
        OrtSessionOptions *options;
        check(ort->CreateSessionOptions(&options));
        check(ort->SetIntraOpNumThreads(options, 1));
        check(ort->CreateSession(env, path.c_str(), options, &session));
        ort->ReleaseSessionOptions(options);
        check(ort->GetAllocatorWithDefaultOptions(&allocator));
        size_t count, dims;
        char *name;
        check(ort->SessionGetInputCount(session, &count));
        for (size_t i = 0; i < count; i++) {
            OrtTypeInfo *info;
            const OrtTensorTypeAndShapeInfo *tensor;
            Input input;
            check(ort->SessionGetInputName(session, i, allocator, &name));
            check(ort->SessionGetInputTypeInfo(session, i, &info));
            check(ort->CastTypeInfoToTensorInfo(info, &tensor));
            check(ort->GetTensorElementType(tensor, &input.type));
            check(ort->GetDimensionsCount(tensor, &dims));
            input.shape.resize(dims);
            check(ort->GetDimensions(tensor, input.shape.data(), dims));
            ort->ReleaseTypeInfo(info);
            inputs[name] = input;
        }
        check(ort->SessionGetOutputCount(session, &count));
        for (size_t i = 0; i < count; i++) {
            check(ort->SessionGetOutputName(session, i, allocator, &name));
            outputs.push_back(name);
        }
    }

    // A number that the graph's metadata has.
    double about(const char *key) const {
        OrtModelMetadata *metadata;
        char *text;
        check(ort->SessionGetModelMetadata(session, &metadata));
        check(ort->ModelMetadataLookupCustomMetadataMap(metadata, allocator, key, &text));
        ort->ReleaseModelMetadata(metadata);
        return text == nullptr ? 0 : std::atof(text);
    }

    // A tensor for an input, `rows` where its first size is the call's; all values alike.
    OrtValue *full(const std::string &name, int64_t rows, double value) const {
        const Input &input = inputs.at(name);
        std::vector<int64_t> shape = input.shape;
        size_t size = 1;
        for (int64_t &n : shape) size *= n = n < 0 ? rows : n;
        OrtValue *tensor;
        void *data;
        check(ort->CreateTensorAsOrtValue(allocator, shape.data(), shape.size(), input.type, &tensor));
        check(ort->GetTensorMutableData(tensor, &data));
        for (size_t i = 0; i < size; i++) {
            if (input.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32) ((int32_t *)data)[i] = (int32_t)value;
            if (input.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) ((float *)data)[i] = (float)value;
            if (input.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE) ((double *)data)[i] = value;
        }
        return tensor;
    }

    std::map<std::string, OrtValue *> run(const std::map<std::string, OrtValue *> &feeds) const {
        std::vector<const char *> in, out;
        std::vector<const OrtValue *> given;
        std::vector<OrtValue *> made(outputs.size(), nullptr);
        for (const auto &[name, value] : feeds) in.push_back(name.c_str()), given.push_back(value);
        for (const auto &name : outputs) out.push_back(name.c_str());
        check(ort->Run(session, nullptr, in.data(), given.data(), in.size(), out.data(), out.size(),
                       made.data()));
        std::map<std::string, OrtValue *> found;
        for (size_t i = 0; i < made.size(); i++) found[outputs[i]] = made[i];
        return found;
    }
};

__extension__ typedef unsigned __int128 Wide;

// The 64-bit words of NumPy's Philox4x64-10, of which a uniform is the upper 24 bits.
struct Philox {
    uint64_t key[2], words[4], counter = 0;
    int left = 0;

    uint64_t next() {
        if (left > 0) return words[4 - left--];
        uint64_t a = ++counter, b = 0, c = 0, d = 0, k0 = key[0], k1 = key[1];
        for (int round = 0; round < 10; round++) {
            const auto x = (Wide)a * 0xd2e7470ee14c6c93u;
            const auto y = (Wide)c * 0xca5a826395121157u;
            a = (uint64_t)(y >> 64) ^ b ^ k0, b = (uint64_t)y;
            c = (uint64_t)(x >> 64) ^ d ^ k1, d = (uint64_t)x;
            k0 += 0x9e3779b97f4a7c15u, k1 += 0xbb67ae8584caa73bu;
        }
        words[0] = a, words[1] = b, words[2] = c, words[3] = d, left = 3;
        return a;
    }
};

static void write_wav(const char *path, const std::vector<float> &audio, int channels, int rate) {
    const uint32_t bytes = (uint32_t)(2 * audio.size()), riff = 36 + bytes, sixteen = 16;
    const uint32_t hertz = (uint32_t)rate, per_second = (uint32_t)(2 * channels * rate);
    const uint16_t pcm = 1, streams = (uint16_t)channels, frame = (uint16_t)(2 * channels), bits = 16;
    std::FILE *file = std::fopen(path, "wb");
    if (file == nullptr) {
        std::fprintf(stderr, "error: %s cannot be written\n", path);
        std::exit(2);
    }
    const auto put = [&](const void *data, size_t size) { std::fwrite(data, size, 1, file); };
    put("RIFF", 4), put(&riff, 4), put("WAVEfmt ", 8), put(&sixteen, 4), put(&pcm, 2);
    put(&streams, 2), put(&hertz, 4), put(&per_second, 4), put(&frame, 2), put(&bits, 2);
    put("data", 4), put(&bytes, 4);
    for (const float x : audio) {
        const int16_t sample = (int16_t)std::floor((double)x * 32767 + 0.5);
        put(&sample, 2);
    }
    std::fclose(file);
}

int main(int count, char **words) {
    if (count < 3 || ort == nullptr) {
        std::fprintf(stderr, "usage: generate DIR OUT.wav [SECONDS [SEED [TEMPERATURE [NAME=N …]]]]\n");
        return 2;
    }
    const std::string directory = words[1];
    const double seconds = count > 3 ? std::atof(words[3]) : 1;
    const uint64_t seed = count > 4 ? std::strtoull(words[4], nullptr, 10) : 0;
    OrtEnv *env;
    check(ort->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "generate", &env));
    const Graph generator(env, directory + "/generator.onnx");

    std::map<std::string, OrtValue *> feeds; // zeros; no sample is known beforehand
    for (const auto &[name, input] : generator.inputs) feeds[name] = generator.full(name, 0, 0);
    feeds["state.samples"] = generator.full("state.samples", 0, generator.about("silence"));
    feeds["temperature"] = generator.full("temperature", 0, count > 5 ? std::atof(words[5]) : 1);
    if (feeds.count("bias")) { // conditions that do not change with time
        const Graph conditioner(env, directory + "/conditioner.onnx");
        std::map<std::string, OrtValue *> indices;
        for (const auto &[name, input] : conditioner.inputs) indices[name] = conditioner.full(name, 0, -1);
        for (int i = 6; i < count; i++) {
            const std::string pair = words[i], name = pair.substr(0, pair.find('='));
            if (!indices.count(name)) continue;
            indices[name] = conditioner.full(name, 0, std::atof(pair.c_str() + name.size() + 1));
        }
        feeds["bias"] = conditioner.run(indices)["bias"];
    }

    const auto &shape = generator.inputs.at("uniforms").shape;
    const int streams = (int)shape[1], each = (int)shape[2], rate = (int)generator.about("sample_rate");
    std::vector<Philox> random(streams);
    for (int b = 0; b < streams; b++) random[b].key[0] = seed, random[b].key[1] = (uint64_t)b;
    std::vector<float> audio;
    const int64_t samples = std::llround(seconds * rate);
    for (int64_t start = 0; start < samples; start += 1024) {
        const int64_t steps = std::min<int64_t>(1024, samples - start);
        int32_t *uniforms;
        feeds["uniforms"] = generator.full("uniforms", steps, 0);
        check(ort->GetTensorMutableData(feeds["uniforms"], (void **)&uniforms));
        for (int64_t i = 0; i < steps * streams * each; i++)
            uniforms[i] = (int32_t)(random[i / each % streams].next() >> 40);
        auto made = generator.run(feeds);
        ort->ReleaseValue(feeds["uniforms"]);
        float *block;
        check(ort->GetTensorMutableData(made["audio"], (void **)&block));
        audio.insert(audio.end(), block, block + steps * streams);
        for (auto &[name, value] : made) {
            if (name.rfind("next.", 0) != 0) {
                ort->ReleaseValue(value);
                continue;
            }
            OrtValue *&state = feeds["state." + name.substr(5)];
            ort->ReleaseValue(state);
            state = value;
        }
    }
    write_wav(words[2], audio, streams, rate);
    return 0;
}
