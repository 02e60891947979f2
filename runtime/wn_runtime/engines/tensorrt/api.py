"""What wavestep uses of TensorRT's Python API, as types: nothing else of it passes the type check.

The one module object of TensorRT (module.py) is typed so, hence mypy proves that no other
attribute or call is used, and tests/runtime/engines/tensorrt/test_bindings.py proves that every
one of these exists, with these arguments, in the real bindings of 10.3, 10.13, 10.16 and 11.4. A
class here bears the name of the class there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class DataType(Protocol):
    """Element types; the members that our graphs have."""

    FLOAT: Any
    HALF: Any
    INT32: Any


class TensorFormat(Protocol):
    """How a tensor lies in memory."""

    LINEAR: Any
    """Row-major."""


class TensorIOMode(Protocol):
    """Whether an engine reads or writes a tensor."""

    INPUT: Any
    OUTPUT: Any


class LayerInformationFormat(Protocol):
    """What the inspector answers in."""

    JSON: Any


class ProfilingVerbosity(Protocol):
    """How much an engine remembers of its layers, for the inspector."""

    DETAILED: Any


class ExecutionContextAllocationStrategy(Protocol):
    """Whose business the working memory of an execution context is."""

    USER_MANAGED: Any


class NetworkDefinitionCreationFlag(Protocol):
    """What a network is to be; each is the number of a bit."""

    STRONGLY_TYPED: Any


class BuilderFlag(Protocol):
    """What a builder is told to do; the member that TensorRT-RTX alone has, from 1.2 on."""

    REQUIRE_USER_ALLOCATION: Any
    """All working memory is had before a call, as stream capture needs it."""


class IBuilderConfig(Protocol):
    """How a plan is to be built."""

    profiling_verbosity: Any
    max_aux_streams: int
    progress_monitor: Any

    def set_flag(self, flag: Any) -> None: ...


class ITensor(Protocol):
    """A tensor of a network."""

    name: str
    dtype: Any
    shape: Sequence[int]


class ILayer(Protocol):
    """A layer of a network, before the builder fuses any."""

    name: str
    type: Any
    num_inputs: int
    num_outputs: int

    def get_input(self, index: int) -> ITensor | None: ...
    def get_output(self, index: int) -> ITensor | None: ...


class INetworkDefinition(Protocol):
    """A network, parsed or made."""

    num_layers: int
    num_inputs: int
    num_outputs: int

    def get_layer(self, index: int) -> ILayer: ...
    def get_input(self, index: int) -> ITensor: ...
    def get_output(self, index: int) -> ITensor: ...
    def add_input(self, name: str, dtype: Any, shape: Sequence[int]) -> ITensor: ...
    def add_constant(self, shape: Sequence[int], weights: Any) -> ILayer | None: ...
    def add_plugin_v3(
        self, inputs: Sequence[ITensor], shape_inputs: Sequence[ITensor], plugin: Any
    ) -> ILayer | None: ...
    def mark_output(self, tensor: ITensor) -> None: ...


class Builder(Protocol):
    """Makes networks, and plans of them."""

    def create_network(self, flags: int) -> INetworkDefinition: ...
    def create_builder_config(self) -> IBuilderConfig: ...
    def build_serialized_network(
        self, network: INetworkDefinition, config: IBuilderConfig
    ) -> Any: ...


class PluginFieldType(Protocol):
    """Of the numbers of a field."""

    INT64: Any


class PluginField(Protocol):
    """What a plan keeps of a plugin, by name."""

    name: str
    data: Any
    """An array; but see fused/fields.py."""


class IPluginRegistry(Protocol):
    """Which plugins there are."""

    def get_creator(self, type: str, version: str, plugin_namespace: str) -> Any: ...
    def register_creator(self, creator: Any, plugin_namespace: str) -> bool: ...


class IExprBuilder(Protocol):
    """Makes the sizes of a plugin's outputs."""

    def constant(self, arg0: int) -> Any: ...


