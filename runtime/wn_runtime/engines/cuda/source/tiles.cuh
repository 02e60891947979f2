// Products of a warp: weights as tiles of 16 outputs by 32 bytes of inputs, activations as rows of
// 8 columns by the same 32 bytes. A tile is the operand A of one mma, as its lanes hold it; rows are
// operand B. So one layout serves three precisions:
//
//     fp32   8 inputs a tile, products in float
//     fp16  16 inputs a tile, sums in float
//     int8  32 inputs a tile; an activation is an int16 x = 256 high + low in two columns of signed
//           bytes, so that one mma makes both parts' sums, exact in int32
//
// Lane l holds outputs r and r + 8 (r = l / 4) of columns 2q and 2q + 1 (q = l % 4): of two streams,
// or of the high and the low part of one. What mma calls row r is channel 2r of a tile's 16, row
// r + 8 channel 2r + 1, so that a lane has neighbours; in a gate tile they are filter r and gate r.
#ifndef WN_TILES_CUH
#define WN_TILES_CUH

#define FP32 1
#define FP16 2
#define INT8 3

#define CEIL(a, b) (((a) + (b) - 1) / (b))
#define PADDED(n, to) (CEIL(n, to) * (to))

#define METHOD __device__ __forceinline__

struct Tile {
    uint4 lane[32];
};
struct Columns {
    uint2 lane[32];
};

#if PRECISION == INT8
typedef int Sum;
#define K_TILE 32
#define A_STREAM 2  // columns
#define PER 1       // streams of a lane, in 8 columns
#define LARGEST 32639.0f  // = 256 * 127 + 127: both parts fit a signed byte
#elif PRECISION == FP16
typedef float Sum;
#define K_TILE 16
#define A_STREAM 1
#define PER 2
#else
typedef float Sum;
#define K_TILE 8
#define A_STREAM 1
#define PER 2
#endif
#define COLUMNS (STREAMS * A_STREAM)
#define NT CEIL(COLUMNS, 8)  // tiles of 8 columns

// Where a cluster has one stream, all columns hold it: then each lane has all outputs, and the four of
// a row share out the tiles of a warp for what follows the product.
#define SPREAD (CLUSTER > 1 && STREAMS == 1)
// Of the M tiles of a warp those that a lane follows up, and the streams of its values.
#define KEPT_OF(M) (SPREAD ? 1 : (M))
#define KEPT_PER (SPREAD ? 1 : PER)

// Activations of the head are halves where those of the layers are bytes.
#if PRECISION == FP32
#define K_HEAD 8
#else
#define K_HEAD 16
#endif
#define NH CEIL(STREAMS, 8)

// A lane's place in its warp.
struct Lane {
    int index, row, column;  // row = index / 4, column = index % 4
    // The stream of its s-th value in tile n of the layers' columns, or of the head's.
    METHOD int stream(int n, int s) const { return n * (8 / A_STREAM) + column * PER + s; }
    // The tile that its m-th value is of, in a warp that has M tiles, every WARPS-th of all.
    template <int M, int WARPS>
    METHOD int tile(int warp, int m) const {
        static_assert(!SPREAD || M == 1 || M == 2 || M == 4, "four lanes share out a warp's tiles");
        return warp + (SPREAD ? column % M : m) * WARPS;
    }
    METHOD int kept_stream(int n, int s) const { return SPREAD ? 0 : stream(n, s); }
    METHOD int head_stream(int n, int s) const { return n * 8 + column * 2 + s; }
};
// Whether a stream is one, and not what fills up a tile's columns; known beforehand of full tiles.
FORCE bool is_stream(int stream) { return STREAMS % (8 / A_STREAM) == 0 || stream < STREAMS; }
FORCE bool is_kept(int stream) { return SPREAD || is_stream(stream); }
FORCE bool is_head_stream(int stream) { return STREAMS % 8 == 0 || stream < STREAMS; }

// Rows in shared memory, [k][NT]. A column that is always zero need not be read.
struct LayerRows {
    const uint2 *at;
    const float *first;
    bool there;
    METHOD LayerRows(const Columns *rows, Lane lane)
        : at(&rows->lane[SPREAD ? lane.row % COLUMNS * 4 + lane.column : lane.index]),
          first((const float *)rows),
          there(lane.row < COLUMNS) {}
    METHOD uint2 fragment(int k, int n) const {
        if (!SPREAD && COLUMNS < 8 && !there) return make_uint2(0, 0);
        return at[(k * NT + n) * 32];
    }
    METHOD const float *column(int k, int n, int c) const { return first + (k * NT + n) * 64 + c * 8; }
};

