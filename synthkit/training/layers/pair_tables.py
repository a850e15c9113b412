"""Laws of slots given one other slot, counted and shrunk: what a network of few rows would learn too late."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synthkit.encoding.layout import Layout

MOST_TOLD = 4_000_000  # numbers that the tables of one layout may have
SHRUNK = 4.0  # rows by which a law is drawn towards that of all rows
SHRUNK_ROWS = (1.0, 4.0, 16.0, 64.0, 256.0)  # among which leaving rows out chooses
UNSEEN_ROWS = 0.1  # of a level that no row has
INFORMATIVE = 0.05  # nats that a slot must tell of another


class PairTables(nn.Module):
    r"""What one slot adds to the logits of another, $\log \hat p(x_j \mid x_i) - \log \hat p(x_j)$, where i is known.

    $\hat p(b \mid a) = (n_{ab} + \alpha \hat p(b)) / (n_a + \alpha)$. Each slot has one source, the earlier slot that
    tells most of it by their mutual information less what chance would show; none where that is little. While training,
    a row can be left out of the counts that speak of itself, so that what is learned beside them leans on them less.

    Args:
        layout: the slots.
        behind: whether sources are later slots instead, for orders other than the table's own.

    References:
        Miller: Note on the bias of information estimates (1955), for what chance would show.
    """

    def __init__(self, layout: Layout, *, behind: bool = False) -> None:
        super().__init__()
        self.behind = behind
        self.layout, self.width = layout, max(layout.sizes, default=0) + 1
        self.starts = np.concatenate([[0], np.cumsum(layout.sizes)]).astype(int).tolist()
        fits = self.starts[-1] * self.width <= MOST_TOLD
        self.register_buffer("source", torch.full((len(layout.sizes),), -1))
        self.register_buffer("told", torch.zeros(self.starts[-1] if fits else 0, self.width))
        self.register_buffer("own", torch.zeros(0, self.width), persistent=False)
        self.source: Tensor
        self.told: Tensor
        self._laws: list[Tensor | None] = []
        self._laws_of: tuple[int, int, int] | None = None  # the tables that they were made of
        self.own: Tensor  # log-ratio of the count of a cell without one of its rows to that with it

    def learn(self, cat: Tensor, known: int | None = None, *, leave_one_out: bool = False) -> None:
        """Count rows. **Shape**: levels (n, D).

        Args:
            cat: the rows.
            known: a slot that is never drawn, and may tell of any other.
            leave_one_out: whether a row that is trained on is left out of what is told of itself; sources, and how
                far their laws are shrunk, are then chosen by rows left out as well.
        """
        self.source.fill_(-1)
        self.told.zero_()
        self.own = torch.zeros_like(self.told) if leave_one_out else self.told.new_zeros(0, self.width)
        if not len(self.told) or not len(cat):
            return
        applies = self.layout.applicable(cat).cpu().numpy()
        levels = cat.cpu().numpy()
        for j in self.layout.coarse:
            best = INFORMATIVE
            for i in self._sources(j, known):
                here = applies[:, i] & applies[:, j]
                table = self._counted(levels[here, j], levels[here, i], j, i)
                rows, told = left_out(table) if leave_one_out else (SHRUNK, information(table))
                if told > best:
                    best = told
                    self._set(j, i, table, rows)

    def _sources(self, j: int, known: int | None) -> list[int]:
        """Slots that may tell of slot j: those of other columns on the side asked for, and the one never drawn."""
        others = [i for i in self.layout.coarse if j != known and self.layout.columns[i] != self.layout.columns[j]]
        return [i for i in others if (i > j if self.behind else i < j) or i == known]

    def _counted(self, target: NDArray[np.int64], source: NDArray[np.int64], j: int, i: int) -> NDArray[np.float64]:
        shape = self.layout.sizes[j], self.layout.sizes[i]
        flat = np.bincount(target * shape[1] + source, minlength=shape[0] * shape[1])
        return flat.reshape(shape).astype(np.float64)

    def _set(self, j: int, i: int, table: NDArray[np.float64], shrunk: float) -> None:
        law = _law(table)
        given = (table + shrunk * law) / (table.sum(axis=0, keepdims=True) + shrunk)
        self.source[j] = i
        here = slice(self.starts[j], self.starts[j + 1])
        self.told[here] = 0.0
        self.told[here, : table.shape[1]] = torch.from_numpy(np.log(given / law)).float()
        if len(self.own):
            without = np.log((np.maximum(table - 1, 0) + shrunk * law) / (table + shrunk * law))
            self.own[here] = 0.0
            self.own[here, : table.shape[1]] = torch.from_numpy(without).float()

    def told_by(self, cat: Tensor, known: Tensor) -> Tensor:
        """Level of the source of every slot, or the column behind all levels where it is not known or there is none.

        **Shape**: levels (B, D), which are known as each slot sees it (B or 1, D, D) bool -> (B, D).
        """
        source = self.source.clamp(min=0)
        there = known[:, torch.arange(len(source), device=cat.device), source] & (self.source >= 0)
        return torch.where(there, cat[:, source], self.width - 1)

    def laws(self, j: int, at: Tensor) -> Tensor | None:
        """What sources at these levels add to the logits of slot j; None if it has none. **Shape**: (B,) -> (B, K)."""
        version = (self.told.data_ptr(), self.told._version, self.source._version)
        if version != self._laws_of:
            self._laws, self._laws_of = self._by_source(), version
        law = self._laws[j]
        return None if law is None else law.index_select(0, at)

    def _by_source(self) -> list[Tensor | None]:
        """The law of each slot that has a source, a row for each level of it: rows are found faster than columns."""
        slots = zip(self.source.tolist(), self.starts[:-1], self.starts[1:], strict=True)
        return [self.told[start:end].T.contiguous() if i >= 0 else None for i, start, end in slots]

    def add(self, j: int, logits: Tensor, cat: Tensor, known: Tensor) -> Tensor:
        """Logits of slot j and what its source tells of it, where that is known.

        **Shape**: (B, K), levels (B, D), which are known (B or 1, D) bool -> (B, K).
        """
        i = int(self.source[j])
        law = None if i < 0 else self.laws(j, torch.where(known[:, i], cat[:, i], self.width - 1))
        return logits if law is None else logits + law

    def speaks(self, j: int, known: Tensor) -> Tensor:
        """Whether the source of slot j is known. **Shape**: which slots are (B or 1, D) bool -> (B or 1,)."""
        i = int(self.source[j])
        return torch.zeros_like(known[:, 0]) if i < 0 else known[:, i]

    def own_parts(self, cat: Tensor, at: Tensor) -> Tensor | None:
        """What a row that was counted itself brought to the logit of its own level of every slot, to be added.

        The count of a row's source level falls by one as well, which is the same for all levels and changes no law.

        **Shape**: levels (B, D), those of their sources (B, D) -> (B, D), None if no row is left out.
        """
        if not len(self.own):
            return None
        starts = torch.tensor(self.starts[:-1], device=cat.device)
        return self.own[starts + cat, at]


def _law(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Law of the slot that is told of, of all rows. **Shape**: (K, sources) -> (K, 1)."""
    out: NDArray[np.float64] = (table.sum(axis=1, keepdims=True) + UNSEEN_ROWS) / (
        table.sum() + UNSEEN_ROWS * len(table)
    )
    return out