class EngineInspector(Protocol):
    """Tells what the builder made of a network."""

    def get_engine_information(self, format: Any) -> str: ...


class IExecutionContext(Protocol):
    """An engine's working memory, and the addresses of its inputs and outputs."""

    def set_device_memory(self, memory: int, size: int) -> None: ...
    def set_tensor_address(self, name: str, memory: int) -> bool: ...
    def execute_async_v3(self, stream_handle: int) -> bool: ...


class RtxExecutionContext(IExecutionContext, Protocol):
    """What TensorRT-RTX's IExecutionContext has besides."""

    def is_stream_capturable(self, stream: int) -> bool: ...


class ICudaEngine(Protocol):
    """A plan, loaded onto the GPU."""

    num_io_tensors: int
    device_memory_size_v2: int
    """Bytes of working memory of one execution context."""

    def get_tensor_name(self, index: int) -> str: ...
    def get_tensor_mode(self, name: str) -> Any: ...
    def get_tensor_dtype(self, name: str) -> Any: ...
    def get_tensor_shape(self, name: str) -> Sequence[int]: ...
    def create_execution_context(self, strategy: Any = ...) -> IExecutionContext | None: ...
    def create_engine_inspector(self) -> EngineInspector: ...


class Runtime(Protocol):
    """Loads plans."""

    engine_host_code_allowed: bool
    """Version-compatible plans hold a runtime of their own, which is code."""

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None: ...


class ILogger(Protocol):
    """Its severities; subclassed, for its `log`."""

    INTERNAL_ERROR: Any
    ERROR: Any


class MakesRuntime(Protocol):
    """The class `Runtime`, called."""

    def __call__(self, logger: Any) -> Runtime: ...


class MakesBuilder(Protocol):
    """The class `Builder`, called."""

    def __call__(self, logger: Any) -> Builder: ...


class MakesWeights(Protocol):
    """The class `Weights`, called: values of a constant, where they lie."""

    def __call__(self, type: Any, ptr: int, count: int) -> Any: ...


class MakesPluginField(Protocol):
    """The class `PluginField`, called."""

    def __call__(self, name: str, data: Any, type: Any) -> PluginField: ...


class MakesPluginFieldCollection(Protocol):
    """The class `PluginFieldCollection`, called."""

    def __call__(self, arg0: Sequence[PluginField]) -> Any: ...


class MakesDimsExprs(Protocol):
    """The class `DimsExprs`, called: the shape of a plugin's output."""

    def __call__(self, arg0: Sequence[Any]) -> Any: ...


class TensorRT(Protocol):
    """The module `tensorrt`, or `tensorrt_rtx`."""

    __version__: str
    DataType: DataType
    TensorFormat: TensorFormat
    TensorIOMode: TensorIOMode
    LayerInformationFormat: LayerInformationFormat
    ProfilingVerbosity: ProfilingVerbosity
    ExecutionContextAllocationStrategy: ExecutionContextAllocationStrategy
    NetworkDefinitionCreationFlag: NetworkDefinitionCreationFlag
    PluginFieldType: PluginFieldType
    Runtime: MakesRuntime
    Builder: MakesBuilder
    Weights: MakesWeights
    PluginField: MakesPluginField
    PluginFieldCollection: MakesPluginFieldCollection
    DimsExprs: MakesDimsExprs
    ILogger: ILogger
    IProgressMonitor: type[Any]
    """Subclassed: phase_start, step_complete and phase_finish are ours."""
    IPluginV3: type[Any]
    """Subclassed with the next three; their methods are in fused/plugin.py."""
    IPluginV3OneCore: type[Any]
    IPluginV3OneBuild: type[Any]
    IPluginV3OneRuntime: type[Any]
    IPluginCreatorV3One: type[Any]

    def get_plugin_registry(self) -> IPluginRegistry: ...


class TensorRtRtx(TensorRT, Protocol):
    """The module `tensorrt_rtx`, where it has more."""

    BuilderFlag: BuilderFlag
