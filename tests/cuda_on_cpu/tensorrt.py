"""A strict stand-in for the half of TensorRT that runs plans; it computes them for real.

It has what wn_runtime.engines.tensorrt.api declares and nothing else. A plan is a header with the
version and the GPU it is for, and what it runs (programs.py) on the addresses that were set. What
the real one answers to a plan of another version or GPU, this one answers.
"""

from __future__ import annotations

import json
import sys
import types
from enum import Enum, IntEnum
from importlib.machinery import ModuleSpec
from typing import Any

import pytest

from tests.cuda_on_cpu import building, plugins
from tests.cuda_on_cpu.gpu import ALIGNMENT, Gpu, require
from tests.cuda_on_cpu.programs import Graph, Node
from tests.cuda_on_cpu.tensors import DataType as DataType
from tests.cuda_on_cpu.tensors import TensorFormat
from tests.cuda_on_cpu.tensors import TensorIOMode as TensorIOMode

_MAGIC = b"ftrt-test\n"
_BYTES = 1000  # working memory of a context


class _Severity(IntEnum):
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class ILogger:
    INTERNAL_ERROR, ERROR = _Severity.INTERNAL_ERROR, _Severity.ERROR

    def log(self, severity: Any, msg: str) -> None:
        raise NotImplementedError


class NetworkDefinitionCreationFlag(IntEnum):
    STRONGLY_TYPED = 1


class ExecutionContextAllocationStrategy(Enum):
    STATIC, ON_PROFILE_CHANGE, USER_MANAGED = range(3)


def plan_bytes(
    body: bytes,
    version: str,
    compute_capability: str,
    user_allocation: bool = True,
    node: bool = False,
) -> bytes:
    """A plan as the builder of `version` would make for that GPU, of an ONNX graph or a node.

    Without `user_allocation`, TensorRT-RTX's flag, it may allocate while it runs.
    """
    header = {"version": version, "compute_capability": compute_capability}
    line = json.dumps({**header, "user_allocation": user_allocation, "node": node})
    return _MAGIC + line.encode() + b"\n" + body


class IExecutionContext:
    def __init__(self, engine: ICudaEngine, strategy: ExecutionContextAllocationStrategy) -> None:
        self._engine, self._addresses = engine, dict[str, int]()
        self._enqueue, self._detach = engine._program.attach()
        self._given = strategy is not ExecutionContextAllocationStrategy.USER_MANAGED
        self._own = self._given

    def __del__(self) -> None:
        self._detach()

    def set_device_memory(self, memory: int, size: int) -> None:
        require(not self._own, "memory for a context that has its own")
        require(size >= self._engine.device_memory_size_v2, "too little memory")
        self._engine._module.gpu.check(memory, size)
        self._given = True

    def is_stream_capturable(self, stream: int) -> bool:
        require(self._engine._module.__name__ == "tensorrt_rtx", "TensorRT-RTX alone has it")
        return self._engine._user_allocation and not self._own

    def set_tensor_address(self, name: str, memory: int) -> bool:
        require(memory % ALIGNMENT == 0, f"the address of {name} is no multiple of {ALIGNMENT}")
        self._engine._module.gpu.check(memory, self._engine._program.tensors[name][1].nbytes)
        self._addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        module = self._engine._module
        gpu: Gpu = module.gpu
        require(self._given, "a context without memory")
        capturing = gpu.capturing(stream_handle)
        if capturing and module.__name__ == "tensorrt_rtx":
            require(self.is_stream_capturable(stream_handle), "allocation while it is captured")
        if (
            gpu.lost
            or not gpu.current
            or module.fail_execute
            or (capturing and module.fail_capture)
        ):
            module.say("IExecutionContext::enqueueV3: Error Code 1: Cuda Runtime (test)")
            return False
        missing = self._engine._program.tensors.keys() - self._addresses.keys()
        require(not missing, f"no address for {missing}")
        addresses = dict(self._addresses)
        require(len(set(addresses.values())) == len(addresses), "one buffer bound twice")
        try:
            self._enqueue(addresses, stream_handle)
        except Exception as error:
            module.say(f"IExecutionContext::enqueueV3: {error}")
            return False
        module.enqueued += 1
        return True


class EngineInspector:
    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine

    def get_engine_information(self, format: Any) -> str:
        return json.dumps({"Layers": []})


