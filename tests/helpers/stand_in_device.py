"""A device that is not there: every tensor made on it and every passage to and from it is written down.

Tensors on it carry their numbers in memory of the processor, so that a fit runs to its end and comes to true figures on
a machine without a GPU. An operation that a GPU would refuse, for its tensors lie on both sides, is a fault.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

STAND_IN = torch.device("meta")  # a device that torch knows without a driver; nothing else in a fit makes tensors on it
PASSAGES = {"_to_copy", "copy_", "_local_scalar_dense", "_copy_from", "_foreach_copy_"}  # may have both sides
INDEXING = {"index", "index_put_", "index_put", "_index_put_impl_"}  # take positions from the processor too
MAKES_DATA = (torch.tensor, torch.as_tensor, torch.asarray)


class Carried(Tensor):
    """A tensor that lies on the stand-in, with its numbers."""

    numbers: Tensor

    @staticmethod
    def __new__(cls, numbers: Tensor) -> Carried:
        out = torch.Tensor._make_wrapper_subclass(
            cls,
            numbers.shape,
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            layout=numbers.layout,
            device=STAND_IN,
        )
        out.numbers = numbers
        return out

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"Carried({self.numbers})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return Recorder().work(func, args, kwargs or {})  # outside of the context nothing is recorded


@dataclass
class Recorder:
    """What was made where, and what a GPU would have refused.

    Args:
        made: how many tensors were made, by side, operation and place in the package.
        passages: how many tensors went to the device, from it, or were read, by direction and place.
        faults: operations with tensors on both sides, by operation and place.
    """

    made: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    passages: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)

    def work(self, func, args, kwargs):
        """Do an operation on the numbers and put what comes of it on its side."""
        name = func.overloadpacket.__name__
        flat = tree_flatten((args, kwargs))[0]
        tensors = [x for x in flat if isinstance(x, Tensor)]
        there = [x for x in tensors if isinstance(x, Carried)]
        here = [x for x in tensors if not isinstance(x, Carried)]
        wanted = kwargs.get("device")
        target = STAND_IN if there else None
        if wanted is not None:
            target = torch.device(wanted)
        elif name in PASSAGES and tensors:
            target = STAND_IN if isinstance(tensors[0], Carried) else None
        self._note(name, args, kwargs, there, here, target)
        if wanted is not None and torch.device(wanted) == STAND_IN:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        bare = tree_map(lambda x: x.numbers if isinstance(x, Carried) else x, (args, kwargs))
        out = func(*bare[0], **bare[1])
        if target != STAND_IN or name == "_local_scalar_dense":
            return out
        wrapped = tree_map(lambda x: Carried(x) if isinstance(x, Tensor) else x, out)
        return return_and_correct_aliasing(func, args, kwargs, wrapped) if there else wrapped

    def _note(self, name, args, kwargs, there, here, target) -> None:
        if name == "_local_scalar_dense":
            if there:
                self.passages["read", place()] += 1
            return
        if name in PASSAGES:
            source = args[1] if name in ("copy_", "_copy_from") else args[0]
            source = source[0] if isinstance(source, list | tuple) else source
            goes = (isinstance(source, Carried), target == STAND_IN)
            if goes[0] != goes[1]:
                self.passages["from" if goes[0] else "to", place()] += 1
            return
        if there and [x for x in self._bound(name, args, here) if x.dim() > 0]:
            self.faults[name, place()] += 1
        if not there and not here:
            self.made["device" if target == STAND_IN else "processor", name, place()] += 1

    @staticmethod
    def _bound(name, args, here):
        """Those of the processor that must not meet tensors of the device: positions may."""
        if name not in INDEXING or not isinstance(args[0], Carried):
            return here
        positions = {id(x) for x in args[1] if x is not None}
        return [x for x in here if id(x) not in positions]


def place() -> str:
    """The line of the package that is being run, such as `models/sampling.py:41`."""
    frame = sys._getframe(1)
    while frame is not None:
        where = frame.f_code.co_filename
        if "/synthkit/" in where:
            return f"{where.rsplit('/synthkit/', 1)[1]}:{frame.f_lineno}"
        frame = frame.f_back
    return "elsewhere"


class Everything(TorchDispatchMode):
    """Every operation goes through a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return self.recorder.work(func, args, kwargs or {})


class FromData(TorchFunctionMode):
    """Tensors made of lists and arrays, which torch puts on this device without their numbers."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        device = kwargs.get("device")
        if func is Tensor.tolist and isinstance(args[0], Carried):  # which subclasses have not
            self.recorder.passages["read", place()] += 1
            return args[0].numbers.tolist()
        if func in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[0], Carried):
            args = (args[0], self._positions(args[1]), *args[2:])
        if func not in MAKES_DATA or device is None or torch.device(device) != STAND_IN:
            out = func(*args, **kwargs)
            self._agree(func, kwargs.get("generator"), out)
            return out
        self.recorder.passages["to", place()] += 1
        return Carried(func(*args, **{**kwargs, "device": "cpu"}))

    def _positions(self, index: object) -> object:
        """Lists and arrays that choose positions, as tensors: torch takes them to the device by itself."""
        if isinstance(index, tuple):
            return tuple(self._positions(part) for part in index)
        if not isinstance(index, list | np.ndarray):
            return index
        self.recorder.passages["to", place()] += 1
        return Carried(torch.as_tensor(index))

    def _agree(self, func, generator: torch.Generator | None, out: object) -> None:
        """A GPU draws with a generator of its own only."""
        if generator is not None and (generator.device == STAND_IN) != isinstance(out, Carried):
            self.recorder.faults[f"{func.__name__} with a generator of the other side", place()] += 1


class AnyGenerator(torch.Generator):
    """A generator that says it is on the stand-in, where it was asked to be."""

    def __new__(cls, device: object = "cpu") -> AnyGenerator:
        out = super().__new__(cls)
        out.side = torch.device(device)
        return out

    @property
    def device(self) -> torch.device:
        return self.side


@contextmanager
def stand_in() -> Iterator[Recorder]:
    """A context in which tensors can be made on STAND_IN; what is done in it is recorded."""
    recorder = Recorder()
    fused = (*torch.utils._foreach_utils._get_fused_kernels_supported_devices(), "meta")
    with (
        patch("torch.Generator", AnyGenerator),
        patch("torch.optim.adamw._get_fused_kernels_supported_devices", lambda: fused, create=True),
        patch("torch.optim.adam._get_fused_kernels_supported_devices", lambda: fused, create=True),
        patch("torch.optim.optimizer._get_fused_kernels_supported_devices", lambda: fused, create=True),
        FromData(recorder),
        Everything(recorder),
    ):
        yield recorder
