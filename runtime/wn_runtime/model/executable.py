"""What in a file could run as code, told from its first bytes or its name: nothing is loaded."""

from __future__ import annotations

from pathlib import Path

from wn_runtime import files

_MAGIC = (
    (b"\x7fELF", "Linux machine code"),
    (b"MZ", "Windows machine code"),
    (b"\xcf\xfa\xed\xfe", "macOS machine code"),
    (b"\xca\xfe\xba\xbe", "macOS machine code"),
    (b"\0asm", "WebAssembly"),
    (b"#!", "script"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
)
_CUDA = (190).to_bytes(2, "little")
"""An ELF file's machine, of a cubin."""
_SUFFIXES = {
    **dict.fromkeys((".so", ".dll", ".dylib", ".cubin", ".fatbin", ".ptx"), "machine code"),
    **dict.fromkeys((".plan", ".engine", ".trt"), "TensorRT plan"),
    **dict.fromkeys((".py", ".pyc", ".pyd", ".pth"), "Python"),
    **dict.fromkeys((".sh", ".bat", ".ps1"), "script"),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".ckpt", ".joblib", ".bin"), "pickle, perhaps"),
}


def executable(path: Path) -> str | None:
    """What kind of code a regular file may be; None for data. Raises OSError."""
    with files.opened(path) as file:
        head = file.read(20)
    if head.startswith(b"\x7fELF") and head[18:20] == _CUDA:
        return "NVIDIA GPU code"
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return what
    return _SUFFIXES.get(path.suffix.lower())
