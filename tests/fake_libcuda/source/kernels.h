// Cubins as the driver takes them: which GPU they are for, their kernels, and how these take their
// arguments.
//
// To run, a cubin needs code for the host: FAKE_CUDA_KERNELS/IDENTITY.so, of the kernels' own
// source (tests/cuda_on_cpu), and IDENTITY.args, a line a kernel: its name, and for each argument
// `p` or `n`, whether it is an address.
#pragma once

#include <dlfcn.h>
#include <elf.h>

#include <memory>

#include "streams.h"

constexpr int MOST_ARGUMENTS = 24, PLAIN_SHARED = 48 << 10, PORTABLE_CLUSTER = 8;

struct Library;
struct Kernel {
    Library *library;
    std::string name, kinds;       // kinds: of the arguments, of IDENTITY.args
    std::map<int, int> sizes;      // bytes, by offset
    int max_threads = 1024, registers = 0, static_shared = 0;
    int toolkit = 0;                // version of CUDA that it was compiled by: 135 is 13.5
    int max_shared = PLAIN_SHARED;  // dynamic
    bool non_portable = false;
};
struct Library {
    std::map<std::string, std::unique_ptr<Kernel>> kernels;
    void *host = nullptr;
    unsigned identity = 0;
};
static std::set<Library *> libraries;
static std::set<Kernel *> all_kernels;

// A cubin is an ELF file whose bytes are read as they lie; nothing says how many there are.
struct Cubin {
    const unsigned char *at;
    const Elf64_Ehdr &head() const { return *(const Elf64_Ehdr *)at; }
    const Elf64_Shdr *sections() const { return (const Elf64_Shdr *)(at + head().e_shoff); }
    const char *name(const Elf64_Shdr &section) const {
        return (const char *)at + sections()[head().e_shstrndx].sh_offset + section.sh_name;
    }
    bool valid() const {
        return !memcmp(at, ELFMAG, SELFMAG) && head().e_machine == 190 &&  // EM_CUDA
               head().e_shentsize == sizeof(Elf64_Shdr) && head().e_shstrndx < head().e_shnum;
    }
    // The same for code that differs in the compiler's notes alone: FNV-1a of all instructions.
    unsigned identity() const {
        unsigned hash = 2166136261u;
        for (int i = 0; i < head().e_shnum; i++)
            if (sections()[i].sh_flags & SHF_EXECINSTR)
                for (size_t j = 0; j < sections()[i].sh_size; j++)
                    hash = (hash ^ at[sections()[i].sh_offset + j]) * 16777619u;
        return hash;
    }
    // From ABI version 8 on (CUDA 13) it is the second byte.
    int arch() const {
        const int shift = head().e_ident[EI_ABIVERSION] >= 8 ? 8 : 0;
        return head().e_flags >> shift & 0xff;
    }
};

// The attributes of a kernel, section .nv.info.NAME: format, kind, and a size or a value.
static void read_info(Kernel &kernel, const unsigned char *at, const unsigned char *end) {
    enum { WITH_SIZE = 4, MAX_THREADS = 0x05, PARAMETER = 0x17, TOOLKIT = 0x37 };
    while (at + 4 <= end) {
        const int format = at[0], kind = at[1], size = at[2] | at[3] << 8;
        const unsigned char *body = at + 4;
        at = body + (format == WITH_SIZE ? size : 0);
        if (format != WITH_SIZE || at > end) continue;
        if (kind == PARAMETER && size == 12) {
            unsigned words[3];
            memcpy(words, body, 12);
            kernel.sizes[words[1] >> 16] = words[2] >> 18;
        } else if (kind == MAX_THREADS && size == 12) {
            memcpy(&kernel.max_threads, body, 4);
        } else if (kind == TOOLKIT && size == 4) {
            memcpy(&kernel.toolkit, body, 4);
        }
    }
}

static void find_host_code(Library &library) {
    const char *directory = getenv("FAKE_CUDA_KERNELS");
    if (!directory) return;
    char path[1000];
    snprintf(path, sizeof path, "%s/%08x.so", directory, library.identity);
    library.host = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library.host) return;
    snprintf(path, sizeof path, "%s/%08x.args", directory, library.identity);
    FILE *file = fopen(path, "r");
    if (!file) misuse("there is no %s", path);
    char name[200], kinds[100];
    while (fscanf(file, "%199s %99s", name, kinds) == 2)
        if (library.kernels.count(name)) library.kernels[name]->kinds = kinds;
    fclose(file);
}

