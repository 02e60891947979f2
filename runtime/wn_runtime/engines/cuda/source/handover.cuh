// The input of a block's first layer, from the block before it or from the newest sample: in float for
// the residual warps, and as the row that the gate warps multiply.
#ifndef WN_HANDOVER_CUH
#define WN_HANDOVER_CUH

#define HANDED_BYTES (STREAMS * R * 6)

// Where the channels c (even) and c + 1 of a stream go in the block `to`. Of a cluster's lanes, those
// whose channels share a word of the row take turns: one has the high parts, the other the low ones.
// By flags only the floats go: the block that collects them makes the row.
struct Handover {
#if FLAGS
    Flagged *mail;
#elif CLUSTER > 1
    Remote in_float, row, ready;
#else
    float *in_float;
    unsigned char *row;
#endif
    bool odd, there;

    METHOD Handover() {}
    METHOD Handover(const Here &here, int to, int c, int stream)
        : odd(c & 2), there(c < R && stream < STREAMS) {
        Shared *shared = here.shared;
        if (!there) c = stream = 0;
#if FLAGS
        mail = &here.mail->h[to][stream][c], (void)shared;
#else
        float *floats = &shared->h_in[stream][c];
        unsigned char *rows = (unsigned char *)shared->h[0];
#if CLUSTER > 1 && PRECISION == INT8
        rows += pair_at(c & ~3, stream, 8 * NT) + (odd ? 32 : 0);
#else
        rows += pair_at(c, stream, 8 * NT);
#endif
#if CLUSTER > 1
        in_float = remote(floats, to), row = remote(rows, to), ready = remote(&shared->h_ready, to);
#else
        in_float = floats, row = rows, (void)to;
#endif
#endif
    }
    // All lanes of a warp call it together. neighbour: the numbers of lanes with neighbouring channels
    // differ by it. step: that it is for.
    METHOD void give(float x, float y, float inverse, int neighbour, int step) const {
#if FLAGS
        if (there) post(mail, make_float2(x, y), step + 1);
        (void)inverse;
#elif CLUSTER > 1
        if (there) send(in_float, make_float2(x, y), ready);
        u32 word = (u32)encode(x, y, inverse);
#if PRECISION == INT8
        const u32 got = __shfl_xor_sync(ALL_LANES, odd ? word & 0xffff : word >> 16, neighbour);
        word = odd ? got | (word & 0xffff0000u) : (word & 0xffff) | got << 16;
#endif
        if (there) send(row, word, ready);
#else
        if (!there) return;
        *(float2 *)in_float = make_float2(x, y);
        put(row, encode(x, y, inverse));
#endif
        (void)neighbour, (void)step;
    }
};

// The newest samples of a stream through the first causal convolution, to the first block, for `step`.
// One warp; window: the stream's last samples, a ring; now: its row that holds the newest.
FORCE void embed(const Here &here, int stream, Sample newest, const Sample *window, int now,
                 float inverse, int step) {
    const Embedding &table = embedding(here);
#pragma unroll 2
    for (int at = 0; at < R; at += 64) {
        const int c = at + 2 * here.lane.index;
        float2 h = make_float2(0, 0);
        if (R % 64 == 0 || c < R) {
#if CODES
            h = *(const float2 *)&table.taps[0][newest][c];
#else
            h = *(const float2 *)&table.bias[c];
            h.x += newest * table.taps[0][c], h.y += newest * table.taps[0][c + 1];
#endif
            for (int j = 1; j < INPUT_KERNEL; j++) {
                const Sample x = window[(now + INPUT_KERNEL - j) % INPUT_KERNEL * STREAMS];
#if CODES
                const float2 w = *(const float2 *)&table.taps[j][x][c];
                h.x += w.x, h.y += w.y;
#else
                h.x += x * table.taps[j][c], h.y += x * table.taps[j][c + 1];
#endif
            }
        }
        Handover(here, 0, c, stream).give(h.x, h.y, inverse, 1, step);
    }
}

#endif
