/* Several cores for one stream: what their threads share. shares.h has what they do.
 *
 * The next sample waits for the chain h -> a -> z -> h of all layers, then for the last skip sums,
 * the head and the draw. The chain's thread, the caller's, leaves to helpers what stands beside it:
 * each helper has some columns of the skip sums, which it adds up as the z of the layers arrive, and
 * of both of the head's products. Meanwhile the chain's thread sums the older taps of the next step,
 * and then takes part in the last product.
 *
 * While helpers would wait for z, they have older taps, too: those that are known long before they
 * are needed (LEAVE_SUMS), in what time the skip sums leave them; where skip sums are little beside
 * the chain (SHARE_TAPS), some layers' of the next step.
 *
 *     chain     z z z z … z | older taps of the next step | head 1 | draw
 *     helper       skip skip … skip | head 0 | older taps |  head 1 | later sums
 *
 * Every number is added up in the order in which one thread adds it, so that the samples are the
 * same to the bit.
 *
 * Who makes a helper's share of a sample is settled by a claim: the helper claims it when it sees
 * the sample's first z. Where it has not by the time the chain's thread has all z, that thread
 * claims it and makes it: a helper that sleeps, waits for a core or is not there at all costs
 * nothing but its share of speed. One that claimed and then lost its core is waited for; after that
 * it is left out for a while.
 */
#ifndef WN_TEAM_H
#define WN_TEAM_H

#ifdef WN_ALONE /* for one thread, on anything that runs C: nothing asks the system */
#define TEAM 0
#define MOST_HELPERS 0
#define APART 64
#else
#define TEAM (BATCH == 1) /* where there are more streams, threads share those */
#define MOST_HELPERS 7
#define APART 128 /* bytes between what threads write: CPUs fetch cache lines in pairs */
#endif

#include "block.h"
#include "flags.h"

#ifndef SHARE_TAPS
#define SHARE_TAPS (TEAM && OLDER && 2 * Z * S <= R * (G + Z))
#endif

/* Whether helpers make tap_sums for some steps to come, while they would wait for z. */
#ifndef LEAVE_SUMS
#define LEAVE_SUMS (TEAM && TAP_STEPS > 1 && !SHARE_TAPS)
#endif

#define PLACES (MOST_HELPERS + 1) /* the chain's thread has place 0 */
/* Of a helper's sample, in this order. */
enum { SKIP_SUMS, HEAD_0, OLDER_TAPS, HEAD_1, LATER_SUMS, PHASES = LATER_SUMS + LEAVE_SUMS };

#define LATE_NS 1000000         /* who is waited for longer waits for a core, and does no work */
#define LINGER_NS 100000        /* a helper is awake so long after a call: another may follow */
#define NAP_NS 50000            /* between looks, while somebody has no core */
#define REST 4                  /* a late helper is left out for so many times what was waited */

/* What makes columns of the head needs the whole row before them, in memory of its own. */
typedef struct {
    _Alignas(APART) float x[BATCH * (S > H ? S : H)];
    _Alignas(64) row bytes[BATCH * ROW_BYTES(S > H ? S : H)];
    float scale[BATCH];
#if SHARE_TAPS || LEAVE_SUMS
    tap_rows tap_rows;
#endif
} workplace;

/* The tap_sums that helpers make in a sample, for steps to come: of which delay lines, as they are
 * when it begins. */
typedef struct {
    held_bias bias;
    moment now;
    int count;
    delay_line line[LAYERS];
} tap_jobs;

struct block;

/* Zeros at first. */
typedef struct {
    flag rows;            /* z rows since the first call: a sample has LAYERS */
    flag claimed[PLACES]; /* samples whose share k somebody makes, or has made */
    flag made[PLACES];    /* phases of share k that are done: PHASES a sample */
    flag rests[PLACES];   /* helper k claims nothing before: a time in nanoseconds */
    _Alignas(APART) _Atomic uint32_t calls; /* begun and ended: odd within one */
    _Atomic uint32_t asleep, helpers, dismissed;
    int leaves; /* layers whose tap_sums are left to helpers, of this call */
    /* Of the chain's thread alone. */
    _Alignas(APART) uint64_t samples; /* made so far */
    uint64_t missed;                /* shares of helpers that it had to make */
    const struct block *block;      /* under way; helpers read these two within a sample */
    int32_t t;                      /* its step that the sample is */
    _Alignas(64) float ahead[LAYERS][BATCH * G]; /* bias and older taps of the next step */
#if LEAVE_SUMS
    unsigned char left[LAYERS]; /* which these are */
    /* Of samples in turns: the next one's are told while the last one's may still be made. */
    _Alignas(APART) tap_jobs jobs[3];
#endif
    /* Of all. */
    struct {
        _Alignas(64) row bytes[BATCH * ROW_BYTES(Z)];
    } z[LAYERS];
    workplace place[PLACES];
} team;

#if LEAVE_SUMS
INLINE tap_jobs *jobs_of(team *t, uint64_t sample) { return &t->jobs[sample % 3]; }
#endif

#endif
