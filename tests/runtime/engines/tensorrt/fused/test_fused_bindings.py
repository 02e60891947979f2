"""The plugin itself in the real bindings of each TensorRT, as far as they go without a library.

Made over TensorRT's own classes, asked as TensorRT asks it, its fields through TensorRT's own.
Each version in a process of its own (see test_bindings.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.runtime.engines.tensorrt.test_bindings import bindings as bindings

ASK = """
import json
import numpy as np
import tensorrt_bindings as trt
from tests.models.specs import CORNERS
from wn_runtime.engines.cuda.alone import alone
from wn_runtime.engines.cuda.source import source
from wn_runtime.engines.device_loop.compiler import source_digest
from wn_runtime.engines.tensorrt.fused.node import FusedNode
from wn_runtime.engines.tensorrt.fused.plugin import creator_class, plugin_class
from wn_runtime.engines.tensorrt.fused.record import CHUNK, FusedRecord

spec, limit = CORNERS["uneven"], 166912
digest = source_digest(source(alone(spec, "fp16", 4, limit), CHUNK))
node = FusedNode(spec, "fp16", 3, "8.7", FusedRecord("alone:4", limit, digest))
plugin = plugin_class(trt)(node)
fields = plugin.get_fields_to_serialize()
creator = creator_class(trt)()
again = creator.create_plugin("node", fields, trt.TensorRTPhase.RUNTIME)
copy = again.clone()

def described(tensor, type=None, format=trt.TensorFormat.LINEAR):
    desc = trt.DynamicPluginTensorDesc()
    inner = desc.desc
    inner.type = type or {"float32": trt.float32, "int32": trt.int32}[tensor.dtype.name]
    inner.format, inner.dims = format, trt.Dims(tensor.shape)
    desc.desc = inner
    return desc

signature = node.signature
inputs = [*signature.inputs.values(), node.weights]
outputs = list(signature.outputs.values())
tensors = [*inputs, *outputs]
right = [described(tensor) for tensor in tensors]

def takes(pos, **changed):
    found = list(right)
    found[pos] = described(tensors[pos], **changed)
    return copy.supports_format_combination(pos, found, len(inputs))

copy.configure_plugin(right[:len(inputs)], right[len(inputs):])
try:
    copy.configure_plugin(right[1:2], [])
    refused = ""
except Exception as error:
    refused = str(error)
words = np.arange(7, dtype=np.int32)
weights = trt.Weights(trt.DataType.INT32, words.ctypes.data, len(words))
long = trt.PluginField("long", np.arange(9), trt.PluginFieldType.INT64)
ahead = getattr(trt, "KernelLaunchParams", None)
print(json.dumps({
    "same": copy._node == node,
    "names": [creator.name, copy.plugin_name, copy.plugin_version, copy.plugin_namespace],
    "bases": [isinstance(copy, each) for each in plugin_class(trt).bases],
    "capability": copy.get_capability_interface(trt.PluginCapabilityType.BUILD) is copy,
    "outputs": copy.num_outputs == len(copy.get_output_data_types([])) == len(outputs),
    "takes": [takes(pos) for pos in range(len(tensors))],
    "half": [takes(pos, type=trt.float16) for pos in range(len(tensors))],
    "channels": [takes(pos, format=trt.TensorFormat.CHW4) for pos in range(len(tensors))],
    "refused": refused,
    "weights": [str(weights.dtype), weights.size],
    "long": np.asarray(long.data).tolist(),
    "ahead": None if ahead is None else [name for name in dir(ahead) if name[0] != "_"],
}))
"""


def test_the_plugin_is_one_of_tensorrt_s(bindings: tuple[str, Path]) -> None:
    version, folder = bindings
    path = os.pathsep.join([str(folder), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "LD_LIBRARY_PATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[5],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["same"]
    assert found["names"] == ["WavestepChunk", "WavestepChunk", "1", ""]
    assert found["bases"] == [True] * 4
    assert found["capability"]
    assert found["outputs"]
    assert all(found["takes"])
    assert len(found["takes"]) == 12
    assert not any(found["half"])
    assert not any(found["channels"])
    assert "WavestepChunk got (64, 4, 1) in place of int32 (64,); build" in found["refused"]
    assert found["weights"] == ["DataType.INT32", 7]
    # Why a field is one number (fields.py): where this is whole, longer ones would do.
    repeated = version in ("10.3", "10.13") and not np.__version__.startswith("1.")
    assert found["long"] == ([0] * 9 if repeated else list(range(9)))
    # docs/cuda.md: what a kernel that a plan holds ahead of time can be launched with.
    axes = [f"{of}_{axis}" for of in ("block", "grid") for axis in "xyz"]
    assert found["ahead"] == (None if version == "10.3" else [*axes, "shared_mem"])