static CUresult load(Library **result, const void *code) {
    const Cubin cubin = {(const unsigned char *)code};
    if (!cubin.valid()) return INVALID_IMAGE;
    if (cubin.arch() != gpu.arch) return NO_BINARY_FOR_GPU;
    auto library = std::make_unique<Library>();
    library->identity = cubin.identity();
    static const char TEXT[] = ".text.", INFO[] = ".nv.info.", SHARED[] = ".nv.shared.";
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < cubin.head().e_shnum; i++) {
            const Elf64_Shdr &section = cubin.sections()[i];
            const std::string name = cubin.name(section);
            const auto named = [&](const char *prefix) -> Kernel * {
                if (name.rfind(prefix, 0)) return nullptr;
                const auto found = library->kernels.find(name.substr(strlen(prefix)));
                return found == library->kernels.end() ? nullptr : found->second.get();
            };
            if (pass == 0 && !name.rfind(TEXT, 0)) {
                auto kernel = std::make_unique<Kernel>();
                kernel->library = library.get();
                kernel->name = name.substr(strlen(TEXT));
                kernel->registers = section.sh_info >> 24;
                library->kernels[kernel->name] = std::move(kernel);
            } else if (Kernel *kernel = pass ? named(INFO) : nullptr) {
                const unsigned char *at = cubin.at + section.sh_offset;
                read_info(*kernel, at, at + section.sh_size);
            } else if (Kernel *kernel = pass ? named(SHARED) : nullptr) {
                kernel->static_shared = (int)section.sh_size;
            }
        }
    if (library->kernels.empty()) return INVALID_IMAGE;
    for (auto &[name, kernel] : library->kernels)  // which error a real one has for it is assumed
        if (kernel->toolkit / 10 > gpu.driver / 1000) return INVALID_IMAGE;
    for (auto &[name, kernel] : library->kernels) all_kernels.insert(kernel.get());
    find_host_code(*library);
    note("%08x %s", library->identity, library->host ? "runs here" : "does not run here");
    *result = library.release();
    libraries.insert(*result);
    return SUCCESS;
}

// One launch, with its arguments as they were when it was enqueued.
struct Launch {
    Kernel *kernel;
    int clusters, cluster, threads, shared, together;
    uint64_t words[MOST_ARGUMENTS];

    // Whether the GPU takes it.
    CUresult check() const {
        const Kernel &of = *kernel;
        if (threads <= 0 || clusters <= 0 || shared < 0) return INVALID_VALUE;
        if (threads > of.max_threads || threads > 1024) return INVALID_VALUE;
        const int most = of.max_shared > PLAIN_SHARED ? of.max_shared : PLAIN_SHARED;
        if (shared + of.static_shared > most) return INVALID_VALUE;
        if (cluster > 1 && gpu.arch < 90) return NOT_SUPPORTED;
        if (cluster > (of.non_portable ? 16 : PORTABLE_CLUSTER)) return INVALID_CLUSTER_SIZE;
        if (cluster > gpu.most_cluster) return INVALID_CLUSTER_SIZE;
        if (together && clusters * cluster > gpu.multiprocessors) return COOPERATIVE_TOO_LARGE;
        // A multiprocessor's 65,536 registers are dealt out to warps in eights a thread.
        const int each = (of.registers + 7) / 8 * 8;
        return (threads + 31) / 32 * 32 * each > 65536 ? LAUNCH_OUT_OF_RESOURCES : SUCCESS;
    }

    CUresult run(int number) const {
        const Kernel &of = *kernel;
        if (!of.library->host) misuse("cubin %08x has no code for the host", of.library->identity);
        for (size_t i = 0; i < of.kinds.size(); i++)
            if (of.kinds[i] == 'p' && words[i] && !allocated(words[i], 1))
                misuse("argument %zu of %s, %#llx, is no address of the device's", i,
                       of.name.c_str(), (CUdeviceptr)words[i]);
        typedef const char *(*Shim)(void *, int, int, int, int, int, const uint64_t *, unsigned);
        const Shim shim = (Shim)dlsym(of.library->host, "shim_launch");
        void *function = dlsym(of.library->host, of.name.c_str());
        if (!shim || !function) misuse("the host's code has no %s", of.name.c_str());
        const char *failure =
            shim(function, clusters, cluster, threads, shared, together, words, number);
        if (failure) misuse("%s: %s", of.name.c_str(), failure);
        return SUCCESS;
    }
};

static CUresult launch(const LaunchConfig &config, Kernel *kernel, void **parameters) {
    Launch made = {kernel, 0, 1, (int)config.block[0], (int)config.shared, 0, {}};
    for (int i = 1; i < 3; i++)
        if (config.grid[i] != 1 || config.block[i] != 1) misuse("a launch has one dimension here");
    for (unsigned i = 0; i < config.count; i++) {
        const LaunchAttribute &attribute = config.attributes[i];
        if (attribute.id == COOPERATIVE) {
            made.together = attribute.cooperative;
            continue;
        }
        if (attribute.id != CLUSTER_DIMENSION) misuse("launch attribute %d", attribute.id);
        made.cluster = (int)attribute.cluster[0];
        if (attribute.cluster[1] != 1 || attribute.cluster[2] != 1) return INVALID_CLUSTER_SIZE;
    }
    if (made.cluster <= 0 || config.grid[0] % made.cluster) return INVALID_CLUSTER_SIZE;
    made.clusters = (int)config.grid[0] / made.cluster;  // the grid counts blocks
    if (const CUresult refused = made.check()) return refused;
    if (kernel->sizes.size() > MOST_ARGUMENTS) misuse("%zu arguments", kernel->sizes.size());
    size_t at = 0;
    for (const auto &[offset, bytes] : kernel->sizes) {
        if (!parameters || !parameters[at]) misuse("argument %zu is missing", at);
        memcpy(&made.words[at], parameters[at], bytes);
        at++;
    }
    if (kernel->library->host && kernel->kinds.size() != kernel->sizes.size())
        misuse("%s takes %zu arguments", kernel->name.c_str(), kernel->sizes.size());
    note("%s clusters %d of %d, threads %d, shared %d, arguments %zu", kernel->name.c_str(),
         made.clusters, made.cluster, made.threads, made.shared, at);
    static int runs;
    return enqueue(config.stream, [made]() -> CUresult {
        const CUresult fault = fault_of("launch");
        return fault ? fault : made.run(++runs);
    });
}
