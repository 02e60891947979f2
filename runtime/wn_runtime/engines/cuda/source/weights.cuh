// Finding a layer's weights, wherever they are; and the warp that keeps a ring of them filled.
#ifndef WN_WEIGHTS_CUH
#define WN_WEIGHTS_CUH

#if SOURCE == RING

// The stages in the order in which they are used: one step's layers, then the head's chunks.
struct Ring {
    Shared *shared;
    unsigned char *stages;
    int lane, stage, phase;

    METHOD Ring(const Here &here)
        : shared(here.shared), stages(here.weights), lane(here.lane.index), stage(0), phase(0) {}
    // The stage at hand, once it is filled.
    METHOD const unsigned char *wait() const {
        signal_wait(&shared->full[stage], phase);
        return stages + stage * STAGE;
    }
    // On to the next; every warp lets go of every stage, used or not.
    METHOD void next() {
        __syncwarp();
        if (lane == 0) signal_arrive(&shared->empty[stage]);
        if (++stage == STAGES) stage = 0, phase ^= 1;
    }
    METHOD void skip(int count) {
        for (int i = 0; i < count; i++) {
            signal_wait(&shared->full[stage], phase);  // else it might lap the others
            next();
        }
    }
};

FORCE void fill_ring(const Here &here) {
    const Block &block = *here.block;
    Shared *shared = here.shared;
    int stage = 0, phase = 1;  // the phase before the first is over: all stages are empty
    for (int step = 0; step < block.steps; step++)
        for (int i = 0; i < CYCLE; i++) {
            const unsigned char *from;
            int bytes;
            if (i < LAYERS) {
                from = (const unsigned char *)&block.model->layer[i], bytes = STAGE;
            } else if (i < LAYERS + CHUNKS0) {
                const int m = (i - LAYERS) * M_CHUNK0;
                const int count = m + M_CHUNK0 < M_HEAD ? M_CHUNK0 : M_HEAD - m;
                from = (const unsigned char *)block.model->head0[m], bytes = count * KT_S * 512;
            } else {
                const int m = (i - LAYERS - CHUNKS0) * M_CHUNK1;
                const int count = m + M_CHUNK1 < M_PARAMS ? M_CHUNK1 : M_PARAMS - m;
                from = (const unsigned char *)block.model->head1[m], bytes = count * KT_H * 512;
            }
            signal_wait(&shared->empty[stage], phase);
            fill(here.weights + stage * STAGE, from, bytes, &shared->full[stage]);
            if (++stage == STAGES) stage = 0, phase ^= 1;
        }
}

#else

// Nothing to wait for.
struct Ring {
    METHOD Ring(const Here &) {}
    METHOD void next() {}
};

#endif

FORCE void copy(unsigned char *to, const void *from, int bytes) {
    for (int i = threadIdx.x * 16; i < bytes; i += THREADS * 16)
        *(uint4 *)(to + i) = *(const uint4 *)((const unsigned char *)from + i);
}

#if SOURCE == RESIDENT
FORCE int layer_bytes(const Here &here) { return (here.last - here.first) * (int)sizeof(Layer); }
FORCE void load_resident(const Here &here) {
    const Model *model = here.block->model;
    unsigned char *to = here.weights;
    copy(to, &model->layer[here.first], layer_bytes(here));
    to += layer_bytes(here);
#if SKIP_READ
    // The sum waits for the last block's share alone.
    if (here.rank == LAYER_RANKS - 1)
        copy(to, &model->skip[here.first], (here.last - here.first) * (int)sizeof(Skip));
#endif
#if !HEAD_READ
    if (here.rank == HEAD_RANK) {
        copy(to, model->head0, sizeof model->head0);
        to += sizeof model->head0;
    }
    if (here.rank == PARAMS_RANK) copy(to, model->head1, sizeof model->head1);
#endif
}
#endif
#if SOURCE == DIRECT || HEAD_READ
FORCE const Tile *head0_tiles(const Here &here) { return here.block->model->head0[0]; }
FORCE const Tile *head1_tiles(const Here &here) { return here.block->model->head1[0]; }
#elif SOURCE == RESIDENT
FORCE const Tile *head0_tiles(const Here &here) {
    return (const Tile *)(here.weights + layer_bytes(here));
}
FORCE const Tile *head1_tiles(const Here &here) {
    return head0_tiles(here) + (HEAD_RANK == PARAMS_RANK ? M_HEAD * KT_S : 0);
}
#endif

FORCE const Embedding &embedding(const Here &here) {
#if EMBED_SHARED && SOURCE == RESIDENT && !HEAD_READ
    return *(const Embedding *)(head1_tiles(here) + M_PARAMS * KT_H);
#elif EMBED_SHARED && SOURCE == RING
    return *(const Embedding *)(here.weights + STAGES * STAGE);
#elif EMBED_SHARED
    return *(const Embedding *)here.weights;
#else
    return here.block->model->embedding;
#endif
}

// What every block reads over and over, to shared memory.
FORCE void load_ends(const Here &here) {
    const Model *model = here.block->model;
    if (!here.has_head()) return;
    copy((unsigned char *)here.shared->head0_bias, model->head0_bias, sizeof model->head0_bias);
    copy((unsigned char *)here.shared->head1_bias, model->head1_bias, sizeof model->head1_bias);
#if EMBED_SHARED
    if (here.rank == PARAMS_RANK)
        copy((unsigned char *)&embedding(here), &model->embedding, sizeof(Embedding));
#endif
}

// A layer's weights; `ring` stands at it.
FORCE const Layer &weights_of(const Here &here, const Ring &ring, int layer) {
#if SOURCE == RING
    (void)layer;
    return *(const Layer *)ring.wait();
#elif SOURCE == RESIDENT
    return ((const Layer *)here.weights)[layer - here.first];
#else
    return here.block->model->layer[layer];
#endif
}

// What of them may stay in global memory.
FORCE const Older &older_of(const Here &here, const Layer &w, int layer) {
#if OLDER_READ
    (void)w;
    return here.block->model->older[layer];
#else
    (void)here, (void)layer;
    return w.older;
#endif
}
#if SKIP_READ
// Of a block's layers.
FORCE const Skip *skips_of(const Here &here) {
    if (here.rank == LAYER_RANKS - 1) return (const Skip *)(here.weights + layer_bytes(here));
    return &here.block->model->skip[here.first];
}
#endif

#endif
