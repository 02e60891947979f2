"""Without a pause for a while, and not a byte more than after the first second."""

from __future__ import annotations

from pathlib import Path

from tests.gpu.conftest import Figures
from tests.gpu.plans import built
from tests.gpu.soak import soaked
from tests.models.specs import CORNERS, random_bias
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.synthesis.uniforms import UniformStream, draw


def test_memory_is_constant(
    tmp_path: Path, flavour: str, gpu: CudaDevice, figures: Figures
) -> None:
    spec = CORNERS["one_condition"]
    engine = open_engine(built(tmp_path, spec, flavour, "fp16", 4), batch=4)
    bias, streams = random_bias(spec, 4), [UniformStream(0, number) for number in range(4)]
    figures.append(soaked(gpu, engine, lambda: engine.generate(bias, draw(streams, 256, 1))))
    engine.close()
