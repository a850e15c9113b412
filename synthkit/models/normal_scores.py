"""Encoded rows as names and normal scores, for models that live in continuous space; made from a layout alone.

A number is the normal quantile of its rank, z = Phi^-1(u), where u runs through the cells of its column in order, each
as wide as its share of rows. A value many rows share is thus an interval of scores. Levels too heavy for that, and
"missing", become levels of a name beside the score, its *kind*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.layout import ForbiddenCombination, Given, Layout, Rows, Slot

EDGE = 1e-5  # scores stay inside +-4.3


@dataclass(frozen=True)
class MixedRows:
    """Rows as names and scores.

    **Shape**: `cat` (n, a) int64, name k in range(sizes[k]); `num` (n, b) float32; `scored` (n, b) bool, False where
    the kind of a number says that it has no score, which is then 0.
    """

    cat: Tensor
    num: Tensor
    scored: Tensor

    def __len__(self) -> int:
        return int(self.cat.shape[0])


@dataclass(frozen=True)
class KnownScores:
    """What is known of names and scores.

    Args:
        values: the known ones, 0 elsewhere.
        cat: which names are known. **Shape**: (n, a) bool.
        num: which scores are known. **Shape**: (n, b) bool.
        allowed: names known in part, and their admissible levels. **Shape**: each (n, K) bool.
    """

    values: MixedRows
    cat: Tensor
    num: Tensor
    allowed: dict[int, Tensor]


@dataclass(frozen=True)
class _Number:
    """Where a number lives: slots and residual of a row, score and kind of a mixed row."""

    coarse: int
    fine: int | None
    residual: int | None
    kind: int | None
    special: NDArray[np.int64]  # coarse levels that are kinds 1, 2, ...
    level: Tensor  # coarse level of each cell, (m,)
    within: Tensor  # fine level of each cell, (m,)
    edges: Tensor  # u at the borders of the cells, (m + 1,)
    start: Tensor  # first cell of each coarse level, (K,)


class NormalScores:
    """The passage between encoded rows and mixed ones.

    Args:
        layout: the slots, with the shares of their levels.
        heavy: share of rows from which on a level is a kind instead of an interval of scores.
        few: numbers with at most so many levels are names.
        lattice: numbers on a lattice with at most so many levels are names as well.

    Example:
        >>> from synthkit.encoding.layout import Slot
        >>> prior = np.log(np.array([0.9, 0.05, 0.05], dtype=np.float32))
        >>> slot = Slot(name="x", size=3, ordinal=True, missing=False, parent=None, prior=prior)
        >>> NormalScores(Layout((slot,), ("x",), ("x",)), few=2).sizes
        (2,)
    """

    def __init__(self, layout: Layout, *, heavy: float = 0.05, few: int = 12, lattice: int = 0) -> None:
        self.layout = layout
        self.plain: list[int] = []  # slots that are names
        self._numbers: list[_Number] = []
        names: list[str] = []
        priors: list[Tensor] = []
        for column in dict.fromkeys(layout.columns):
            slots = layout.slots_of(column)
            first = layout.slots[slots[0]]
            most = max(few, lattice) if first.lattice else few
            if column not in layout.residuals or (len(slots) == 1 and first.size <= most):
                for j in slots:
                    self.plain.append(j)
                    names.append(layout.slots[j].name)
                    priors.append(torch.from_numpy(layout.slots[j].prior))
        for column in layout.residuals:
            coarse = layout.slots_of(column)[0]
            if coarse in self.plain:
                continue
            number, kinds = _number(layout, column, heavy, len(names))
            self._numbers.append(number)
            if kinds is not None:
                names.append(f"{column}:kind")
                priors.append(kinds)
        self.names, self.priors = tuple(names), tuple(priors)
        self.slots = (*(layout.slots[j] for j in self.plain), *self._kind_slots())
        self.names_layout = Layout(self.slots, self.names, (), self._clauses())
        self.sizes = tuple(len(p) for p in priors)

    def _kind_slots(self) -> list[Slot]:
        """The kinds as slots: names without an order."""
        at = range(len(self.plain), len(self.names))
        priors = [self.priors[k].numpy() for k in at]
        return [
            Slot(name=self.names[k], size=len(p), ordinal=False, missing=False, parent=None, prior=p)
            for k, p in zip(at, priors, strict=True)
        ]

    def _clauses(self) -> tuple[ForbiddenCombination, ...]:
        """What rules forbid of names; a clause that says something of scores is left out."""
        of_slot = {j: k for k, j in enumerate(self.plain)}
        numbers = {number.coarse: number for number in self._numbers if number.kind is not None}
        out = []
        for clause in self.layout.clauses:
            literals = []
            for j, marked in clause.literals:
                if j in of_slot:
                    literals.append((of_slot[j], marked))
                elif j in numbers and not np.delete(marked, numbers[j].special).any():
                    literals.append((numbers[j].kind or 0, np.concatenate([[False], marked[numbers[j].special]])))
            if len(literals) == len(clause.literals):
                out.append(ForbiddenCombination(tuple(literals)))
        return tuple(out)

    @property
    def scores(self) -> int:
        """Number of scores b."""
        return len(self._numbers)

    @property
    def kinds(self) -> tuple[int | None, ...]:
        """For each score, the index of the name that is its kind, None if it always has a score."""
        return tuple(number.kind for number in self._numbers)

    def split(self, rows: Rows, generator: torch.Generator | None = None) -> MixedRows:
        """Names and scores of encoded rows; inside a cell without position the score is drawn.

        **Shape**: Rows of n -> Mixed of n.
        """
        cat, n = rows.cat.long(), len(rows)
        names = torch.zeros(n, len(self.sizes), dtype=torch.long, device=cat.device)
        for k, j in enumerate(self.plain):
            names[:, k] = cat[:, j]
        num = torch.zeros(n, self.scores, device=cat.device)
        scored = torch.ones(n, self.scores, dtype=torch.bool, device=cat.device)
        for k, number in enumerate(self._numbers):
            cell = number.start.to(cat.device)[cat[:, number.coarse]]
            if number.fine is not None:
                cell = cell + cat[:, number.fine]
            cell = cell.clamp(max=len(number.level) - 1)
            edges = number.edges.to(cat.device)
            drawn = torch.rand(n, generator=generator, device=generator.device if generator else cat.device)
            inside = drawn.to(cat.device)
            if number.residual is not None and rows.num.shape[1]:
                position = rows.num[:, number.residual]
                inside = torch.where(position == 0.5, inside, position)  # a point has no position of its own
            score = _normal_quantile(edges[cell] + inside * (edges[cell + 1] - edges[cell]))
            if number.kind is not None:
                names[:, number.kind] = self._kind(number, cat[:, number.coarse])
                scored[:, k] = names[:, number.kind] == 0
            num[:, k] = torch.where(scored[:, k], score, 0.0)
        return MixedRows(names, num, scored)

    def join(self, mixed: MixedRows, generator: torch.Generator) -> Rows:
        """Encoded rows of names and scores. **Shape**: Mixed of n -> Rows of n."""
        n, device = len(mixed), mixed.cat.device
        cat = torch.zeros(n, len(self.layout.slots), dtype=torch.long, device=device)
        num = torch.rand((n, len(self.layout.residuals)), generator=generator, device=generator.device).to(device)
        for k, j in enumerate(self.plain):
            cat[:, j] = mixed.cat[:, k]
        for k, number in enumerate(self._numbers):
            level, within, position = self._cells(number, mixed.num[:, k])
            if number.kind is not None:
                kind = mixed.cat[:, number.kind]
                special = torch.from_numpy(np.concatenate([[0], number.special])).to(device)[kind]
                level = torch.where(kind > 0, special, level)
                within = torch.where(kind > 0, 0, within)
            cat[:, number.coarse] = level
            if number.fine is not None:
                cat[:, number.fine] = within
            if number.residual is not None:
                num[:, number.residual] = position
        return Rows(cat, num)

    def known(self, given: Given, generator: torch.Generator | None = None) -> KnownScores:
        """What `given` says of names and scores; a score known to its cell is drawn inside it.

        **Shape**: Given of n -> Known of n.
        """
        held = given.known()
        values = self.split(Rows(given.cat.clamp(min=0), torch.empty(len(given), 0, device=held.device)), generator)
        cat = torch.zeros_like(values.cat, dtype=torch.bool)
        num = torch.zeros_like(values.scored)
        allowed: dict[int, Tensor] = {}
        for k, j in enumerate(self.plain):
            cat[:, k] = held[:, j]
            if j in given.allowed:
                table, which = given.allowed[j]
                allowed[k] = table[which]
        for k, number in enumerate(self._numbers):
            whole = held[:, number.coarse]
            if number.fine is not None:
                whole = whole & (held[:, number.fine] | ~_applies(self.layout, number.fine, given))
            num[:, k] = whole & values.scored[:, k]
            if number.kind is None:
                continue
            cat[:, number.kind] = held[:, number.coarse]
            if number.coarse in given.allowed:
                table, which = given.allowed[number.coarse]
                allowed[number.kind] = self._kinds_allowed(number, table)[which]
        none = torch.zeros_like(values.cat)
        clean = MixedRows(torch.where(cat, values.cat, none), torch.where(num, values.num, 0.0), values.scored)
        return KnownScores(clean, cat, num, allowed)

    @staticmethod
    def _kind(number: _Number, level: Tensor) -> Tensor:
        """Kind of each coarse level: 0 for those with a score."""
        table = torch.zeros(len(number.start), dtype=torch.long)
        table[torch.from_numpy(number.special)] = torch.arange(1, len(number.special) + 1)
        return table.to(level.device)[level]

    def _kinds_allowed(self, number: _Number, table: Tensor) -> Tensor:
        """Kinds of which some level is admissible. **Shape**: (p, K) bool -> (p, kinds) bool."""
        kind = self._kind(number, torch.arange(table.shape[1], device=table.device))
        out = torch.zeros(len(table), len(number.special) + 1, dtype=torch.long, device=table.device)
        return out.index_add(1, kind, table.long()) > 0

    @staticmethod
    def _cells(number: _Number, score: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Coarse level, fine level and position inside the cell of each score. **Shape**: three of (n,)."""
        u = torch.special.ndtr(score.double()).clamp(0.0, 1.0)
        edges = number.edges.to(score.device)
        cell = (torch.searchsorted(edges, u, right=True) - 1).clamp(0, len(number.level) - 1)
        width = (edges[cell + 1] - edges[cell]).clamp(min=1e-12)
        position = ((u - edges[cell]) / width).clamp(0.0, 1.0 - 1e-6).float()
        return number.level.to(score.device)[cell], number.within.to(score.device)[cell], position


