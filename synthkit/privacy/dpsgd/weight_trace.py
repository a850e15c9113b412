"""A record of where a network's weights meet its rows, taken while the network runs; its code is not touched."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from synthkit.errors import UnsupportedError
from synthkit.privacy.dpsgd.gradient_factors import GradientFactors, Lookup, Matrix, Vector
from synthkit.privacy.dpsgd.level_kernels import Kernel, LevelLookup, through
from synthkit.training.layers.gated_blocks import LevelEmbedding

Turn = Callable[[Tensor], Tensor]
MOVES = {"to", "float", "bfloat16", "split", "chunk", "unbind", "t", "transpose", "permute", "reshape", "view"}
MOVES |= {"unsqueeze", "squeeze", "flatten", "contiguous", "__getitem__"}
CASTS = {"to", "float", "bfloat16"}
TURNED = (getattr(torch.Tensor.T, "__get__"), getattr(torch.Tensor.mT, "__get__"))  # noqa: B009  no stubs know them
SUM, SCALE = {"add", "__add__", "__radd__"}, {"mul", "__mul__", "__rmul__"}
ARGUMENTS = {
    "linear": ("input", "weight", "bias"),
    "embedding": ("input", "weight", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "embedding_bag": (
        *("input", "weight", "offsets", "max_norm", "norm_type", "scale_grad_by_freq", "mode", "sparse"),
        *("per_sample_weights", "include_last_offset", "padding_idx"),
    ),
    "pad": ("input", "pad", "mode", "value"),
    **dict.fromkeys(("matmul", "__matmul__", "mm", "bmm"), ("x", "weight")),
    **dict.fromkeys(("addmm", "baddbmm"), ("bias", "x", "weight")),
}
NOUGHT_BEHIND = (0, 0, 0, 1)  # how a table is padded by a row of noughts, for what is not there
PLAIN_EMBEDDING = {"padding_idx": None, "max_norm": None, "scale_grad_by_freq": False, "offsets": None, "mode": "sum"}


@dataclass(frozen=True)
class Weight:
    """Part of a parameter, or of a table made from parameters, moved about.

    Args:
        source: number of the parameter or table.
        at: which of its numbers stand where.
        value: the part itself in its first precision, as autograd knows it.
        kernel: of a table.
        padded: whether a row of noughts stands behind the table, which is no part of the weight.
    """

    source: int
    at: Tensor
    value: Tensor
    kernel: Kernel | None = None
    padded: bool = False

    def turned(self, turn: Turn) -> Weight:
        """Seen in another shape."""
        return replace(self, at=turn(self.at), value=turn(self.value))


@dataclass(frozen=True)
class WeightUse:
    """A weight that meets rows.

    Args:
        name: of the function.
        weight: the weight, as its use sees it once the axis of the rows is known.
        output: what came of it.
        use: axis of the rows and gradient by the output -> its use.
    """

    name: str
    weight: Callable[[int], Weight]
    output: Tensor
    use: Callable[[int, Tensor], GradientFactors]


class WeightTrace(TorchFunctionMode):
    """Meetings of one run.

    Args:
        module: whose parameters are watched.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.meetings: list[WeightUse] = []
        self._inside = 0
        parameters = [p for p in module.parameters() if p.requires_grad]
        self._own: dict[int, tuple[Tensor, Weight]] = {
            id(p): (p, Weight(k, _numbers(p), p)) for k, p in enumerate(parameters)
        }
        self._weights = dict(self._own)
        tables = [m for m in module.modules() if isinstance(m, LevelEmbedding)]
        self._kernels = {m: (k, Kernel.of(m)) for k, m in enumerate(tables, len(parameters))}

    @contextmanager
    def watching(self) -> Iterator[WeightTrace]:
        """Everything that runs inside is traced; tables of levels are taken as they come."""

        def enter(*_: object) -> None:
            self._inside += 1

        def leave(levels: Any, _: object, table: Tensor) -> None:
            source, kernel = self._kernels[levels]
            self._weights[id(table)] = table, Weight(source, _numbers(table), table, kernel)
            self._inside -= 1

        hooks = [h for m in self._kernels for h in (m.register_forward_pre_hook(enter), m.register_forward_hook(leave))]
        self.meetings, self._weights, self._inside = [], dict(self._own), 0
        try:
            with self:
                yield self
        finally:
            for hook in hooks:
                hook.remove()
            self._weights = dict(self._own)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if self._inside or not any(self._of(a) for a in _flat((args, kwargs.values()))):
            return out
        made = [t for t in _flat(out) if isinstance(t, Tensor) and t.requires_grad]
        if not made:
            return out
        name = "t" if func in TURNED else getattr(func, "__name__", str(func))
        if name != "embedding_bag" and any(w.padded for a in _flat((args, kwargs.values())) if (w := self._of(a))):
            _refuse(name)
        if name == "pad":
            self._padded(_named(name, args, kwargs), out)
        elif name in MOVES and self._of(args[0]) is not None:
            self._moved(name, func, args, kwargs, out)
        elif name in SUM | SCALE and not kwargs:
            self._summed(name, args[0], args[1], out)
        elif name in ARGUMENTS:
            self._met(name, _named(name, args, kwargs), out)
        else:
            _refuse(name)
        return out

    def _of(self, value: Any) -> Weight | None:
        found = self._weights.get(id(value)) if isinstance(value, Tensor) else None
        return None if found is None else found[1]

    def _moved(self, name: str, func: Callable[..., Any], args: Any, kwargs: dict[str, Any], out: Any) -> None:
        weight = self._of(args[0])
        if weight is None or out is args[0]:
            return
        if name in CASTS:
            self._weights[id(out)] = out, weight
            return
        at, value = func(weight.at, *args[1:], **kwargs), func(weight.value, *args[1:], **kwargs)
        every = [(out, at, value)] if isinstance(out, Tensor) else zip(out, at, value, strict=True)
        for part, where, same in every:
            self._weights[id(part)] = part, Weight(weight.source, where, same, weight.kernel)

    def _padded(self, given: dict[str, Any], out: Tensor) -> None:
        weight, plain = self._of(given["input"]), given.get("mode") in (None, "constant") and not given.get("value")
        if weight is None or weight.at.dim() != 2 or tuple(given["pad"]) != NOUGHT_BEHIND or not plain:
            _refuse("pad")
        self._weights[id(out)] = out, replace(weight, padded=True)

    def _summed(self, name: str, a: Any, b: Any, out: Tensor) -> None:
        weight, other = (self._of(a), b) if self._of(a) else (self._of(b), a)
        if weight is None or not isinstance(other, Tensor) or self._of(other) is not None:
            _refuse(name)
        self._vector(name, weight, out, other.detach() if name in SCALE else None)

    def _met(self, name: str, given: dict[str, Any], out: Tensor) -> None:
        weight, bias = self._of(given.get("weight")), self._of(given.get("bias"))
        if name in ("embedding", "embedding_bag"):
            if weight is None or any(given.get(k, v) != v for k, v in PLAIN_EMBEDDING.items() if k in ARGUMENTS[name]):
                _refuse(name)
                return
            self._looked(name, weight, given, out)
        elif name == "layer_norm":
            if weight is not None:
                scaled = F.layer_norm(given["input"].detach(), given["normalized_shape"], eps=given.get("eps", 1e-5))
                self._vector(name, weight, out, scaled)
        else:
            x: Any = given.get("input", given.get("x"))
            if self._of(x) is not None or (weight is None and bias is None):
                _refuse(name)
                return
            if weight is not None:
                self._multiplied(name, weight.turned(lambda w: w.mT) if name == "linear" else weight, x.detach(), out)
        if bias is not None:
            self._vector(name, bias, out, None)

    def _multiplied(self, name: str, weight: Weight, x: Tensor, out: Tensor) -> None:
        slots = weight.at.dim() == 3
        if weight.at.dim() not in (2, 3) or (slots and x.dim() != 3) or x.dim() < 2:
            _refuse(name)
        whole = weight if slots else weight.turned(lambda w: w[None])

        def use(axis: int, gradient: Tensor) -> GradientFactors:
            if slots and axis != 1:
                _refuse(name)
            left, right = (t[:, :, None] if slots else _rows_first(t, axis)[None] for t in (x, gradient))
            made = Matrix(left, right)
            if whole.kernel is None:
                return made
            levels, on_left = _levels_of(whole, whole.kernel, name)
            return through(made, whole.kernel, levels, left=on_left)

        self.meetings.append(WeightUse(name, lambda _: whole, out, use))

    def _vector(self, name: str, weight: Weight, out: Tensor, factor: Tensor | None) -> None:
        if weight.kernel is not None:
            _refuse(name)
        shape = (1,) * (out.dim() - weight.at.dim()) + tuple(weight.at.shape)

        def batched(axis: int) -> bool:
            return axis == out.dim() - 2 and shape[axis] == 1 and out.dim() > 2  # rows stay where they are: no copy

        def seen(axis: int) -> Weight:
            if shape[axis] != 1:
                _refuse(name)
            first = shape[0] if batched(axis) and out.dim() == 3 else 1
            return weight.turned(lambda w: w.reshape(first, -1))

        def use(axis: int, gradient: Tensor) -> GradientFactors:
            g = gradient if factor is None else gradient * factor
            spread = [k for k in range(g.dim()) if k != axis and shape[k] == 1 and g.shape[k] != 1]
            g = g.sum(dim=spread, keepdim=True) if spread else g
            if batched(axis) and g.dim() == 3:
                return Vector(g)
            return Vector(g.movedim(axis, 0).flatten(1)[None] if g.dim() > 1 else g[None, :, None])

        self.meetings.append(WeightUse(name, seen, out, use))

    def _looked(self, name: str, weight: Weight, given: dict[str, Any], out: Tensor) -> None:
        index, shares, size = given["input"], given.get("per_sample_weights"), weight.at.shape[0]
        if shares is not None and shares.requires_grad:
            _refuse(name)
        if weight.padded:
            self._bagged(name, weight, index, shares, out)
            return
        if name == "embedding_bag":
            bag = torch.zeros(len(index), size, dtype=torch.float32, device=index.device)
            ones = torch.ones(index.shape, dtype=torch.float32, device=index.device)
            self._multiplied(name, weight, bag.scatter_add_(1, index, ones if shares is None else shares.float()), out)
            return

        def use(axis: int, gradient: Tensor) -> GradientFactors:
            rows = index.movedim(axis, 0).flatten(1) if index.dim() > 1 else index[:, None]
            right = _rows_first(gradient, axis)
            return LevelLookup(rows, right, size, weight.kernel) if weight.kernel else Lookup(rows, right, size)

        self.meetings.append(WeightUse(name, lambda _: weight, out, use))

    def _bagged(self, name: str, weight: Weight, index: Tensor, shares: Tensor | None, out: Tensor) -> None:
        """Levels of which some are not there: they point behind the table."""
        size, kernel = weight.at.shape[0], weight.kernel
        if shares is not None or index.dim() != 2:
            _refuse(name)

        def use(axis: int, gradient: Tensor) -> GradientFactors:
            there = index < size
            level = torch.where(there, index, -1).amax(dim=0) if len(index) else index.new_full((index.shape[1],), -1)
            some = level >= 0
            rows = torch.where(there, index, level)[:, some]  # one of the same slot stands in, with no gradient
            right = gradient[:, None] * there[:, some, None]
            return LevelLookup(rows, right, size, kernel) if kernel else Lookup(rows, right, size)

        self.meetings.append(WeightUse(name, lambda _: weight, out, use))