def left_out(table: NDArray[np.float64]) -> tuple[float, float]:
    r"""By how many rows laws are best drawn towards that of all rows, and what they then tell of a row left out.

    The mean over rows of $\log \hat p_{-1}(b \mid a) - \log \hat p(b)$, where the row itself is not counted, nats; the
    largest of a few numbers of rows.

    **Shape**: (K, sources) -> two numbers.

    References:
        Jelinek, Mercer: Interpolated estimation of Markov source parameters from sparse data (1980).

    Example:
        >>> rows, told = left_out(np.array([[500.0, 0.0], [0.0, 500.0]]))
        >>> rows, round(told, 2)
        (1.0, 0.69)
    """
    n, law = max(table.sum(), 1.0), _law(table)
    whole = table.sum(axis=0, keepdims=True)
    told = {}
    for rows in SHRUNK_ROWS:
        given = (np.maximum(table - 1, 0) + rows * law) / (np.maximum(whole - 1, 0) + rows)
        told[rows] = float((table * np.log(given / law)).sum() / n)
    best = max(told, key=lambda rows: told[rows])
    return best, told[best]


def information(table: NDArray[np.float64]) -> float:
    """Mutual information of a table of counts less what chance would show, nats. **Shape**: (a, b).

    Example:
        >>> round(information(np.array([[500.0, 0.0], [0.0, 500.0]])), 2)
        0.69
    """
    n = table.sum()
    if not n:
        return 0.0
    alone = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    some = table > 0
    told = float((table[some] * np.log(table[some] / alone[some])).sum() / n)
    chance = int(some.sum()) - int((table.sum(axis=1) > 0).sum()) - int((table.sum(axis=0) > 0).sum()) + 1
    return float(told - max(chance, 0) / (2 * n))
