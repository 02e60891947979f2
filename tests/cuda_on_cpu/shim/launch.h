// Runs a launch: its clusters one after another in a random order, the blocks of one together.
//
// Every round begins elsewhere, warps and blocks have speeds of their own, and a warp goes on for a
// random while. So a missing barrier or signal gives wrong results here too. Where no thread can go
// on, the launch fails and says who waits for what.
#pragma once

#include <map>
#include <string>

#include "flags.h"

namespace shim {

typedef void *Word;
typedef void (*Kernel)(Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word,
                       Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word);
static Kernel kernel;
static Word *arguments;

static void thread() {
    Word *a = arguments;
    kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
           a[14], a[15], a[16], a[17], a[18], a[19], a[20], a[21], a[22], a[23]);
}

static u64 random_state;
static u32 random_below(u32 end) {  // xorshift64*
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (u32)((random_state * 0x2545f4914f6cdd1dull >> 32) * end >> 32);
}

static std::string described(Warp &of, int lane) {
    const Fibre &fibre = of.fibres[lane];
    Block &block = *of.block;
    char text[160];
    if (fibre.reason == AT_BARRIER) {
        const Barrier &at = block.barriers[fibre.at];
        snprintf(text, sizeof text, "at barrier %d (%d of %d have arrived)", fibre.at, at.arrived,
                 at.threads);
    } else if (fibre.reason == IN_WARP) {
        snprintf(text, sizeof text, "in %s (%d of 32 lanes of warp %d have come)", of.operation,
                 of.met, of.first / LANES);
    } else if (fibre.reason == FOR_SIGNAL) {
        const State now = bits_as<State>(((const Signal *)(block.base() + fibre.at))->word);
        snprintf(text, sizeof text,
                 "for phase %d of the signal at byte %d (%d arrivals, %d bytes to come)",
                 (int)of.waits[lane].value, fibre.at, (int)now.pending, (int)now.bytes);
    } else if (fibre.reason == FOR_MARK) {
        snprintf(text, sizeof text, "for mark %d of a place that has %d", fibre.at,
                 (int)(*of.waits[lane].word >> 32));
    } else {
        snprintf(text, sizeof text, "at cluster_sync (%d of %d have arrived)", cluster.arrived,
                 cluster.live);
    }
    return text;
}

static void fail_of_deadlock(const std::vector<Warp *> &live) {
    std::map<std::pair<u32, std::string>, int> waiting;
    for (Warp *each : live)
        for (int i = 0; i < each->lanes; i++)
            if (each->waits[i].mask) waiting[{each->block->index, described(*each, i)}]++;
    std::string text = "no thread can go on";
    for (auto &[what, threads] : waiting)
        text += "; " + std::to_string(threads) + " of block " + std::to_string(what.first) +
                " wait " + what.second;
    fail("%s", text.c_str());
}

#ifdef __SANITIZE_THREAD__
// A line a meeting, of the first lane of each warp.
static void tell(const char *what, const Meeting &at) {
    if (lane == 0)
        fprintf(stderr, "%d %d %s %s %d %d\n", warp->block->rank, warp->first / LANES, what, at.kind,
                at.number, at.rank);
}
#endif

static void end(Warp &of) {
    of.live--;
    of.block->live--;
    cluster.live--;
    complete_cluster_sync();
    if (of.block->live > 0) return;
    of.block->check_guards();
    for (const Transfer &transfer : transfers)
        if (transfer.block == of.block)
            fail("block %u ended before what is on the way to it", of.block->index);
}

