/* Who makes which columns of a sample, and how threads wait for each other; team.h says why nobody
 * waits for ever. */
#ifndef WN_SHARES_H
#define WN_SHARES_H

#include "layers.h"

typedef struct {
    int begin, end; /* columns, whole parts (matrix.h) */
} range;

/* What helper k of so many has of n columns. */
INLINE range columns_of(int k, int helpers, int n) {
    const int parts = (n + PART - 1) / PART;
    return (range){parts * (k - 1) / helpers * PART, parts * k / helpers * PART};
}

/* What place k has of the last product's columns. The chain's thread has half a share where it sums
 * up all older taps before. */
INLINE range last_columns(const team *t, int k, int helpers) {
    const int all = (A + PART - 1) / PART, parts = LEAVE_SUMS && t->leaves ? 1 : 2;
    const int own = all / (parts * (helpers + 1));
    if (k == 0) return (range){(all - own) * PART, all * PART};
    return columns_of(k, helpers, (all - own) * PART);
}

INLINE void await(const flag *f, uint64_t n) {
    if (spin(f, n, LATE_NS)) return;
    do nap(NAP_NS);
    while (seen(f) < n);
}

/* Columns of the skip sum, as the z of a sample arrive: the first is the one after `before`. */
static void sum_skip(const model *m, state *s, range own, uint64_t before) {
    team *t = &s->team;
    const int end = own.end < S ? own.end : S;
    float scale[BATCH];
    for (int b = 0; b < BATCH; b++) {
        scale[b] = UNIT_SCALE;
        memcpy(s->skip + b * S + own.begin, m->skip_bias + own.begin,
               sizeof(float) * (size_t)(end - own.begin));
    }
    uint64_t known = 0;
    for (int layer = 0; layer < LAYERS; layer++) {
        const uint64_t needed = before + (uint64_t)layer + 1;
        if (known < needed) {
            await(&t->rows, needed);
            known = seen(&t->rows);
        }
        /* A row comes from another core's cache: asked for while the one before it is worked on. */
        for (int next = layer + 1; next <= layer + 2 && next < LAYERS; next++)
            if (known > before + (uint64_t)next)
                for (int i = 0; i < (int)sizeof t->z[0]; i += 64)
                    __builtin_prefetch(t->z[next].bytes + i);
        multiply_part(BATCH, Z, S, COLUMNS(&m->layer[layer].skip),
                      (rows_io){t->z[layer].bytes, scale, s->skip, S, s->skip}, own.begin, own.end);
    }
}

/* All columns of x through relu to a row. */
INLINE void take_in(workplace *p, const float *x, int n) {
    memcpy(p->x, x, sizeof(float) * BATCH * (size_t)n);
    for (int b = 0; b < BATCH; b++)
        relu_row(p->bytes + b * ROW_BYTES(n), p->scale + b, p->x + b * n, n);
}

/* Share k of all that step t adds to tap 0: bias and older taps of some layers. k = 0: the chain's. */
static void prepare_share(const block *b, int32_t t, int helpers, int k, tap_rows *room) {
    const moment now = {t, b->steps};
    state *s = b->s;
    const int begin = LAYERS * k / (helpers + 1), end = LAYERS * (k + 1) / (helpers + 1);
    for (int layer = 0, base = 0; layer < end; base += OLDER * dilations[layer++]) {
        if (layer < begin) continue;
        prepare_layer(b->m, s, room, b->bias, layer, base, now, 1);
        if (!summed(layer, now)) older_taps(b->m, s, layer, base, now, s->team.ahead[layer]);
    }
}

#if LEAVE_SUMS
/* Share k of the tap_sums of some steps to come. The next sample may be under way: what they read
 * was written before this one, and what they write is read after the next. */
static void make_later_sums(const model *m, state *s, int helpers, int k, uint64_t sample) {
    const tap_jobs *jobs = jobs_of(&s->team, sample);
    for (int i = k - 1; i < jobs->count; i += helpers) {
        const delay_line line = jobs->line[i];
        const int later = early_by(line.layer, 1);
        sum_older_taps(m, s, &s->team.place[k].tap_rows, jobs->bias, line, jobs->now, later, 0,
                       sums_of(s, line.layer, jobs->now.t + later, 1));
    }
}
#endif

