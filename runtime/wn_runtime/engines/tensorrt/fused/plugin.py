"""The fused kernel as a TensorRT plugin (IPluginV3), of 10.3 and newer.

`register(tensorrt)` in a process makes its TensorRT load fused plans. A plan brings no code of the
plugin's: this is compiled by NVRTC, or read from wavestep's cache, for the text that is installed.

TensorRT calls a plugin's methods by position. They raise where they fail: TensorRT then answers
its own caller with an error and prints what was raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.step_signature import Tensor
from wn_runtime.engines.tensorrt.api import IExprBuilder, TensorRT
from wn_runtime.engines.tensorrt.fused.fields import from_fields, to_fields
from wn_runtime.engines.tensorrt.fused.kernel import NodeKernel
from wn_runtime.engines.tensorrt.fused.node import FusedNode
from wn_runtime.errors import WavestepError

NAME, VERSION, NAMESPACE = "WavestepChunk", "1", ""
_REGISTERED: list[Any] = []  # TensorRT keeps an address


def register(trt: TensorRT) -> None:
    """Let TensorRT's registry have the plugin; once a process is enough."""
    registry = trt.get_plugin_registry()
    if registry.get_creator(NAME, VERSION, NAMESPACE) is None:
        creator = creator_class(trt)()
        if not registry.register_creator(creator, NAMESPACE):
            raise WavestepError(
                f"TensorRT {trt.__version__} does not take the plugin {NAME} {VERSION}; use the "
                "cuda engine"
            )
        _REGISTERED.append(creator)


def element(trt: TensorRT, tensor: Tensor) -> Any:
    """A tensor's type as TensorRT has it."""
    return {"float32": trt.DataType.FLOAT, "int32": trt.DataType.INT32}[tensor.dtype.name]


def creator_class(trt: TensorRT) -> type[Any]:
    """A class known at run time only, as TensorRT's are."""
    plugin = plugin_class(trt)

    class Creator:
        """Makes the node of a plan that is loaded, or of a network."""

        def __init__(self) -> None:
            trt.IPluginCreatorV3One.__init__(cast(Any, self))
            self.name, self.plugin_version, self.plugin_namespace = NAME, VERSION, NAMESPACE
            self.field_names = trt.PluginFieldCollection([])

        def create_plugin(self, _name: str, fields: Any, _phase: Any) -> Any:
            # A collection of TensorRT's own has a length, and no iterator.
            return plugin(from_fields(fields[i] for i in range(len(fields))))

    return type("WavestepCreator", (Creator, trt.IPluginCreatorV3One), {})


def plugin_class(trt: TensorRT) -> type[Any]:
    """The plugin, over the four interfaces that it is in one."""
    bases = (
        trt.IPluginV3,
        trt.IPluginV3OneCore,
        trt.IPluginV3OneBuild,
        trt.IPluginV3OneRuntime,
    )
    return type("WavestepPlugin", (_Plugin, *bases), {"trt": trt, "bases": bases})


class _Plugin:
    """What TensorRT asks of it, in the order that it does."""

    trt: TensorRT
    bases: tuple[type[Any], ...]

    def __init__(self, node: FusedNode) -> None:
        """Raises EngineUnavailable for a node of other sources than these."""
        for base in self.bases:
            base.__init__(cast(Any, self))
        self.plugin_name, self.plugin_version, self.plugin_namespace = NAME, VERSION, NAMESPACE
        signature = node.signature
        self.num_outputs = len(signature.outputs)
        self._node, self._outputs = node, list(signature.outputs.values())
        self._tensors = [*signature.inputs.values(), node.weights, *self._outputs]
        self._fields = to_fields(self.trt, node)
        self._collection = self.trt.PluginFieldCollection(self._fields)
        self._device: CudaDevice | None = None
        self._kernel: NodeKernel | None = None

    def clone(self) -> _Plugin:
        """Another of the same node, attached to nothing."""
        return type(self)(self._node)

    def get_capability_interface(self, _kind: Any) -> _Plugin:
        """One object has all three."""
        return self

    # While a plan is built.

    def get_output_data_types(self, _input_types: Any) -> list[Any]:
        """Of each output."""
        return [element(self.trt, tensor) for tensor in self._outputs]

    def get_output_shapes(
        self, _inputs: Any, _shape_inputs: Any, expr_builder: IExprBuilder
    ) -> list[Any]:
        """Of each output; nothing depends on the inputs'."""
        return [
            self.trt.DimsExprs([expr_builder.constant(size) for size in tensor.shape])
            for tensor in self._outputs
        ]

    def supports_format_combination(self, pos: int, in_out: Any, num_inputs: int) -> bool:
        """Whether tensor `pos`, outputs after inputs, may be as described: its type, row-major."""
        found = in_out[pos].desc
        assert num_inputs + self.num_outputs == len(self._tensors)
        wanted = element(self.trt, self._tensors[pos])
        return bool(found.type == wanted and found.format == self.trt.TensorFormat.LINEAR)

    def configure_plugin(self, inputs: Any, _outputs: Any) -> None:
        """Raises WavestepError where the network gives it inputs of other shapes."""
        for found, tensor in zip(inputs, self._tensors, strict=False):
            if tuple(found.desc.dims) != tensor.shape:
                raise WavestepError(
                    f"the plugin {NAME} got {tuple(found.desc.dims)} in place of {tensor}; build "
                    "the plan with wn-export"
                )

    def get_valid_tactics(self) -> list[int]:
        """There is one way only."""
        return []

    def get_workspace_size(self, _inputs: Any, _outputs: Any) -> int:
        """Bytes of working memory."""
        return 0

    def get_fields_to_serialize(self) -> Any:
        """What the plan keeps."""
        return self._collection

    # Where it runs.

    def attach_to_context(self, _resource_context: Any) -> _Plugin:
        """A clone that is ready: nothing is compiled or loaded while a stream is captured.

        Raises EngineUnavailable where the GPU cannot run it.
        """
        attached = self.clone()
        attached._ready()
        return attached

    def set_tactic(self, _tactic: int) -> None:
        """There is one."""

    def on_shape_change(self, _inputs: Any, _outputs: Any) -> None:
        """Called before it runs, also by a builder, which may not attach it to a context."""
        self._ready()

    def enqueue(
        self,
        _input_desc: Any,
        _output_desc: Any,
        inputs: Sequence[int],
        outputs: Sequence[int],
        _workspace: int,
        stream: int,
    ) -> None:
        """Put one call into the stream. Raises DeviceLost where CUDA refuses it."""
        self._ready().enqueue(inputs, outputs, stream)

    def _ready(self) -> NodeKernel:
        if self._kernel is None:
            self._device = CudaDevice()
            try:
                self._kernel = NodeKernel(self._device, self._node)
            except BaseException:
                self.destroy()
                raise
        return self._kernel

    def destroy(self) -> None:
        """Give the device back."""
        self._kernel = None
        if self._device is not None:
            self._device.close()
            self._device = None