// Whether any of its lanes could go on. A pass gives each one turn.
static bool run(Warp &now, int passes) {
    if (now.alike && !now.waits[now.waiting].over()) return false;
    now.alike = false;
    for (int pass = 0; pass < passes; pass++) {
        bool any = false;
        int of = random_below(now.lanes);
        const int step = random_below(2) ? 1 : now.lanes - 1;
        for (int i = 0; i < now.lanes; i++) {
            of += of + step < now.lanes ? step : step - now.lanes;
            if (!now.waits[of].over()) continue;
            run(now, of, now.block->index);
            if (failure[0]) return true;
            if (!now.waits[of].mask) end(now);
            any = true;
        }
        if (any) continue;
        now.alike = true;
        now.waiting = -1;
        for (int i = 0; i < now.lanes && now.alike; i++) {
            if (!now.waits[i].mask) continue;
            if (now.waiting < 0) now.waiting = i;
            now.alike = !memcmp(&now.waits[i], &now.waits[now.waiting], sizeof(Wait));
        }
        now.alike = now.alike && now.waiting >= 0;
        return pass > 0;
    }
    return true;
}

template <typename T> static bool deliver(std::vector<T> &on_the_way, u32 of_8) {
    bool any = false;
    for (size_t left = on_the_way.size(); left > 0 && !failure[0]; left--) {
        std::swap(on_the_way[left - 1], on_the_way[random_below(left)]);
        if (random_below(8) >= of_8) continue;
        const T now = on_the_way[left - 1];
        on_the_way[left - 1] = on_the_way.back();
        on_the_way.pop_back();
        now.deliver();
        any = true;
    }
    return any;
}

static void run_cluster() {
    scheduler_watched = this_thread();
    std::vector<Warp *> live;
    for (int i = 0; i < cluster.size * ((cluster.threads + LANES - 1) / LANES); i++)
        live.push_back(&cluster.warps[i]);
    bool patient = false;  // nobody is left out: if none goes on now, none ever will
    for (u32 round = 0; !live.empty() && !failure[0]; round++) {
        if (round % 64 == 0) {
            for (int i = 0; i < cluster.size; i++) cluster.blocks[i].speed = 1 + random_below(8);
            for (Warp *each : live) each->speed = 1 + random_below(each->block->speed);
        }
        bool any = false;
        const size_t count = live.size(), first = random_below(count);
        for (size_t i = 0; i < count && !failure[0]; i++) {
            Warp &now = *live[(first + i) % count];
            if (!patient && (int)random_below(8) >= now.speed) continue;
            any |= run(now, 1 << random_below(12));
        }
        any |= deliver(transfers, patient ? 8 : random_below(9));
        any |= deliver(posts, patient ? 8 : random_below(9));
        for (size_t i = live.size(); i-- > 0;)
            if (live[i]->live == 0) live.erase(live.begin() + i);
        if (!any && patient && !live.empty()) fail_of_deadlock(live);
        patient = !any;
    }
    deliver(posts, 8);
}

static void open_cluster(int index, int shared) {
    const int warps = (cluster.threads + LANES - 1) / LANES;
    while ((int)cluster.blocks.size() < cluster.size) cluster.blocks.emplace_back();
    while ((int)cluster.warps.size() < cluster.size * warps) cluster.warps.emplace_back();
    cluster.phase = cluster.arrived = 0;
    cluster.live = cluster.size * cluster.threads;
    for (int rank = 0; rank < cluster.size; rank++) {
        Block &block = cluster.blocks[rank];
        block.open(index * cluster.size + rank, rank, cluster.threads, shared);
        for (int i = 0; i < warps; i++) {
            Warp &now = cluster.warps[rank * warps + i];
            now.block = &block;
            if (!now.watched) now.watched = new_thread(rank, i);
            now.first = i * LANES;
            now.lanes = now.live = std::min(LANES, cluster.threads - now.first);
            now.alike = false;
            now.exchanges = now.met = 0;
            for (int j = 0; j < now.lanes; j++) now.waits[j] = NO_WAIT;
        }
    }
}

// What is left of threads that never came to their end.
static void abandon() {
    transfers.clear();
    posts.clear();
    for (Warp &each : cluster.warps)
        for (Fibre &fibre : each.fibres) fibre.started = false;
}

}  // namespace shim