def _rows_first(x: Tensor, axis: int) -> Tensor:
    """**Shape**: (.., B, .., H) -> (B, T, H)."""
    rows = x.movedim(axis, 0)
    return rows.reshape(len(rows), math.prod(rows.shape[1:-1]), x.shape[-1])  # -1 would not do: H may be 0


def _levels_of(weight: Weight, kernel: Kernel, name: str) -> tuple[Tensor, bool]:
    """Which levels of a table a part of it holds, and whether they are on the left. **Shape**: (G, I, O) -> (G, k).

    Levels of one slot share parameters, so that products side by side must be of one slot each, every one its own.
    """
    for left, at in ((True, weight.at), (False, weight.at.mT)):
        first, width = at[..., 0], kernel.width
        if at.shape[2] == width and bool((at.diff(dim=2) == 1).all()) and bool((first % width == 0).all()):
            levels = first // width
            slots = kernel.slot[levels]
            own = bool((slots == slots[:, :1]).all()) and len(torch.unique(slots[:, 0])) == len(slots)
            if len(levels) == 1 or own:
                return levels, left
    _refuse(name)


def _numbers(tensor: Tensor) -> Tensor:
    return torch.arange(tensor.numel(), device=tensor.device).view(tensor.shape)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Tensor) or not hasattr(value, "__iter__") or isinstance(value, str):
        yield value
    else:
        for part in value:
            yield from _flat(part)


def _named(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    unknown = set(kwargs) - set(ARGUMENTS[name])
    if unknown or len(args) > len(ARGUMENTS[name]):
        _refuse(name)
    return dict(zip(ARGUMENTS[name], args, strict=False)) | kwargs


def _refuse(name: str) -> NoReturn:
    msg = (
        f"weights must meet rows in products, sums, look-ups and layer norms; however: `{name}` was called with one. "
        "Use `Sampled`, which takes the gradient of each row from Opacus"
    )
    raise UnsupportedError(msg)
