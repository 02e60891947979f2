"""JetPack releases: the TensorRT and CUDA of a Jetson, and whether they run a plan of ours."""

from __future__ import annotations

from dataclasses import dataclass

OLDEST_TENSORRT = (10, 3)
"""The engine's code path begins here: strongly typed networks, execute_async_v3."""

OLDEST_CUDA = 12
"""What cuda-core begins at."""

OLDEST_PYTHON = 10
"""3.10: what wavestep itself needs."""


@dataclass(frozen=True)
class JetPack:
    """One release of NVIDIA's software for Jetson."""

    version: str
    tensorrt: str
    cuda: str
    python: str
    """Version of its Ubuntu's own Python; wavestep needs 3.10."""
    source: str | None = None
    """What confirms TensorRT and CUDA; None: from memory."""

    @property
    def runs_plans(self) -> bool:
        """Whether its TensorRT is one that wavestep builds for."""
        major, minor = (int(part) for part in self.tensorrt.split(".")[:2])
        return (major, minor) >= OLDEST_TENSORRT

    @property
    def cuda_major(self) -> int:
        """12: what wheels and cubins for it are of."""
        return int(self.cuda.split(".")[0])

    @property
    def runs_cubins(self) -> bool:
        """Whether its driver and its Python are ones that the cuda engine runs with."""
        return self.cuda_major >= OLDEST_CUDA and self.python_minor >= OLDEST_PYTHON

    @property
    def python_minor(self) -> int:
        """10 of 3.10."""
        return int(self.python.split(".")[1])

    @property
    def extra(self) -> str:
        """The extra of wavestep for its CUDA: `jetpack6`, `jetpack7`; of older ones there is none.

        wn-doctor on the device names the same (wn_runtime.extras).
        """
        return f"jetpack{self.version.split('.')[0]}"


JETPACKS: dict[str, JetPack] = {
    jetpack.version: jetpack
    for jetpack in (
        JetPack("4.6", "8.2.1", "10.2", "3.6", "gist Tiryoh/2b5dc1f8; NVIDIA linux-tegra-r3272"),
        JetPack("5.1", "8.5.2", "11.4", "3.8", "github edgehook/Jetson-AI-task"),
        JetPack("6.0", "8.6.2", "12.2", "3.10"),
        JetPack("6.2", "10.3.0", "12.6", "3.10", "pytorch.org/TensorRT, jetpack.html"),
        JetPack(
            "7.1", "10.13.3", "13.0", "3.12", "NVIDIA JetPack archive 7.1; github IsaacTeleop#1050"
        ),
        JetPack(
            "7.2", "10.16.2", "13.2", "3.12", "github isaac-ros-cli#22; github meta-tegra#2224"
        ),
    )
}