// Rows of the head: of halves [k / 2][NH], so that one read has a lane's share of two tiles of inputs;
// of floats as the layers'.
struct HeadRows {
    const uint4 *at;
    const float *first;
    bool there;
    METHOD HeadRows(const Columns *rows, Lane lane)
        : at((const uint4 *)rows + lane.index), first((const float *)rows), there(lane.row < STREAMS) {}
    METHOD uint2 fragment(int k, int n) const {
        if (STREAMS < 8 && !there) return make_uint2(0, 0);
        const uint4 both = at[(k / 2 * NH + n) * 32];
        return k % 2 ? make_uint2(both.z, both.w) : make_uint2(both.x, both.y);
    }
    METHOD const float *column(int k, int n, int c) const { return first + (k * NH + n) * 64 + c * 8; }
};

// One row of a delay line in global memory, [k][columns]: without the columns that fill up a tile.
struct LineRow {
    const unsigned char *at;
    Lane lane;
    METHOD uint2 fragment(int k, int n) const {
        const int c = SPREAD ? lane.row % COLUMNS : n * 8 + lane.row;
        if (!SPREAD && COLUMNS % 8 != 0 && c >= COLUMNS) return make_uint2(0, 0);
        return *(const uint2 *)(at + (k * COLUMNS + c) * 32 + lane.column * 8);
    }
    METHOD const float *column(int k, int n, int c) const {
        c = n * 8 + c < COLUMNS ? n * 8 + c : COLUMNS - 1;  // beyond: of a stream nobody asks for
        return (const float *)(at + (k * COLUMNS + c) * 32);
    }
};

// Fragments of rows that were read ahead, [k][NT].
struct HeldRows {
    const uint2 *of;
    METHOD uint2 fragment(int k, int n) const { return of[k * NT + n]; }
};

// Tiles in memory one after the other, or in registers, or the first of them there.
struct Tiles {
    const uint4 *lane_at;
    const Tile *at;
    METHOD const Tile *tiles() const { return at; }
    METHOD Tiles(const Tile *tiles, Lane lane) : lane_at(&tiles->lane[lane.index]), at(tiles) {}
    METHOD uint4 operator()(int k) const { return lane_at[k * 32]; }
};
template <int FIRST>
struct HeldTiles {
    const uint4 *of;
    Tiles others;
    METHOD const Tile *tiles() const { return others.at; }
    METHOD uint4 operator()(int k) const { return k < FIRST ? of[k < FIRST ? k : 0] : others(k); }
};
template <int COUNT>
FORCE void hold(uint4 (&held)[COUNT], const Tiles tiles) {
#pragma unroll
    for (int k = 0; k < COUNT; k++) held[k] = tiles(k);
}

FORCE void mma(float (&c)[4], uint4 a, uint2 b) { mma_half(c, a, b); }
FORCE void mma(int (&c)[4], uint4 a, uint2 b) { mma_int8(c, a, b); }

// c[n] += W @ rows over KT tiles of inputs. Few columns: sums in several chains, which do not wait
// for each other.
template <int KT, int N, typename Number, typename Weights, typename Inputs>
FORCE void product(Number (&c)[N][4], const Weights a, const Inputs b) {
    constexpr int CHAINS = N < 4 && KT > 1 ? 2 : 1;
    Number more[CHAINS][N][4];
#pragma unroll
    for (int i = 1; i < CHAINS; i++)
#pragma unroll
        for (int n = 0; n < N; n++)
#pragma unroll
            for (int e = 0; e < 4; e++) more[i][n][e] = 0;
#pragma unroll(KT <= 16 ? KT : 8)
    for (int k = 0; k < KT; k++) {
        const uint4 tile = a(k);
#pragma unroll
        for (int n = 0; n < N; n++) {
            if (k % CHAINS == 0)
                mma(c[n], tile, b.fragment(k, n));
            else
                mma(more[k % CHAINS][n], tile, b.fragment(k, n));
        }
    }
#pragma unroll
    for (int i = 1; i < CHAINS; i++)
#pragma unroll
        for (int n = 0; n < N; n++)
#pragma unroll
            for (int e = 0; e < 4; e++) c[n][e] += more[i][n][e];
}

