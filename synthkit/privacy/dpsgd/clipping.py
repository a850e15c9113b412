"""Sums of gradients of which no unit moves more than a norm: exact norms by unit from one backward pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

from synthkit.errors import ConfigError, UnsupportedError
from synthkit.privacy.dpsgd.gradient_factors import MAX_TEMPORARY_NUMBERS, GradientFactors, Lookup, Matrix, Vector
from synthkit.privacy.dpsgd.unit_batches import Units, clip_norm, learned, parts
from synthkit.privacy.dpsgd.weight_trace import Weight, WeightTrace, WeightUse
from synthkit.training.matrix_precision import exact

NORM_ROUNDING = 1e-6  # relative error of inner products in float32, by which norms are rounded up
AGREEMENT = 0.05  # relative distance from autograd's own gradient beyond which a weight was missed; bfloat16 is coarse

_UNSEEN = "every use of a weight must be seen; however: one was not. Use `Sampled`"


class Batch(Protocol):
    """Rows."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Tensor, /) -> Self: ...


M = TypeVar("M", bound=nn.Module)
B = TypeVar("B", bound=Batch)
B_contra = TypeVar("B_contra", bound=Batch, contravariant=True)


class Noise(Protocol):
    """Independent Gaussian noise of a standard deviation, from a generator nobody can seed."""

    def __call__(self, shape: tuple[int, ...], scale: float, /) -> Tensor:
        """**Shape**: `shape`."""
        ...


class Sums(Protocol[B_contra]):
    """Whatever sums clipped gradients: `Clipper`, or `per_row_gradients.Sampled`."""

    clip: float
    parameters: list[nn.Parameter]

    def __call__(self, rows: B_contra, units: Tensor, copies: int = 1) -> list[Tensor]:
        """The sum, a tensor for each parameter. **Shape**: B rows, (B,)."""
        ...


@dataclass(frozen=True)
class _Plan:
    """Axis of the rows of each meeting; groups of meetings that share all their numbers; sources where some overlap."""

    names: tuple[str, ...]
    axes: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    tangled: dict[int, tuple[int, ...]]


