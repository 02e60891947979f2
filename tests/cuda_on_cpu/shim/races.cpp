// One launch as a program of its own, for ThreadSanitizer: that of -DSHIM_KERNEL=… of the source.
//
//     races [MEETING] < launch > memory
//
// launch: eight words (clusters, blocks of each, threads, shared bytes, whether all blocks run at
// once, seed, allocations, arguments); the allocations, each its size and its bytes; the arguments, each an allocation and an
// offset in it, or -1 and a number. memory: the allocations afterwards. To stderr goes where the first
// lanes of the warps meet, in order: block, warp, sync, arrive, come, arm or pass, then `barrier` or
// `signal`, its number, and its block. MEETING, as "barrier 3", shall order nothing.
#include <unistd.h>

#include "shim.cpp"

static void read(void *to, size_t bytes) {
    if (fread(to, 1, bytes, stdin) != bytes) exit(2);
}

int main(int count, char **given) {
#ifdef __SANITIZE_THREAD__
    shim::look_away();  // for good: the kernel's threads are others
    if (count > 1) shim::without_order = given[1];
#endif
    long long head[8];
    read(head, sizeof head);
    std::vector<std::vector<char>> allocations(head[6]);
    for (auto &each : allocations) {
        long long size;
        read(&size, sizeof size);
        each.resize(size);
        read(each.data(), size);
    }
    void *arguments[24] = {};
    for (int i = 0; i < head[7]; i++) {
        long long argument[2];
        read(argument, sizeof argument);
        arguments[i] = (void *)argument[1];
        if (argument[0] >= 0) arguments[i] = allocations[argument[0]].data() + argument[1];
    }
    const char *failure = shim_launch((void *)SHIM_KERNEL, (int)head[0], (int)head[1], (int)head[2],
                                      (int)head[3], (int)head[4], arguments, (u32)head[5]);
    if (failure) {
        fprintf(stderr, "%s\n", failure);
        return 3;
    }
    for (const auto &each : allocations) fwrite(each.data(), 1, each.size(), stdout);
    fflush(stdout);
    _exit(0);  // what is torn down at the end is of no interest
}
