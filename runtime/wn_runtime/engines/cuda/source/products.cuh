// Products of a warp's tiles (tiles.cuh) with rows: sums of the layers' precision, and of the head's.
#ifndef WN_PRODUCTS_CUH
#define WN_PRODUCTS_CUH

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

#endif