// The same in float arithmetic.
template <int KT, int N, typename Inputs>
FORCE void product_float(float (&c)[N][4], const Tile *a, const Inputs b, Lane lane) {
    const int r = lane.row, q = lane.column;
    for (int k = 0; k < KT; k++) {
        const float *one = (const float *)&a[k] + r * 8, *other = one + 64;
#pragma unroll
        for (int n = 0; n < N; n++) {
            const float *left = b.column(k, n, 2 * q), *right = b.column(k, n, 2 * q + 1);
#pragma unroll
            for (int i = 0; i < 8; i++) {
                c[n][0] += one[i] * left[i];
                c[n][1] += one[i] * right[i];
                c[n][2] += other[i] * left[i];
                c[n][3] += other[i] * right[i];
            }
        }
    }
}

// The scales of a tile's rows r and r + 8, with int8: of all of its rows, or as a lane holds them.
FORCE float2 scale_of(const float *rows, Lane lane) {
    return make_float2(rows[lane.row], rows[lane.row + 8]);
}
FORCE float2 scale_of(float2 held, Lane) { return held; }

// y[n] += W @ rows of the layers' precision: y holds outputs r and r + 8, each for PER streams.
// scale: see scale_of.
template <int KT, typename Weights, typename Inputs, typename Scale>
FORCE void multiply(float (&y)[NT][2 * PER], const Weights a, const Inputs b, const Scale scale,
                    Lane lane) {
#if PRECISION == INT8
    int c[NT][4];
#pragma unroll
    for (int n = 0; n < NT; n++) c[n][0] = c[n][1] = c[n][2] = c[n][3] = 0;
    product<KT, NT>(c, a, b);
    const float2 rows = scale_of(scale, lane);
#pragma unroll
    for (int n = 0; n < NT; n++) {
        if (KT <= 16) {  // 512 inputs: the whole sum fits an int32
            y[n][0] += (float)(c[n][0] * 256 + c[n][1]) * rows.x;
            y[n][1] += (float)(c[n][2] * 256 + c[n][3]) * rows.y;
        } else {
            y[n][0] += ((float)c[n][0] * 256.0f + (float)c[n][1]) * rows.x;
            y[n][1] += ((float)c[n][2] * 256.0f + (float)c[n][3]) * rows.y;
        }
    }
#elif PRECISION == FP16
    product<KT, NT>(y, a, b);
#else
    product_float<KT, NT>(y, a.tiles(), b, lane);
#endif
}

// The same for the M tiles of a warp, as its lanes keep them: tiles(m) finds one, scales [..][16].
template <int KT, int M, int WARPS, typename Find, typename Inputs>
FORCE void multiply_all(float (&y)[KEPT_OF(M)][NT][2 * PER], const Find &tiles, const Inputs b,
                        const float (*scales)[16], Lane lane, int warp) {
#if SPREAD
    Sum c[M][1][4];
#pragma unroll
    for (int m = 0; m < M; m++) {
        c[m][0][0] = c[m][0][1] = c[m][0][2] = c[m][0][3] = 0;
        product<KT, 1>(c[m], tiles(m), b);
    }
    Sum own[4];
#pragma unroll
    for (int e = 0; e < 4; e++) {
        own[e] = c[0][0][e];
        if (M >= 2) own[e] = lane.column % 2 ? c[M >= 2 ? 1 : 0][0][e] : own[e];
        if (M >= 4) {
            const Sum other = lane.column % 2 ? c[M >= 4 ? 3 : 0][0][e] : c[M >= 4 ? 2 : 0][0][e];
            own[e] = lane.column / 2 ? other : own[e];
        }
    }
#if PRECISION == INT8
    const float *scale = scales[lane.tile<M, WARPS>(warp, 0)] + lane.row;
    y[0][0][0] += (KT <= 16 ? (float)(own[0] * 256 + own[1]) : own[0] * 256.0f + own[1]) * scale[0];
    y[0][0][1] += (KT <= 16 ? (float)(own[2] * 256 + own[3]) : own[2] * 256.0f + own[3]) * scale[8];
#else
    y[0][0][0] += own[0], y[0][0][PER] += own[2], (void)scales, (void)warp;
#endif
#else
#pragma unroll
    for (int m = 0; m < M; m++)
        multiply<KT>(y[m], tiles(m), b, PRECISION == INT8 ? scales[warp + m * WARPS] : nullptr, lane);
#endif
}

// y[n] += W @ rows of the head's precision.
template <int KT, typename Weights>
FORCE void multiply_head(float (&y)[NH][4], const Weights a, const HeadRows b, Lane lane) {
#if PRECISION == FP32
    product_float<KT, NH>(y, a.tiles(), b, lane);
#else
    product<KT, NH>(y, a, b);
#endif
    (void)lane;
}

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