INLINE void clear_jobs(team *t, uint64_t sample) {
#if LEAVE_SUMS
    jobs_of(t, sample)->count = 0;
#else
    (void)t, (void)sample;
#endif
}

/* A phase of share k of a sample. */
static void make_phase(const model *m, state *s, int helpers, int k, int phase, uint64_t sample) {
    workplace *p = &s->team.place[k];
    if (phase == LATER_SUMS) {
#if LEAVE_SUMS
        make_later_sums(m, s, helpers, k, sample);
#endif
        return;
    }
    if (phase == OLDER_TAPS) {
#if SHARE_TAPS
        const block *b = s->team.block;
        if (s->team.t + 1 < b->steps) prepare_share(b, s->team.t + 1, helpers, k, &p->tap_rows);
#endif
        return;
    }
    if (phase == SKIP_SUMS) {
        const range own = columns_of(k, helpers, S);
        if (own.begin < own.end) sum_skip(m, s, own, sample * LAYERS);
    }
    if (phase == HEAD_0) {
        const range own = columns_of(k, helpers, H);
        if (own.begin == own.end) return;
        take_in(p, s->skip, S);
        rows_io io = {p->bytes, p->scale, m->head0_bias, 0, s->hidden};
        for (int i = 0; i < HEAD0_PARTS; i++) {
            multiply_part(BATCH, S, H, COLUMNS(&m->head0[i]), io, own.begin, own.end);
            io.init = s->hidden, io.init_stride = H;
        }
    }
    if (phase == HEAD_1) {
        const range own = last_columns(&s->team, k, helpers);
        if (own.begin == own.end) return;
        take_in(p, s->hidden, H);
        rows_io io = {p->bytes, p->scale, m->head1_bias, 0, s->params};
        for (int i = 0; i < HEAD1_PARTS; i++) {
            multiply_part(BATCH, H, A, COLUMNS(&m->head1[i]), io, own.begin, own.end);
            io.init = s->params, io.init_stride = A;
        }
    }
}

/* The shares, a set of bits, of a sample, phase by phase; before one of the head's everybody has done
 * the one before. */
static void make_shares(const model *m, state *s, int helpers, uint32_t shares, uint64_t sample) {
    team *t = &s->team;
    for (int phase = 0; phase < PHASES; phase++) {
        const uint64_t done = sample * PHASES + (uint64_t)phase;
        if (phase > SKIP_SUMS && phase <= HEAD_1)
            for (int k = 1; k <= helpers; k++) await(&t->made[k], done);
        for (int k = 1; k <= helpers; k++)
            if (shares >> k & 1) {
                make_phase(m, s, helpers, k, phase, sample);
                raise_to(&t->made[k], done + 1);
            }
    }
}

/* Whether this thread is the first to claim share k of a sample. */
INLINE int claim(team *t, int k, uint64_t sample) {
    return atomic_compare_exchange_strong(&t->claimed[k].count, &sample, sample + 1);
}

/* No sample has begun for a while: 0 when the helper may go. */
static int stand_by(team *t) {
    const uint32_t calls = atomic_load(&t->calls);
    if (atomic_load(&t->dismissed)) return 0;
    if (calls % 2) {
        nap(NAP_NS); /* within a call, whose thread has lost its core */
        return 1;
    }
    atomic_fetch_add(&t->asleep, 1);
    sleep_while(&t->calls, calls);
    atomic_fetch_sub(&t->asleep, 1);
    return 1;
}

