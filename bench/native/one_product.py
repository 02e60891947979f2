"""One dependent product a layer on a CPU, in place of two: does it pay for more weights.

    python -m bench.native.one_product

a[l+1] = s h[l] Wg[l+1] + z[l] (s Wres[l] Wg[l+1]) + …: from z to z there is one product; the other
two (z to h, h to its share of the next gates) are of the layer before and stand beside it. A
stand-in with the engine's own products, in that order and with that many weights, of zeros: what is
timed is what an engine could reach, the fastest of many turns, beside the engine's step as it is.
Without the sums of older taps of many steps, which both could have.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model.spec import ModelSpec
from wn_targets.presets import PRESETS

PRECISIONS = ("int8", "fp32")
PROGRAM = r"""
#include "wavenet.c"
#include <stdio.h>
#include <stdlib.h>
#if OLDER != 1 || BATCH != 1
#error "for kernel width 2 and one stream"
#endif

static _Alignas(64) row z_rows[2][ROW_BYTES(Z)];
static _Alignas(64) float beside[LAYERS + 1][G]; /* all of a layer's gates that is not of z */

static void one_product(const model *m, const model *more, state *s) {
    const float unit = UNIT_SCALE;
    row *before = z_rows[0], *now = z_rows[1];
    embed(m, s);
    memcpy(s->skip, m->skip_bias, sizeof m->skip_bias);
    for (int layer = 0, base = 0; layer < LAYERS; base += dilations[layer++]) {
        const layer_weights *w = &m->layer[layer];
        multiply(1, Z, G, COLUMNS(&more->layer[layer].gate),
                 (rows_io){before, &unit, beside[layer], G, s->a});
        UNROLL for (int i = 0; i < Z; i += LANES) {
            const float *a = s->a + i / 16 * 32 + i % 16;
            store(s->z + i, gated(load(a), load(a + 16)));
        }
        encode_unit(now, s->z, Z);
        for (int i = 0; i < R; i += LANES)
            store(s->h + i, load(s->h + i) * RESIDUAL_SCALE + load(w->residual_bias + i));
        multiply(1, Z, R, COLUMNS(&w->residual), (rows_io){before, &unit, s->h, R, s->h});
        const size_t at = (size_t)(base + s->slot[layer]);
        row *line = s->lines + at * LINE_ROW;
        const row *tap = s->lines + (size_t)tap_row(line_of(s, layer, base), 1, 0) * LINE_ROW;
        multiply(1, R, G, COLUMNS(&m->older[0][layer]),
                 (rows_io){tap, s->line_scales + at, s->bias[layer][0], G, beside[layer + 1]});
        s->line_scales[at] = encode(line, s->h, R);
        s->slot[layer] = s->slot[layer] + 1 == dilations[layer] ? 0 : s->slot[layer] + 1;
        multiply(1, R, G, COLUMNS(&w->gate),
                 (rows_io){line, s->line_scales + at, beside[layer + 1], G, beside[layer + 1]});
        multiply(1, Z, S, COLUMNS(&w->skip), (rows_io){before, &unit, s->skip, S, s->skip});
        row *other = before;
        before = now, now = other;
    }
    head_step(m, s);
}

static double fastest(const model *m, const model *more, state *s) {
    double best = 1e9;
    for (int turn = 0; turn < 400; turn++) {
        const int64_t began = now_ns();
        for (int i = 0; i < 10; i++) {
            if (more) one_product(m, more, s);
            else step(m, s, (moment){0, 0});
        }
        const double took = (double)(now_ns() - began) / 1e4;
        if (took < best) best = took;
    }
    return best;
}

int main(void) {
    if (wn_prepare()) return 1;
    amx_begin();
    flush_denormals();
    model *m = aligned_alloc(1 << 21, (2 * sizeof *m + (1 << 21)) >> 21 << 21);
    state *s = aligned_alloc(1 << 21, (sizeof *s + (1 << 21)) >> 21 << 21);
    memset(m, 0, 2 * sizeof *m);
    memset(s, 0, sizeof *s);
    double two = 1e9, one = 1e9;
    for (int turn = 0; turn < 3; turn++) {
        const double a = fastest(m, 0, s), b = fastest(m, m + 1, s);
        if (a < two) two = a;
        if (b < one) one = b;
    }
    printf("%g %g\n", two, one);
    return 0;
}
"""


def microseconds(spec: ModelSpec, precision: str) -> tuple[float, float]:
    """Of a step with two dependent products a layer, and with one."""
    shapes = Shapes(spec, precision, 1)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (
            ("shapes.h", shapes.header()),
            ("head.h", shapes.head_source()),
            ("step.c", PROGRAM),
        ):
            Path(folder, name).write_text(text)
        compiler = build.find_compiler()
        flags = [flag for flag in compiler.flags if flag not in ("-shared", "-fPIC")]
        command = [*compiler.command, *flags, *compiler.native(), "-I", folder]
        command += ["-I", str(build.SOURCE), "-o", f"{folder}/step", f"{folder}/step.c"]
        subprocess.run(command, check=True, env=compiler.environment())
        done = subprocess.run([f"{folder}/step"], check=True, capture_output=True, text=True)
    two, one = map(float, done.stdout.split())
    return two, one


def main() -> None:
    """Print both and their ratio for each preset and precision."""
    print(f"{'preset':<10}{'':<6}{'two':>10}{'one':>10}   µs a step")
    for name, spec in PRESETS.items():
        for precision in PRECISIONS:
            two, one = microseconds(spec, precision)
            print(
                f"{name:<10}{precision:<6}{two:>10.2f}{one:>10.2f}   {two / one:.2f}×", flush=True
            )


if __name__ == "__main__":
    main()
