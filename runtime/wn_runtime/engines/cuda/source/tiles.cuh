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

#endif