def _number(layout: Layout, column: str, heavy: float, at: int) -> tuple[_Number, Tensor | None]:
    """A number and the log-shares of its kinds, None if it has but one; `at` is the index the kind would get."""
    slots = layout.slots_of(column)
    coarse = layout.slots[slots[0]]
    fine = layout.slots[slots[1]] if len(slots) > 1 else None
    share = np.exp(coarse.prior.astype(np.float64))
    share /= share.sum()
    single = np.ones(coarse.size, dtype=bool) if fine is None else ~fine.applies
    special = single & (share >= heavy)
    if coarse.missing:
        special[-1] = True
    if special.all():  # nothing would have a score: the lightest level keeps one
        special[np.argmin(np.where(np.arange(coarse.size) < coarse.size - coarse.missing, share, np.inf))] = False
    level: list[int] = []
    within: list[int] = []
    mass: list[float] = []
    start = np.zeros(coarse.size, dtype=np.int64)
    for g in np.flatnonzero(~special):
        start[g] = len(level)
        inner = np.ones(1) if fine is None or single[g] else np.exp(fine.prior[g].astype(np.float64))
        cells = np.flatnonzero(inner > 0)
        level += [int(g)] * len(cells)
        within += cells.tolist()
        mass += (share[g] * inner[cells]).tolist()
    edges = np.concatenate([[0.0], np.cumsum(mass)])
    kinds = None
    if special.any():
        shares = np.concatenate([[share[~special].sum()], share[special]])
        kinds = torch.from_numpy(np.log(np.maximum(shares, 1e-12)).astype(np.float32))
    residual = layout.residuals.index(column)
    number = _Number(
        coarse=slots[0],
        fine=slots[1] if fine is not None else None,
        residual=residual,
        kind=at if kinds is not None else None,
        special=np.flatnonzero(special),
        level=torch.tensor(level, dtype=torch.long),
        within=torch.tensor(within, dtype=torch.long),
        edges=torch.from_numpy(edges / edges[-1]),
        start=torch.from_numpy(start),
    )
    return number, kinds


def _applies(layout: Layout, fine: int, given: Given) -> Tensor:
    slot = layout.slots[fine]
    parent = slot.parent if slot.parent is not None else fine
    table: Tensor = torch.from_numpy(slot.applies).to(given.cat.device)
    return table[given.cat[:, parent].clamp(min=0)]


def _normal_quantile(u: Tensor) -> Tensor:
    score: Tensor = torch.special.ndtri(u.double().clamp(EDGE, 1 - EDGE))
    return score.float()
