"""How precisely float32 products are computed: fast while networks train, exact where an account rests on them."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

KEPT = 2_000_000_000  # bytes of freed memory a process may keep while a network trains
MAPPED = 1 << 30  # bytes from which on a block is mapped by itself then, and given back at once
USUAL = 1 << 25  # both afterwards: what glibc's own adjustment ends at


@contextmanager
def exact() -> Iterator[None]:
    """Float32 products in float32, whatever the processor has and whatever was asked for before; restored afterwards.

    Switched off are products through bfloat16 or TF32 units, however they were asked for (torch's precision of
    products, its precision of each backend, oneDNN's own default), and autocast.

    Example:
        >>> torch.set_float32_matmul_precision("medium")
        >>> with exact():
        ...     torch.get_float32_matmul_precision()
        'highest'
        >>> torch.get_float32_matmul_precision()
        'medium'
        >>> torch.set_float32_matmul_precision("highest")
    """
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    onednn = torch.backends.mkldnn.enabled
    with _precision("highest"), ExitStack() as stack:
        for device in devices:
            stack.enter_context(torch.autocast(device, enabled=False))
        # its default may be bfloat16, set in the environment
        torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
        try:
            yield
        finally:
            torch.backends.mkldnn.enabled = onednn


@contextmanager
def fast_matrices() -> Iterator[None]:
    """Float32 products through bfloat16 or TF32 units where the processor has them, restored afterwards.

    Freed memory is kept by the process meanwhile, and given back at the end.
    """
    with _precision("medium"), _freed_memory_kept():
        yield


@contextmanager
def _precision(asked: str) -> Iterator[None]:
    """Torch's precision of float32 products, and that of each backend, which may have been set apart from it."""
    try:
        before = torch.get_float32_matmul_precision()
    except RuntimeError:  # somebody set a backend alone, and torch has no word for all: it is as it was at the start
        before = "highest"
    each = [(backend, backend.fp32_precision) for backend in _backends()]
    torch.set_float32_matmul_precision(asked)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
        for backend, precision in each:
            backend.fp32_precision = precision


def _backends() -> list[Any]:
    """Those whose products have a precision of their own; none in versions of torch that have one for all."""
    backends = (torch.backends.mkldnn, torch.backends.cuda)
    return [b.matmul for b in backends if hasattr(getattr(b, "matmul", None), "fp32_precision")]


@contextmanager
def _freed_memory_kept() -> Iterator[None]:
    """Ask glibc to keep large freed blocks: giving them back and faulting them in again costs a quarter of a step."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "mallopt"):
        yield
        return
    trim_threshold, mmap_threshold = -1, -3
    libc.mallopt(mmap_threshold, MAPPED)
    libc.mallopt(trim_threshold, KEPT)
    try:
        yield
    finally:
        libc.mallopt(mmap_threshold, USUAL)
        libc.mallopt(trim_threshold, USUAL)
        libc.malloc_trim(0)