class Clipper(Generic[M, B]):
    r"""Sum over units of their gradients, each clipped to a norm: sum_u g_u min(1, C / |g_u|).

    g_u is the sum of the gradients of the unit's rows. Its norm comes in closed form from what enters and leaves each
    weight, so that neither it nor the gradient of a row is ever written out, also where a unit has several rows, where
    a layer is used more than once, and in the tables of `gated_blocks.LevelEmbedding`. Weights tied in another way are
    written out by unit. Norms are rounded up by what float32 may be wrong; a unit with a gradient that is not finite
    adds nothing.
    Products for norms and sums are taken in float32, whatever the network computes in and torch was told before.

    Rows of one unit may lean on each other, as steps do on those before them: what leaves a weight at one row then
    holds the gradients of all rows of its unit. The first rows that come must each stand alone: they tell how weights
    meet rows, and whether rows of different units lean on each other.

    Args:
        module: network; its parameters that require gradients are summed over.
        loss: loss of each row, which must depend on no row of another unit. **Shape**: module, B rows -> (B,).
        clip: C, above 0.

    Raises:
        ConfigError: the clip norm is not positive and finite; units or losses are not one a row; a weight is
            coarser than float32.
        UnsupportedError: a weight meets rows in a way that has no closed form here; rows lean on each other.

    References:
        Abadi et al.: Deep learning with differential privacy (2016).
        See `gradient_factors.Matrix` for the norms.

    Example:
        >>> net = nn.Linear(2, 1, bias=False)
        >>> clipper = Clipper(net, lambda net, x: net(x).squeeze(1), clip=1.0)
        >>> rows = torch.tensor([[3.0, 4.0], [0.0, 0.5], [0.0, 0.25]])
        >>> clipper(rows, torch.tensor([0, 1, 1]))
        [tensor([[0.6000, 1.5500]])]
    """

    def __init__(self, module: M, loss: Callable[[M, B], Tensor], *, clip: float) -> None:
        self.module, self.loss, self.clip = module, loss, clip_norm(clip)
        self.parameters = learned(module)
        self._tape = WeightTrace(module)
        self._plan: _Plan | None = None

    def __call__(self, rows: B, units: Tensor, copies: int = 1) -> list[Tensor]:
        """The sum, a tensor for each parameter; zero of no rows.

        Args:
            rows: B rows.
            units: any number that is the same for rows of one unit. **Shape**: (B,).
            copies: how often each row is trained at once, its loss the mean over them: each draws its own randomness.
        """
        if units.shape != (len(rows),):
            msg = f"units must be one a row; however: {tuple(units.shape)} came for {len(rows)}. Pass one number a row"
            raise ConfigError(msg)
        if len(rows) == 0:
            return [torch.zeros_like(p) for p in self.parameters]
        if self._plan is None:
            self._plan = self._planned(rows)
        if copies > 1:
            every = torch.arange(len(rows), device=units.device).repeat_interleave(copies)
            rows, units = rows[every], units[every]
        meetings, loss = self._run(rows)
        if tuple(m.name for m in meetings) != self._plan.names:
            msg = "every batch must meet the same weights; however: calls differ between two. Use `Sampled`"
            raise UnsupportedError(msg)
        gradients = _backward(loss.sum() / copies, meetings)
        with torch.no_grad(), exact():
            uses = self._uses(meetings, gradients, self._plan)
            together = Units(units)
            squared, bound = self._norms(uses, meetings, together, self._plan)
            norm = (squared + NORM_ROUNDING * bound).clamp(min=0).sqrt()
            weight = torch.where(norm.isfinite(), (self.clip / norm).clamp(max=1), 0.0)
            keep = None if bool(norm.isfinite().all()) else norm.isfinite()[together.of]
            sums = [use.total(weight[together.of], keep) for use in uses.values()]
        return self._back([meetings[k].weight(self._plan.axes[k]) for k in uses], sums)

    def _run(self, rows: B) -> tuple[list[WeightUse], Tensor]:
        with torch.enable_grad(), self._tape.watching() as tape:
            loss = self.loss(self.module, rows)
        if loss.shape != (len(rows),):
            msg = (
                f"a loss must be one number a row; however: {tuple(loss.shape)} came of {len(rows)}. Do not average it"
            )
            raise ConfigError(msg)
        meetings, self._tape.meetings = tape.meetings, []  # held no longer than needed
        return meetings, loss

    def _uses(self, meetings: list[WeightUse], gradients: list[Tensor], plan: _Plan) -> dict[int, GradientFactors]:
        """One use for each group of meetings that share their numbers, under the first of them."""
        out = {}
        for group in plan.groups:
            made = [meetings[k].use(plan.axes[k], gradients[k]) for k in group]
            out[group[0]] = made[0] if len(made) == 1 else _joined(made)
        return out

    def _norms(
        self, uses: dict[int, GradientFactors], meetings: list[WeightUse], units: Units, plan: _Plan
    ) -> tuple[Tensor, Tensor]:
        """Squared norms of the units' gradients, and what bounds the rounding error. **Shape**: (U,), (U,)."""
        out, bound = (torch.zeros(units.count, dtype=torch.float32, device=units.of.device) for _ in range(2))
        tangled = {k for group in plan.tangled.values() for k in group}
        for k, use in uses.items():
            if k not in tangled:
                more, wrong = use.squares(units)
                out, bound = out + more, bound + wrong
        for group in plan.tangled.values():
            every = [(uses[k], meetings[k].weight(plan.axes[k]).at.flatten()) for k in group]
            size = int(max(at.max() for _, at in every)) + 1
            more = _written_out(every, size, units)
            out, bound = out + more, bound + more
        return out, bound

    def _back(self, weights: list[Weight], sums: list[Tensor]) -> list[Tensor]:
        """Sums by parts of parameters and by tables as sums by parameters."""
        with torch.enable_grad(), exact():
            inner = torch.stack([(w.value * g).sum() for w, g in zip(weights, sums, strict=True)]).sum()
            found = torch.autograd.grad(inner, self.parameters, allow_unused=True)
        return [torch.zeros_like(p) if g is None else g for p, g in zip(self.parameters, found, strict=True)]

    def _planned(self, rows: B) -> _Plan:
        """What meets what, from runs of two and of three rows; held against autograd's own gradient.

        The axis of the rows is the one that grows with them.
        """
        two = [tuple(m.output.shape) for m in self._run(rows[torch.tensor([0, 0])])[0]]
        some = rows[torch.tensor([0, len(rows) // 2, len(rows) - 1])]
        meetings, loss = self._run(some)
        axes = tuple(_grown(a, tuple(m.output.shape)) for a, m in zip(two, meetings, strict=True))
        self._alone(meetings, loss, axes)
        weights = [m.weight(axis) for m, axis in zip(meetings, axes, strict=True)]
        plan = _Plan(tuple(m.name for m in meetings), axes, *_groups(weights))
        own = torch.autograd.grad(loss.sum(), self.parameters, retain_graph=True, allow_unused=True)
        each, gradients = self._by_row(loss), _backward(loss.sum(), meetings, keep=True)
        with torch.no_grad(), exact():
            uses = self._uses(meetings, gradients, plan)
            self._hold_norms(uses, meetings, plan, each)
            sums = [use.total(torch.ones(3, dtype=torch.float32, device=loss.device), None) for use in uses.values()]
        whole = float(torch.stack([g.norm() for g in own if g is not None]).norm())
        for ours, theirs in zip(self._back([weights[k] for k in uses], sums), own, strict=True):
            apart = ours if theirs is None else ours - theirs
            size = 0.0 if theirs is None else float(theirs.norm())
            if float(apart.norm()) > AGREEMENT * (size + 0.02 * whole):
                raise UnsupportedError(_UNSEEN)
        return plan

    def _by_row(self, loss: Tensor) -> Tensor:
        """Gradients of rows as autograd has them, in a line each. **Shape**: (B,) -> (B, numbers)."""
        zeros = [torch.zeros_like(p) for p in self.parameters]
        each = [torch.autograd.grad(row, self.parameters, retain_graph=True, allow_unused=True) for row in loss]
        lines = [[zero if g is None else g for g, zero in zip(row, zeros, strict=True)] for row in each]
        return torch.stack([torch.cat([g.flatten() for g in line]) for line in lines])

    def _hold_norms(
        self, uses: dict[int, GradientFactors], meetings: list[WeightUse], plan: _Plan, rows: Tensor
    ) -> None:
        """Refuse if the norms of three rows, by themselves or two as one unit, are not those of autograd's gradients.

        A sum can be right where the norms that it is clipped by are not.
        """
        for units in (torch.arange(3, device=rows.device), torch.tensor([0, 0, 1], device=rows.device)):
            together = Units(units)
            squares, _ = self._norms(uses, meetings, together, plan)
            lengths = rows.norm(dim=1)
            apart = (squares.clamp(min=0).sqrt() - together.sums(rows).norm(dim=1)).abs()
            # held against the rows of a unit, not their sum: two that cancel leave nothing but rounding
            if bool((apart > AGREEMENT * (together.sums(lengths) + 0.02 * lengths.max())).any()):
                raise UnsupportedError(_UNSEEN)

    def _alone(self, meetings: list[WeightUse], loss: Tensor, axes: tuple[int, ...]) -> None:
        """Refuse if the loss of the first row leans on what is computed of others."""
        gradients = _backward(loss[0], meetings, keep=True)
        for gradient, axis in zip(gradients, axes, strict=True):
            if bool(gradient.narrow(axis, 1, 2).any()):
                msg = (
                    "the loss of a row must depend on no other row; however: it does. "
                    "Leave out whatever mixes rows of a batch, such as batch normalisation"
                )
                raise UnsupportedError(msg)


def private_gradient(
    sums: Sums[B],
    rows: B,
    units: Tensor,
    *,
    multiplier: float,
    expected: float,
    noise: Noise,
    size: int = 1024,
    copies: int = 1,
) -> None:
    r"""Set the gradients of one private step: (sum of clipped gradients + multiplier C z) / expected, z Gaussian.

    A batch without rows is a batch: its gradient is pure noise.

    Args:
        sums: what clips and sums.
        rows: all rows of the units that were drawn.
        units: of the rows. **Shape**: (B,).
        multiplier: standard deviation of the noise, in units of the clip norm; above 0.
        expected: expected number of units in a batch, which is public; above 0. Never the number that came.
        noise: where it comes from, such as `privacy.mechanisms.rng.gaussian`.
        size: rows worked on at once, copies counted; more where one unit has more.
        copies: random orders of a row, or other looks at it, that are averaged before clipping.

    Raises:
        ConfigError: a figure is out of its range.

    References:
        Abadi et al.: Deep learning with differential privacy (2016).
        De et al.: Unlocking high-accuracy differentially private image classification through scale (2022), for copies.
    """
    wrong = [f"{k} {x:g}" for k, x in (("multiplier", multiplier), ("expected", expected)) if not 0 < x < float("inf")]
    wrong += [f"{k} {x} (at least 1)" for k, x in (("size", size), ("copies", copies)) if x < 1]
    if wrong:
        msg = f"figures of a private step must be positive; however: {', '.join(wrong)}. Take them from the plan"
        raise ConfigError(msg)
    total = [torch.zeros_like(p) for p in sums.parameters]
    for part in parts(units, max(size // copies, 1)):
        torch._foreach_add_(total, sums(rows[part], units[part], copies))
    for p, g in zip(sums.parameters, total, strict=True):
        drawn = noise(tuple(p.shape), multiplier * sums.clip).to(device=p.device, dtype=p.dtype)
        p.grad = (g + drawn) / expected


def _backward(loss: Tensor, meetings: list[WeightUse], *, keep: bool = False) -> list[Tensor]:
    """Gradients by what came of each meeting; 0 where it plays no part."""
    if not meetings:
        return []
    with torch.enable_grad():
        outputs = [m.output for m in meetings]
        found = torch.autograd.grad(loss, outputs, allow_unused=True, retain_graph=keep)
    return [torch.zeros_like(o) if g is None else g for o, g in zip(outputs, found, strict=True)]


def _grown(two: tuple[int, ...], three: tuple[int, ...]) -> int:
    """The axis that grew from 2 to 3."""
    axes = [k for k, (a, b) in enumerate(zip(two, three, strict=True)) if a != b]
    if len(axes) != 1 or (two[axes[0]], three[axes[0]]) != (2, 3):
        msg = f"rows must have one axis of their own; however: {two} became {three} of one more row. Use `Sampled`"
        raise UnsupportedError(msg)
    return axes[0]


def _groups(weights: list[Weight]) -> tuple[tuple[tuple[int, ...], ...], dict[int, tuple[int, ...]]]:
    """Meetings that share all their numbers, and those of sources where some share a part of them."""
    groups: list[list[int]] = []
    for k, weight in enumerate(weights):
        for group in groups:
            other = weights[group[0]]
            same = other.source == weight.source and other.at.shape == weight.at.shape
            if same and torch.equal(other.at, weight.at):
                group.append(k)
                break
        else:
            groups.append([k])
    tangled = {}
    for source in {w.source for w in weights}:
        mine = tuple(g[0] for g in groups if weights[g[0]].source == source)
        numbers = torch.cat([weights[k].at.flatten() for k in mine])
        kernel = weights[mine[0]].kernel
        if kernel is not None:
            slots = [torch.unique(kernel.slot[weights[k].at.flatten() // kernel.width]) for k in mine]
            if len(torch.unique(numbers)) < len(numbers) or len(torch.unique(torch.cat(slots))) < sum(map(len, slots)):
                msg = "slots of a table of levels must be used in one way; however: one is used in two. Use two tables"
                raise UnsupportedError(msg)
        elif len(torch.unique(numbers)) < len(numbers):
            tangled[source] = mine
    return tuple(tuple(g) for g in groups), tangled


def _joined(uses: list[GradientFactors]) -> GradientFactors:
    """Several uses of the same numbers as one, so that they meet each other in the norm."""
    made = [use for use in uses if isinstance(use, Matrix)]
    if len(made) == len(uses):
        met = [use.met for use in made if use.met is not None]
        left, right = (torch.cat([getattr(use, side) for use in made], dim=2) for side in ("left", "right"))
        both = (torch.cat([m[0] for m in met], dim=2), torch.cat([m[1] for m in met], dim=2)) if met else None
        return Matrix(left, right, both)
    added = [use.rows.float() for use in uses if isinstance(use, Vector)]
    if len(added) == len(uses):
        return Vector(torch.stack(added).sum(dim=0))
    looks = [use for use in uses if isinstance(use, Lookup)]
    assert len(looks) == len(uses)  # weights of one shape are met in one way
    index, right = (torch.cat([getattr(use, side) for use in looks], dim=1) for side in ("index", "right"))
    return replace(looks[0], index=index, right=right)  # of a table of levels, each column in a slot of its own


def _written_out(uses: list[tuple[GradientFactors, Tensor]], size: int, units: Units) -> Tensor:
    """Squared norms by unit of gradients that share some numbers, written out for a few units at a time."""
    order = torch.argsort(units.of, stable=True)
    out = []
    for some in torch.split(
        torch.arange(units.count, device=order.device), max(1, MAX_TEMPORARY_NUMBERS // (size * units.largest))
    ):
        rows = order[(units.of[order] >= some[0]) & (units.of[order] <= some[-1])]
        gradient = torch.zeros(len(some), size, dtype=torch.float32, device=order.device)
        for use, at in uses:
            by_unit = torch.zeros(len(some), len(at), dtype=torch.float32, device=order.device)
            by_unit.index_add_(0, units.of[rows] - some[0], use.dense(rows))
            gradient.index_add_(1, at, by_unit)
        out.append(gradient.square().sum(dim=1))
    return torch.cat(out)
