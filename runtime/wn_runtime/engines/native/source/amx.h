/* Rows of int8 products by AMX tiles, where the CPU has them and there are rows enough to pay.
 *
 *     A: 16 x 64 bytes          B: 16 x 64 bytes                C: 16 x 16 int32
 *     row 2r    high bytes      row i: the weights of inputs    row 2r    sums of high bytes
 *     row 2r+1  low bytes       4i..4i+3 to 16 columns          row 2r+1  sums of low bytes
 *
 * A's rows lie k bytes apart as they are: a row's high bytes, its low bytes, the next row's. The
 * sums are those of vpdpbusd to the bit.
 */
#ifndef WN_AMX_H
#define WN_AMX_H

#define AMX_LEAST 4 /* streams from which it pays */
#define AMX_ROWS (BATCH >= 4 && BATCH < 8 ? BATCH : 8) /* rows of one tile */

#if PRECISION == INT8 && WN_AVX512 && BYTES && defined(__AMX_INT8__) && !defined(WN_NO_AMX)
#define WN_AMX (BATCH >= AMX_LEAST || BATCH * TAP_STEPS >= AMX_ROWS)
#else
#define WN_AMX 0
#endif

#if WN_AMX
#include <sys/syscall.h>
#include <unistd.h>

/* Tiles 0 to 3 are C, 4 and 5 are A and B of 64 inputs, 6 and 7 A and B of 32. */
INLINE void amx_begin(void) {
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } setting = {
        .palette = 1,
        .row_bytes = {64, 64, 64, 64, 64, 64, 32, 64},
        .rows = {2 * AMX_ROWS, 2 * AMX_ROWS, 2 * AMX_ROWS, 2 * AMX_ROWS, 2 * AMX_ROWS, 16,
                 2 * AMX_ROWS, 8},
    };
    /* GCC 12 knows of the first 8 bytes only that they are read, and leaves the others unwritten. */
    __asm__ volatile("" : : "r"(&setting) : "memory");
    _tile_loadconfig(&setting);
}
INLINE void amx_end(void) { _tile_release(); }

/* Tiles are state that Linux keeps for a process only when asked (arch_prctl, once): 0 if it does. */
INLINE int amx_ask(void) { return (int)syscall(SYS_arch_prctl, 0x1023 /* XCOMP_PERM */, 18); }

#define EACH_TILE(nt, DO)      \
    { DO(0); }                 \
    if (nt > 1) { DO(1); }     \
    if (nt > 2) { DO(2); }     \
    if (nt > 3) { DO(3); }

/* Of AMX_ROWS rows and up to 4 times 16 columns: rows 2r and 2r+1 are row r's, as in C. */
typedef struct {
    _Alignas(64) int32_t row[4][2 * AMX_ROWS][16];
} amx_sums;

/* The sums over inputs `begin` to before `end`, of `nt` times 16 columns. */
INLINE void amx_multiply(int nt, int begin, int end, int k, int width, columns m, rows_io io,
                         amx_sums *sums) {
    __asm__ volatile("" ::: "memory"); /* tile loads do not tell the compiler what they read */
    int i = begin;
#define ZERO(c) _tile_zero(c)
    EACH_TILE(nt, ZERO)
    for (; i + 64 <= end; i += 64) {
        _tile_loadd(4, io.x + i, k);
#define ADD64(c) _tile_loadd(5, m.w + i * width + 64 * c, 4 * width); _tile_dpbusd(c, 4, 5)
        EACH_TILE(nt, ADD64)
    }
    if (i < end) {
        _tile_loadd(6, io.x + i, k);
#define ADD32(c) _tile_loadd(7, m.w + i * width + 64 * c, 4 * width); _tile_dpbusd(c, 6, 7)
        EACH_TILE(nt, ADD32)
    }
#define STORE(c) _tile_stored(c, sums->row[c], 64)
    EACH_TILE(nt, STORE)
}

/* y = init + the sums, rescaled; m has the scales and shifts of these columns and inputs. */
INLINE void amx_add(int nt, int n, columns m, rows_io io, const amx_sums *sums) {
    vi shifts[4];
    vf scales[4]; /* for all rows: they stay in registers */
    UNROLL for (int c = 0; c < nt; c++) {
        shifts[c] = load_int(m.shifts + c * 16);
        scales[c] = load(m.scale + c * 16);
    }
    for (int r = 0; r < AMX_ROWS; r++)
        UNROLL for (int c = 0; c < nt; c++) {
            running sum = {load_int(sums->row[c][2 * r]), load_int(sums->row[c][2 * r + 1])};
            if (io.init_stride == WHOLE) {
                store_int(io.y + r * n + c * 16, unshifted(sum, shifts[c]));
                continue;
            }
            vf total = to_float(unshifted(sum, shifts[c])) * (scales[c] * io.x_scale[r]);
            store(io.y + r * n + c * 16, load(io.init + r * io.init_stride + c * 16) + total);
        }
}

/* The columns from `c` on, `nt` times 16 of them. */
INLINE void amx_patch(int nt, int c, int k, int n, int width, columns m, rows_io io) {
    amx_sums sums;
    m = (columns){m.w + 4 * c, m.scale + c, m.shifts + c};
    io.init += c, io.y += c;
    for (int begin = 0; begin < k; begin += EXACT_INPUTS, m.shifts += n) {
        const int end = k - begin < EXACT_INPUTS ? k : begin + EXACT_INPUTS;
        amx_multiply(nt, begin, end, k, width, m, io, &sums);
        amx_add(nt, n, m, io, &sums);
        io.init = io.y, io.init_stride = n;
    }
}

/* 128 columns in two patches: the second is multiplied while the first is rescaled. */
INLINE void amx_two_patches(int k, int n, int width, columns m, rows_io io) {
    amx_sums first, second;
    const columns right = {m.w + 4 * 64, m.scale + 64, m.shifts + 64};
    amx_multiply(4, 0, k, k, width, m, io, &first);
    amx_multiply(4, 0, k, k, width, right, io, &second);
    amx_add(4, n, m, io, &first);
    io.init += 64, io.y += 64;
    amx_add(4, n, right, io, &second);
}
#else
INLINE void amx_begin(void) {}
INLINE void amx_end(void) {}
INLINE int amx_ask(void) { return 0; }
#endif

/* Does rows in multiples of AMX_ROWS; returns how many. */
INLINE int amx_rows(int rows, int k, int n, int width, columns m, rows_io io) {
    int done = 0;
#if WN_AMX
    if (rows < AMX_ROWS || k % 32) return 0;
    for (; done + AMX_ROWS <= rows; done += AMX_ROWS) {
        const rows_io here = from_row(io, done, k, n);
        if (width == 128 && k <= EXACT_INPUTS) {
            amx_two_patches(k, n, width, m, here);
            continue;
        }
        for (int c = 0; c + 64 <= width; c += 64) amx_patch(4, c, k, n, width, m, here);
        if (width % 64) amx_patch(width % 64 / 16, width / 64 * 64, k, n, width, m, here);
    }
#else
    (void)rows, (void)k, (void)n, (void)width, (void)m, (void)io;
#endif
    return done;
}

#endif