static void help(const model *m, state *s, int k) {
    team *t = &s->team;
    const uint64_t denormals = flush_denormals();
    amx_begin();
    for (;;) {
        const uint64_t sample = seen(&t->claimed[k]);
        if (!spin(&t->rows, sample * LAYERS + 1, LINGER_NS)) {
            if (!stand_by(t)) break;
        } else if (now_ns() < (int64_t)seen(&t->rests[k])) {
            nap(NAP_NS);
        } else if (claim(t, k, sample)) {
            make_shares(m, s, (int)atomic_load(&t->helpers), 1u << k, sample);
        }
    }
    amx_end();
    restore_denormals(denormals);
}

#ifndef CHAIN_TIME
#define CHAIN_TIME 1.3
#endif

/* Settles which layers' tap_sums are left to helpers, and returns how many: as many as they have time
 * for while the chain lasts. Of a weight the chain, which waits for its own products, takes CHAIN_TIME
 * times as long (L20 R64 S128 in int8 on a Zen 3). engines/native/helped.py has the same. */
INLINE int leave_sums(unsigned char *left, int helpers) {
    const double chain = CHAIN_TIME * LAYERS * R * (G + Z), skip = 1.0 * LAYERS * Z * S / helpers;
    double room = (chain - skip) * helpers;
    int leaves = 0;
    for (int layer = 0; layer < LAYERS; layer++) {
        left[layer] = LEAVE_SUMS && early_by(layer, 1) && room >= OLDER * R * G;
        room -= left[layer] * OLDER * R * G;
        leaves += left[layer];
    }
    return leaves;
}

static void call_helpers(const block *b) {
    team *t = &b->s->team;
    atomic_store(&t->helpers, (uint32_t)b->helpers);
    atomic_fetch_add(&t->calls, 1);
    if (atomic_load(&t->asleep)) wake_all(&t->calls);
}

static void release_helpers(const block *b) { atomic_fetch_add(&b->s->team.calls, 1); }

static void dismiss(state *s) {
    team *t = &s->team;
    atomic_store(&t->dismissed, 1);
    atomic_fetch_add(&t->calls, 2);
    wake_all(&t->calls);
}

/* In a process that was forked off, between calls: of its helpers, which are not in it, some may not
 * have said yet that they are done with the last sample, of which nothing was left to make. */
static void forget_helpers(state *s) {
    team *t = &s->team;
    for (int k = 1; k <= MOST_HELPERS; k++) raise_to(&t->made[k], t->samples * PHASES);
    atomic_store(&t->asleep, 0);
}

/* Waits for helper k to have done so many phases. One that claimed its share and then lost its core
 * is left out for a while: on a core that it shares it would be late again and again. */
INLINE void await_helper(team *t, int k, uint64_t phases) {
    const int64_t began = now_ns();
    if (spin(&t->made[k], phases, LATE_NS)) return;
    await(&t->made[k], phases);
    const int64_t now = now_ns();
    raise_to(&t->rests[k], (uint64_t)(now + REST * (now - began)));
}

/* Step t of a block: its params. */
static void helped_step(block *b, int32_t t) {
    team *team = &b->s->team;
    const uint64_t sample = team->samples;
    if (t == 0) {
        clear_jobs(team, sample);
        prepare_share(b, 0, 0, 0, &b->s->tap_rows);
    }
    clear_jobs(team, sample + 1);
    team->block = b, team->t = t;
    layers_step(b->m, b->s, (moment){t, b->steps}, 1);
    uint32_t unclaimed = 0;
    for (int k = 1; k <= b->helpers; k++)
        if (claim(team, k, sample)) {
            await_helper(team, k, sample * PHASES);
            unclaimed |= 1u << k;
            team->missed++;
        }
    if (unclaimed) make_shares(b->m, b->s, b->helpers, unclaimed, sample);
    if (t + 1 < b->steps)
        prepare_share(b, t + 1, SHARE_TAPS ? b->helpers : 0, 0, &b->s->tap_rows);
    for (int k = 1; k <= b->helpers; k++) await_helper(team, k, sample * PHASES + HEAD_1);
    make_phase(b->m, b->s, b->helpers, 0, HEAD_1, sample);
    for (int k = 1; k <= b->helpers; k++) await_helper(team, k, sample * PHASES + LATER_SUMS);
    team->samples++;
}

#endif
