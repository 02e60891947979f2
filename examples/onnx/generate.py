"""Sound from generator.onnx with ONNX Runtime alone; nothing of wavestep is imported.

    python generate.py DIR OUT.wav [SECONDS [SEED [TEMPERATURE [CONDITION=INDEX …]]]]

The sound is that of `wn-run DIR --engine generator --seed SEED --temperature TEMPERATURE`.
"""

import sys
import wave
from pathlib import Path
from typing import NoReturn

import numpy as np
import onnxruntime as ort

TYPES = {"tensor(int32)": np.int32, "tensor(float)": np.float32, "tensor(double)": np.float64}


def refuse(line: str) -> NoReturn:
    """End as commands do where the user is wrong."""
    sys.stderr.write(f"{line}\n")
    sys.exit(2)


if len(sys.argv) < 3:
    refuse(str(__doc__).splitlines()[2].strip())
directory, out, *options = sys.argv[1:]
seconds, seed, temperature, *given = options + ["1", "0", "1"][len(options) :]
if not Path(directory, "generator.onnx").is_file():
    refuse(f"error: {directory} has no generator.onnx; make it with wn-export DIR --generator")
generator = ort.InferenceSession(f"{directory}/generator.onnx")
about = generator.get_modelmeta().custom_metadata_map
inputs, outputs = generator.get_inputs(), [each.name for each in generator.get_outputs()]
feeds = {  # zeros; sizes with a name are what a call has of it, and none is known beforehand
    each.name: np.zeros([n if isinstance(n, int) else 0 for n in each.shape], TYPES[each.type])
    for each in inputs
}
feeds["state.samples"][:] = float(about["silence"])
feeds["temperature"][:] = float(temperature)
if "bias" in feeds:  # conditions that do not change with time
    pairs = [each.split("=") for each in given]
    indices = {name: np.full(len(feeds["temperature"]), int(i), np.int32) for name, i in pairs}
    conditioner = ort.InferenceSession(f"{directory}/conditioner.onnx")
    (feeds["bias"],) = conditioner.run(["bias"], indices)

_, streams, each_sample = feeds["uniforms"].shape
random = [np.random.Philox(key=[int(seed), stream]) for stream in range(streams)]
rate, audio = int(about["sample_rate"]), []
samples = round(float(seconds) * rate)
for start in range(0, samples, 1024):
    count = min(1024, samples - start)
    words = [each.random_raw(count * each_sample).reshape(count, -1) for each in random]
    feeds["uniforms"] = (np.stack(words, axis=1) >> np.uint64(40)).astype(np.int32)
    made = dict(zip(outputs, generator.run(outputs, feeds), strict=True))
    feeds |= {f"state.{name[5:]}": made[name] for name in outputs if name.startswith("next.")}
    audio.append(made["audio"])

with wave.open(out, "wb") as file:
    file.setparams((streams, 2, rate, 0, "NONE", ""))
    pcm = np.floor(np.concatenate(audio).astype(np.float64) * 32767 + 0.5)
    file.writeframes(pcm.astype("<i2").tobytes())
