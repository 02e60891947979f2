// The input of a block's first layer, from the block before it or from the newest sample: in float for
// the residual warps, and as the row that the gate warps multiply.
#ifndef WN_HANDOVER_CUH
#define WN_HANDOVER_CUH

#define HANDED_BYTES (STREAMS * R * 6)

// Channels c (even) and c + 1 of one stream, to the block `to`. All lanes of a warp call it together;
// lanes whose numbers differ by `neighbour` have neighbouring pairs. there: whether this lane has one.
FORCE void hand_over(const Here &here, int to, int c, int stream, float x, float y, float inverse,
                     int neighbour, bool there) {
    Shared *shared = here.shared;
    float *in_float = &shared->h_in[stream][c];
    unsigned char *row = (unsigned char *)shared->h;
#if CLUSTER > 1
    Signal *ready = &shared->h_ready;
    if (there) send(in_float, to, make_float2(x, y), ready);
    u32 word = (u32)encode(x, y, inverse);
#if PRECISION == INT8
    // A word has four channels: of two lanes one sends the high parts, the other the low ones.
    const bool odd = c & 2;
    const u32 got = __shfl_xor_sync(ALL_LANES, odd ? word & 0xffff : word >> 16, neighbour);
    word = odd ? got | (word & 0xffff0000u) : (word & 0xffff) | got << 16;
    row += pair_at(c & ~3, stream, 8 * NT) + (odd ? 32 : 0);
#else
    row += pair_at(c, stream, 8 * NT);
#endif
    if (there) send(row, to, word, ready);
#else
    if (!there) return;
    *(float2 *)in_float = make_float2(x, y);
    put(row + pair_at(c, stream, 8 * NT), encode(x, y, inverse));
#endif
    (void)to, (void)neighbour;
}

// The newest samples of a stream through the first causal convolution, to the first block. One warp;
// window: the stream's last samples, a ring; now: its row that holds the newest.
FORCE void embed(const Here &here, int stream, Sample newest, const Sample *window, int now,
                 float inverse) {
    const Embedding &table = embedding(here);
#pragma unroll 2
    for (int at = 0; at < R; at += 64) {
        const int c = at + 2 * here.lane;
        const bool there = R % 64 == 0 || c < R;
        float2 h = make_float2(0, 0);
        if (there) {
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
        hand_over(here, 0, c, stream, h.x, h.y, inverse, 1, there);
    }
}

#endif
