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

/* AMX_ROWS rows and `nt` (1 to 4) times 16 columns. */
INLINE void amx_patch(int nt, int k, int n, int width, columns m, rows_io io) {
    _Alignas(64) int32_t sums[4][2 * AMX_ROWS][16];
    __asm__ volatile("" ::: "memory"); /* tile loads do not tell the compiler what they read */
    for (int begin = 0; begin < k; begin += EXACT_INPUTS) {
        const int end = k - begin < EXACT_INPUTS ? k : begin + EXACT_INPUTS;
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
#define STORE(c) _tile_stored(c, sums[c], 64)
        EACH_TILE(nt, STORE)
        for (int r = 0; r < AMX_ROWS; r++)
            UNROLL for (int c = 0; c < nt; c++) {
                running sum = {load_int(sums[c][2 * r]), load_int(sums[c][2 * r + 1])};
                vf total = to_float(finish(sum, m.shifts + begin / EXACT_INPUTS * n + c * 16)) *
                           (load(m.scale + c * 16) * io.x_scale[r]);
                const float *init = begin ? io.y + r * n : io.init + r * io.init_stride;
                store(io.y + r * n + c * 16, load(init + c * 16) + total);
            }
    }
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
    for (int c = 0; c < width; c += 64) {
        for (done = 0; done + AMX_ROWS <= rows; done += AMX_ROWS) {
            columns part = {m.w + 4 * c, m.scale + c, m.shifts + c};
            rows_io here = from_row(io, done, k, n);
            here.init += c, here.y += c;
            if (width - c >= 64) amx_patch(4, k, n, width, part, here);
            else amx_patch(width % 64 / 16, k, n, width, part, here);
        }
    }
#else
    (void)rows, (void)k, (void)n, (void)width, (void)m, (void)io;
#endif
    return done;
}

#endif