class ICudaEngine:
    def __init__(self, module: Any, program: Graph | Node, user_allocation: bool) -> None:
        self._module, self._user_allocation = module, user_allocation
        self._program = program
        self.num_io_tensors = len(program.tensors)
        self.device_memory_size_v2 = _BYTES

    def __del__(self) -> None:
        self._program.destroy()

    def get_tensor_name(self, index: int) -> str:
        return list(self._program.tensors)[index]

    def get_tensor_mode(self, name: str) -> Any:
        return self._program.tensors[name][0]

    def get_tensor_dtype(self, name: str) -> Any:
        return self._program.tensors[name][1].type

    def get_tensor_shape(self, name: str) -> Any:
        return self._program.tensors[name][1].dims

    def create_execution_context(
        self,
        strategy: ExecutionContextAllocationStrategy = ExecutionContextAllocationStrategy.STATIC,
    ) -> IExecutionContext | None:
        own = strategy is ExecutionContextAllocationStrategy.STATIC
        if own and self._module.gpu.used + _BYTES > self._module.gpu.memory:
            self._module.say("Error Code 2: OutOfMemory (test)")
            return None
        try:
            return IExecutionContext(self, strategy)
        except Exception as error:
            self._module.say(f"IPluginV3OneRuntime::attachToContext: {error}")
            return None

    def create_engine_inspector(self) -> EngineInspector:
        return EngineInspector(self)


def install(
    monkeypatch: pytest.MonkeyPatch, gpu: Gpu, version: str = "10.3.0", name: str = "tensorrt"
) -> Any:
    """Make `import tensorrt` (or tensorrt_rtx) this module for the length of a test.

    Beside TensorRT's own names it has the test's: `loaded` and `enqueued` count, `fail_execute`
    and `fail_capture` are faults to be had, `logger` is the last that a runtime was given.
    """
    module: Any = types.ModuleType(name)

    class Runtime:
        engine_host_code_allowed = False

        def __init__(self, logger: Any) -> None:
            require(isinstance(logger, ILogger), "not a logger")
            module.logger = logger

        def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
            if not serialized_engine.startswith(_MAGIC):
                module.say("Error Code 1: Serialization (magicTag mismatch)")
                return None
            header, body = serialized_engine.removeprefix(_MAGIC).split(b"\n", 1)
            made_for = json.loads(header)
            user_allocation, node = made_for.pop("user_allocation"), made_for.pop("node")
            arch = gpu.arch
            here = {"version": version, "compute_capability": f"{arch[:-1]}.{arch[-1]}"}
            if made_for != here and not self.engine_host_code_allowed:
                module.say(f"expecting {made_for}, got {here}, please rebuild")
                return None
            try:
                program = Node(module, gpu, body) if node else Graph(gpu, body)
            except Exception as error:
                module.say(f"Error Code 4: {error}")
                return None
            module.loaded += 1
            return ICudaEngine(module, program, user_allocation)

    module.__version__ = version
    module.__spec__ = ModuleSpec(name, None)
    module.DataType, module.TensorIOMode = DataType, TensorIOMode
    module.TensorFormat, module.Weights = TensorFormat, building.Weights
    for each in (
        *plugins.INTERFACES,
        plugins.IPluginCreatorV3One,
        plugins.PluginFieldType,
        plugins.PluginField,
        plugins.PluginFieldCollection,
        plugins.DimsExprs,
    ):
        setattr(module, each.__name__, each)
    registry = plugins.IPluginRegistry()
    module.get_plugin_registry = lambda: registry
    module.NetworkDefinitionCreationFlag = NetworkDefinitionCreationFlag
    module.ProfilingVerbosity = types.SimpleNamespace(DETAILED="detailed")
    module.LayerInformationFormat = types.SimpleNamespace(JSON="json")
    module.IProgressMonitor = type("IProgressMonitor", (), {})
    module.plan_bytes, module.Builder = plan_bytes, building.builder_class(module, gpu)
    module.ExecutionContextAllocationStrategy = ExecutionContextAllocationStrategy
    module.ILogger, module.Runtime = ILogger, Runtime
    module.gpu, module.logger = gpu, None
    module.loaded = module.enqueued = 0
    module.fail_execute = module.fail_capture = False
    module.say = lambda text: module.logger.log(_Severity.ERROR, text)
    monkeypatch.setitem(sys.modules, name, module)
    return module
