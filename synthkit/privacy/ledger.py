"""The ledger of a table under a budget: charged and synced to disk before anything is drawn, never afterwards."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthkit.errors import ArtefactError, BudgetExceededError, ConfigError, TableError
from synthkit.files import held, replacing
from synthkit.privacy.archive import Archive
from synthkit.privacy.budget import Budget
from synthkit.privacy.charges import Charge
from synthkit.privacy.events import NonPrivate
from synthkit.privacy.parts import Part


@dataclass(frozen=True, kw_only=True)
class Allotment:
    """What a plan may cost.

    Args:
        epsilon: 0 or more.
        delta: 0 or more.
    """

    epsilon: float
    delta: float

    def part(self, share: float) -> Allotment:
        """A share of it, in (0, 1].

        Example:
            >>> Allotment(epsilon=1.0, delta=1e-6).part(0.5)
            Allotment(epsilon=0.5, delta=5e-07)
        """
        return Allotment(epsilon=share * self.epsilon, delta=share * self.delta)


class Ledger:
    """Append-only account of everything that was learned from one table about its units.

    One call of `charge` is one plan: its charges are composed jointly, and all numbers in it are fixed before the first
    of them is drawn. Plans add up; so a run makes one for everything. Under a budget the ledger lives in a file, which
    holds a plan before `charge` returns: a run that is killed has spent what it charged.

    Args:
        archive: what was charged before.
        path: the file of the ledger, None without a budget.

    Example:
        >>> ledger = Ledger.unlimited(unit="patient")
        >>> _ = ledger.charge([Charge(what="histogram of age", spent=NonPrivate())])
        >>> ledger.epsilon()
        inf
    """

    def __init__(self, archive: Archive, path: Path | None) -> None:
        self._archive = archive
        self._path = path
        self._mine: int | None = None  # the last part this very ledger charged

    @classmethod
    def unlimited(cls, *, unit: str | None) -> Ledger:
        """A ledger without a budget, in memory: anything may be charged, and epsilon is infinite."""
        return cls(Archive(budget=None, unit=unit), None)

    @classmethod
    def new(cls, path: str | Path, budget: Budget) -> Ledger:
        """Begin the ledger of a table.

        Args:
            path: a file that does not exist yet, in a folder that does.
            budget: the cap on everything this ledger will ever hold.

        Raises:
            ArtefactError: there is such a file already, or no such folder.
            TableError: the file cannot be written.
        """
        ledger = cls(Archive(budget=budget, unit=budget.unit), Path(path))
        with held(Path(path), what="a ledger") as folder:
            if Path(path).exists():
                msg = (
                    f"{path} must not exist yet; however: it does, and a ledger is never written anew. "
                    "Open it as the prior ledger, or name another file"
                )
                raise ArtefactError(msg)
            ledger._write(ledger._archive, folder)
        return ledger

    @classmethod
    def open(cls, path: str | Path, budget: Budget) -> Ledger:
        """Go on with the ledger of a table: what it holds counts against the budget.

        Args:
            path: the ledger of an earlier run on the same table.
            budget: the cap on everything, that run included; for the same unit, adjacency and bound.

        Raises:
            ArtefactError: the file is no ledger.
            ConfigError: the ledger is for another unit, adjacency or bound on rows.
            BudgetExceededError: the ledger has no budget: what it holds was answered exactly.
        """
        archive = Archive.read(path)
        if archive.budget is None:
            msg = (
                f"a prior ledger must have a budget; however: {path} has none, and holds {len(archive.parts)} parts "
                "without noise. What was answered exactly no budget can pay for"
            )
            raise BudgetExceededError(msg)
        name = budget.differs(archive.budget)
        if name is not None:
            msg = (
                f"a prior ledger must have the same {name} for its spending to be added; however: "
                f"{getattr(archive.budget, name)!r} there and {getattr(budget, name)!r} here. "
                f"Set {name} as in {path}, or spend nothing on this table"
            )
            raise ConfigError(msg)
        return cls(replace(archive, budget=budget), Path(path))

    @property
    def archive(self) -> Archive:
        """All that is in it, as it is kept."""
        return self._archive

    @property
    def budget(self) -> Budget | None:
        """The cap, None for none."""
        return self._archive.budget

    @property
    def unit(self) -> str | None:
        """Column that names the protected unit, None if each row is one."""
        return self._archive.unit

    @property
    def parts(self) -> tuple[Part, ...]:
        """All plans so far, in order."""
        return self._archive.parts

    @property
    def charges(self) -> tuple[Charge, ...]:
        """All charges so far, in order; steps that a reserve paid for are left out."""
        return tuple(charge for part in self.parts for charge in part.charges)

    def epsilon(self) -> float:
        """Total epsilon: 0 if nothing was charged, infinite after any charge without a budget."""
        return self._archive.spent()[0]

    def delta(self) -> float:
        """Total delta."""
        return self._archive.spent()[1]

    def left(self) -> Allotment:
        """What the next plan may cost; all of it without a budget."""
        if self.budget is None:
            return Allotment(epsilon=math.inf, delta=1.0)
        return Allotment(
            epsilon=_rest(self.budget.epsilon, [part.epsilon() for part in self.parts]),
            delta=_rest(self.budget.delta, [part.delta for part in self.parts]),
        )

    def charge(self, charges: Sequence[Charge], *, delta: float | None = None) -> float:
        """Charge a whole plan, before anything of it is drawn; when this returns it is on disk.

        Args:
            charges: everything in the plan, with numbers that follow from nothing drawn in it.
            delta: at which delta the plan is accounted for; None for all that is left.

        Returns:
            Epsilon of the plan, all charges together.

        Raises:
            BudgetExceededError: the budget cannot pay for it; nothing was written, and nothing may be drawn.
            ConfigError: the plan is empty or contradicts itself.
            ArtefactError: the file is not what this ledger wrote.
            TableError: the file cannot be written.
        """
        if not charges:
            msg = "a plan must hold a charge; however: it is empty. Charge what will be drawn, or do not call"
            raise ConfigError(msg)
        if self.budget is None:
            self._append(Part(delta=0.0, charges=tuple(charges)))
            return math.inf
        with self._locked() as folder:
            part = self._fitting(charges, delta)
            self._write(replace(self._archive, parts=(*self.parts, part)), folder)
            self._mine = len(self.parts) - 1
        return part.epsilon()

    def draw_inside(self, steps: Sequence[Charge]) -> None:
        """Charge adaptive steps to the reserve of the plan this ledger charged last, before they are drawn.

        They add nothing to epsilon: the reserve was charged whole. One that an earlier run left is lost.

        Raises:
            BudgetExceededError: the reserve cannot pay for them.
            ConfigError: this ledger has charged no plan with a reserve.
            ArtefactError: the file is not what this ledger wrote.
            TableError: the file cannot be written.
        """
        if self._mine is None:
            msg = (
                "adaptive steps need a reserve that this run charged; however: it charged none. "
                "Charge a plan with a `Concentrated` reserve first"
            )
            raise ConfigError(msg)
        if self.budget is None:
            self._archive = self._after(self._mine, steps)
            return
        with self._locked() as folder:
            self._write(self._after(self._mine, steps), folder)

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the format `synthkit-ledger/2`."""
        return self._archive.to_dict()

    def to_json(self) -> str:
        """The ledger as JSON text."""
        return self._archive.to_json()

    def _append(self, part: Part) -> None:
        self._mine = len(self.parts)
        self._archive = replace(self._archive, parts=(*self.parts, part))

    def _after(self, number: int, steps: Sequence[Charge]) -> Archive:
        drawn = self.parts[number].drawing(steps)
        return replace(self._archive, parts=(*self.parts[:number], drawn, *self.parts[number + 1 :]))

    def _fitting(self, charges: Sequence[Charge], delta: float | None) -> Part:
        """The plan as a part, if what is left pays for it."""
        left = self.left()
        named = charges[0].what if len(charges) == 1 else f"{charges[0].what} and {len(charges) - 1} more"
        budget = f"the budget of epsilon {self.budget.epsilon:g}" if self.budget else ""
        if any(isinstance(charge.spent, NonPrivate) for charge in charges):
            exact = next(charge.what for charge in charges if isinstance(charge.spent, NonPrivate))
            msg = (
                f"every charge must fit {budget}; however: {exact} would be "
                "answered exactly, which no budget can pay. Use a mechanism with noise"
            )
            raise BudgetExceededError(msg)
        asked = left.delta if delta is None else delta
        if not 0 < asked <= left.delta:
            msg = (
                f"every plan must fit what is left of delta, {left.delta:g}; however: {asked:g} is asked for {named}. "
                "Nothing was drawn; give each plan its part of delta, or raise the budget's"
            )
            raise BudgetExceededError(msg)
        part = Part(delta=asked, charges=tuple(charges))
        if part.epsilon() > left.epsilon:
            msg = (
                f"every plan must fit {budget}, of which {left.epsilon:.6g} is left; however: {named} would cost "
                f"{part.epsilon():.6g} at delta {asked:g}. Nothing was drawn; use more noise, or raise the budget"
            )
            raise BudgetExceededError(msg)
        return part

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Alone with the file, up to date with what other runs have charged to it meanwhile."""
        path = self._file()
        with held(path, what="a ledger") as folder:
            found = Archive.read(path).parts
            if found[: len(self.parts)] != self.parts:
                msg = (
                    f"{path} must hold what was charged to it; however: it was changed or put back to an older state. "
                    "Nothing was drawn; bring the newer file back"
                )
                raise ArtefactError(msg)
            self._archive = replace(self._archive, parts=found)
            yield folder

    def _write(self, archive: Archive, folder: int) -> None:
        """Put the ledger on disk, its entry in the folder too, and only then count it as charged."""
        with replacing(self._file()) as temporary:
            temporary.write_text(archive.to_json(), encoding="utf-8")
        try:
            os.fsync(folder)
        except OSError as error:
            msg = f"{self._path} must reach the disk; however: {error.strerror}. Nothing may be drawn; see to the disk"
            raise TableError(msg) from error
        self._archive = archive

    def _file(self) -> Path:
        if self._path is None:
            msg = "a ledger under a budget must live in a file; however: it has none. Use `Ledger.new` or `open`"
            raise ConfigError(msg)
        return self._path


def _rest(cap: float, spent: Sequence[float]) -> float:
    """The most that may be added to a sum without exceeding its cap, to the last bit."""
    rest = max(0.0, cap - math.fsum(spent))
    while rest > 0 and math.fsum((*spent, rest)) > cap:
        rest = math.nextafter(rest, 0.0)
    return rest
