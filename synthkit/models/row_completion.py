"""Rows completed slot by slot by a network that knows every conditional: what is known first, then the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from synthkit.encoding.layout import ConstraintMask, Given, Layout, Rows
from synthkit.models.sampling import draw_allowed, residuals
from synthkit.training.layers.gated_blocks import fast_dtype
from synthkit.training.layers.masked_network import Partial

Admit = Callable[[int, Tensor, Tensor | None], Tensor | None]  # slot, levels so far, mask -> mask of admissible levels

MOSTLY_SHARED = 2  # rows a group, on average, from which on laws are worked out once a group


class LearnedValues(Protocol):
    """What is worked out once of conditionals: vectors of all levels among it. **Shape**: (V, H)."""

    @property
    def values(self) -> Tensor:
        """What a known level adds to the state of a row."""
        ...


L = TypeVar("L", bound=LearnedValues)


class Conditionals(Protocol[L]):
    """The law of every slot given any of the others, told by a sum over what is known.

    Attributes:
        layout: the slots.
        offsets: where the levels of each slot begin among all. **Shape**: (D,).
    """

    layout: Layout
    offsets: Tensor

    @property
    def rows_at_once(self) -> int | None:
        """Rows whose laws are worked out at once; None for all of them."""
        ...

    @property
    def device(self) -> torch.device:
        """Where they are computed."""
        ...

    def learned(self) -> L:
        """What is worked out once."""
        ...

    def logits(self, j: int, s: Tensor, row: Partial, learned: L, dtype: torch.dtype) -> Tensor:
        """Log-law of a slot up to a constant. **Shape**: sum of vectors (n, H), Partial of n -> (n, K)."""
        ...

    def applies(self, j: int, cat: Tensor) -> Tensor | None:
        """Where slot j carries information; None if everywhere. **Shape**: (n, D) -> (n,) bool."""
        ...

    def place(self, j: int, cat: Tensor, num: Tensor | None) -> Tensor | None:
        """What is added to a state beside its value vector once slot j is known. **Shape**: (n, D) -> (n, H)."""
        ...

    def vectors(self, cat: Tensor, table: Tensor) -> Tensor:
        """Vectors of every cell, zero where a slot does not apply. **Shape**: (n, D) -> (n, D, H)."""
        ...


@torch.no_grad()
def complete_rows(
    net: Conditionals[L],
    given: Given,
    generator: torch.Generator,
    *,
    context: Tensor | None = None,
    admit: Admit | None = None,
    learned: L | None = None,
) -> Rows:
    """Complete rows: what is known comes first in the order, then what is known in part, then the rest.

    Args:
        net: the conditionals.
        given: what is known of each row.
        generator: of the draws.
        context: what else is known of each row, as each slot sees it. **Shape**: (n, D, H).
        admit: which levels of a slot a row may take, beside what the layout forbids; takes the slot, the levels so
            far and the mask of the layout. **Shape**: int, (n, D), (n, K) -> (n, K).
        learned: tables of the network that are worked out already.

    **Shape**: Given of n -> Rows of n.
    """
    layout, device = net.layout, net.device
    given = given.to(device)
    n, known = len(given), given.known()
    num = residuals(n, layout, generator).to(device)
    row = Partial(given.cat.clamp(min=0), known.clone(), num)
    cat = row.cat
    admissible = ConstraintMask(layout, n, given, device)
    learned = net.learned() if learned is None else learned
    s = known_sum(net, given, learned.values, num)
    alike = None if context is not None or bool(known.any()) else SharedLaws.at_first(n, layout, device)
    for j in range(known.shape[1]):
        admissible.observe(j, given.cat[:, j])
    for j in drawing_order(given, layout):
        here = known[:, j]
        if bool(here.all()):
            continue
        p = _law(net, j, s if context is None else s + context[:, j], row, learned, alike)
        mask = admissible.mask(j)
        mask = mask if admit is None else admit(j, cat, mask)
        level = torch.where(here, cat[:, j], draw_allowed(p, mask, generator))
        applies = net.applies(j, cat)
        if applies is not None:
            level = torch.where(applies, level, 0)
        cat[:, j], row.have[:, j] = level, True
        admissible.observe(j, level)
        fresh = ~here if applies is None else applies & ~here
        z, place = F.embedding(level + net.offsets[j], learned.values), net.place(j, cat, num)
        z = z if place is None else z + place
        alike = None if alike is None or place is not None else alike.with_levels(level)
        s.add_(z if bool(fresh.all()) else torch.where(fresh[:, None], z, 0.0))
    return Rows(cat, num)


@dataclass(frozen=True)
class SharedLaws:
    """Which rows have had the same levels so far, so that one law serves them all: of the first slot there is one.

    Args:
        of: group of each row. **Shape**: (n,).
        one: a row of each group. **Shape**: (groups,).
    """

    of: Tensor
    one: Tensor

    @staticmethod
    def at_first(n: int, layout: Layout, device: torch.device) -> SharedLaws | None:
        """All rows in one group; None where laws follow more than levels, by links between numbers."""
        if layout.links or n < 2:
            return None
        return SharedLaws(
            torch.zeros(n, dtype=torch.long, device=device), torch.zeros(1, dtype=torch.long, device=device)
        )

    def with_levels(self, level: Tensor) -> SharedLaws | None:
        """The groups once one more slot is drawn; None where hardly any rows share one. **Shape**: (n,)."""
        drawn, of = torch.unique(self.of * (int(level.max()) + 1) + level, return_inverse=True)
        if MOSTLY_SHARED * len(drawn) > len(level):
            return None
        one = torch.empty_like(drawn)
        one[of] = torch.arange(len(level), device=level.device)
        return SharedLaws(of, one)


def _law(
    net: Conditionals[L], j: int, state: Tensor, row: Partial, learned: L, alike: SharedLaws | None = None
) -> Tensor:
    """Law of a slot, worked out for as many rows at once as a cache holds. **Shape**: (n, H) -> (n, K)."""
    if alike is not None:
        some = Partial(row.cat[alike.one], row.have[alike.one], None if row.num is None else row.num[alike.one])
        return _law(net, j, state[alike.one], some, learned).index_select(0, alike.of)
    dtype, n = fast_dtype(net.device), len(state)
    size = max(n, 1) if net.rows_at_once is None else net.rows_at_once
    laws = []
    for part in (slice(start, start + size) for start in range(0, max(n, 1), size)):
        here = Partial(row.cat[part], row.have[part], None if row.num is None else row.num[part])
        laws.append(torch.softmax(net.logits(j, state[part], here, learned, dtype), dim=1))
    return laws[0] if len(laws) == 1 else torch.cat(laws)


def known_sum(net: Conditionals[L], given: Given, table: Tensor, num: Tensor | None = None) -> Tensor:
    """Sum of the vectors of what is known, at positions `num` inside cells. **Shape**: (n, H)."""
    known = given.known()
    if not bool(known.any()):
        return table.new_zeros(len(given), table.shape[1])
    cat = given.cat.clamp(min=0)
    z = (net.vectors(cat, table) * known[..., None]).sum(dim=1)
    applicable = net.layout.applicable(cat)
    for j in range(known.shape[1]):
        place = net.place(j, cat, num)
        z = z if place is None else z + place * (known & applicable)[:, j : j + 1]
    return z


def drawing_order(given: Given, layout: Layout) -> list[int]:
    """Slots in the order in which they are drawn: partly known ones first, coarse before fine."""
    order = list(range(len(layout.slots)))
    first = set(given.allowed) | {j for j in order if layout.slots[j].parent in given.allowed}
    return sorted(order, key=lambda j: (j not in first, j))
