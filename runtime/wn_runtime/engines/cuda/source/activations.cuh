// Activations as rows (tiles.cuh) have them: where a channel lies, and how it is written there.
#ifndef WN_ACTIVATIONS_CUH
#define WN_ACTIVATIONS_CUH

// Where the layers' rows have channel `c` (even) and its neighbour of a stream, in bytes; `width`:
// the columns of a tile of inputs, 8 NT in shared memory and COLUMNS in a delay line.
FORCE int pair_at(int c, int stream, int width) {
    return (c / K_TILE * width + stream * A_STREAM) * 32 + c % K_TILE * (32 / K_TILE);
}

// Two neighbouring channels as a row has them. int8: the low half of `x` has the high parts, the
// high half the low parts.
#if PRECISION == FP32
typedef float2 Pair;
FORCE Pair encode(float x, float y, float) { return make_float2(x, y); }
FORCE void put(unsigned char *row, Pair pair) { *(float2 *)row = pair; }
#elif PRECISION == FP16
typedef u32 Pair;
FORCE Pair encode(float x, float y, float) { return half_bits(x) | half_bits(y) << 16; }
FORCE void put(unsigned char *row, Pair pair) { *(u32 *)row = pair; }
#else
typedef u32 Pair;
// x in steps of 1 / inverse, to nearest: of 16 bits, in the lower half. Added to 3 * 2^22, whose
// neighbours are one apart; |x| has a bound that fits (pack.input_scales), so nothing saturates.
FORCE u32 quantise(float x, float inverse) {
    return __float_as_uint(__fmaf_rn(x, inverse, 12582912.0f));
}
// The upper byte of the high part of a number, in byte 1; the lower byte is the number's own.
FORCE u32 with_high(u32 x) { return x + 128; }
FORCE Pair encode(float x, float y, float inverse) {
    const u32 one = quantise(x, inverse), other = quantise(y, inverse);
    const u32 high = __byte_perm(with_high(one), with_high(other), 0x51);
    return __byte_perm(high, __byte_perm(one, other, 0x40), 0x5410);
}
FORCE void put(unsigned char *row, Pair pair) {
    *(unsigned short *)row = (unsigned short)pair;
    *(unsigned short *)(row + 32) = (unsigned short)(pair >> 16);
}
#endif

// z of a gate's sums, and its place in the rows: one channel a lane.
FORCE float gated(float filter, float gate) {
#if PRECISION == FP32
    return tanhf(filter) / (1.0f + expf(-gate));
#else
    return tanh_fast(filter) * (0.5f * tanh_fast(0.5f * gate) + 0.5f);
#endif
}
// at: of its channel, in `pair_at`'s units, and c the channel.
FORCE void put_gated(unsigned char *at, int c, float z) {
#if PRECISION == FP32
    ((float *)at)[c & 1] = z;
#elif PRECISION == FP16
    ((unsigned short *)at)[c & 1] = (unsigned short)half_bits(z);
#else
    const u32 x = quantise(z, LARGEST);
    at[c & 1] = (unsigned char)(with_high(x) >> 8);
    at[32 + (c & 1)] = (unsigned char)x;
#endif
}

// Two neighbouring channels in the head's rows.
#if PRECISION == FP32
FORCE void put_head(Columns *rows, int c, int stream, float x, float y) {
    const int at = (c / K_HEAD * 8 * NH + stream) * 8 + c % K_HEAD;
    *(float2 *)((float *)rows + at) = make_float2(x, y);
}
#else
FORCE int head_pair_at(int c, int stream) {
    const int column = c / 32 * 8 * NH + stream;
    return column * 64 + c % 16 / 4 * 16 + c / 16 % 2 * 8 + c % 4 * 2;
}
FORCE u32 encode_head(float x, float y) { return half_bits(x) | half_bits(y) << 16; }
FORCE void put_head(Columns *rows, int c, int stream, float x, float y) {
    *(u32 *)((unsigned char *)rows + head_pair_at(c, stream)) = encode_head(x, y);
}
#endif

#endif
