"""The ledger of a table under a budget: charged and synced to disk before anything is drawn, never afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthkit.errors import ArtefactError, BudgetExceededError, ConfigError, SynthkitError
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan, total
from synthkit.privacy.accounting.events import NonPrivate
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.accounting.ledger_lock import LedgerLock
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta


class Ledger:
    """Append-only account of everything that was learned from one table about its units.

    One call of `charge` is one plan: its charges are composed jointly, and all numbers in it are fixed before the first
    of them is drawn. Plans add up; so a run makes one for everything. Under a budget the ledger lives in a file, which
    holds a plan before `charge` returns: a run that is killed has spent what it charged. Several runs may charge to one
    file at a time: what others add meanwhile is read, and only what they take away is refused.

    Args:
        archive: what was charged before.
        path: the file of the ledger, None without a budget.

    Example:
        >>> ledger = Ledger.unlimited(unit="patient")
        >>> _ = ledger.charge([Charge(what="histogram of age", spent=NonPrivate())])
        >>> ledger.epsilon()
        inf
    """

    def __init__(self, archive: LedgerFile, path: Path | None) -> None:
        self._archive = archive
        self._budget = archive.budget  # the cap of this run; another one may have set the file's wider
        self._file = None if path is None else LedgerLock(path)
        self._own: tuple[int, ...] = ()  # the parts this very ledger charged
        self._before: int | None = None  # a part an earlier run charged and drew nothing of, to be taken up

    @classmethod
    def unlimited(cls, *, unit: str | None) -> Ledger:
        """A ledger without a budget, in memory: anything may be charged, and epsilon is infinite."""
        return cls(LedgerFile(budget=None, unit=unit), None)

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
        ledger = cls(LedgerFile(budget=budget, unit=budget.unit), Path(path))
        with ledger._kept().holding():
            if Path(path).exists():
                msg = (
                    f"{path} must not exist yet; however: it does, and a ledger is never written anew. "
                    "Open it as the prior ledger, or name another file"
                )
                raise ArtefactError(msg)
            ledger._write(ledger.archive)
        return ledger

    @classmethod
    def at(cls, path: str | Path, budget: Budget) -> Ledger:
        """The ledger in a file: opened if it is there, begun if it is not; several runs may ask at the same time.

        Args:
            path: a file, in a folder that exists.
            budget: the cap on everything.

        Raises:
            ArtefactError: the file is no ledger, or there is no such folder.
            ConfigError: the ledger is for another unit, adjacency or bound on rows.
            BudgetExceededError: the ledger has no budget.
            TableError: the file cannot be written.
        """
        ledger = cls(LedgerFile(budget=budget, unit=budget.unit), Path(path))
        with ledger._kept().holding():
            if Path(path).exists():
                return cls.open(path, budget)
            ledger._write(ledger.archive)
        return ledger

    @classmethod
    def resuming(cls, path: str | Path, budget: Budget) -> Ledger:
        """A ledger whose next plan is the last one that was charged to it and not drawn; nothing new is charged.

        Args:
            path: the ledger of a run that ended between its charge and its first draw.
            budget: the cap that run had.

        Raises:
            ConfigError: there is no such plan, or the ledger is for another unit, adjacency or bound on rows.
            ArtefactError: the file is no ledger.
            BudgetExceededError: the ledger has no budget.
        """
        ledger = cls.open(path, budget)
        waiting = [number for number, part in enumerate(ledger.parts) if not part.drawn]
        if not waiting:
            msg = (
                f"what is taken up was charged and not drawn; however: {path} holds no such plan. What was drawn "
                "in part stays spent; run without --resume, which charges anew"
            )
            raise ConfigError(msg)
        ledger._before = waiting[-1]
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
        archive = LedgerFile.read(path)
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
        ledger = cls(replace(archive, budget=budget.covering(archive.budget)), Path(path))
        ledger._budget = budget
        return ledger

    @property
    def archive(self) -> LedgerFile:
        """All that is in it, as it is kept."""
        return self._archive

    @property
    def budget(self) -> Budget | None:
        """The cap of this run, None for none."""
        return self._budget

    @property
    def unit(self) -> str | None:
        """Column that names the protected unit, None if each row is one."""
        return self._archive.unit

    @property
    def parts(self) -> tuple[ComposedPlan, ...]:
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

    def left(self) -> EpsilonDelta:
        """What the next plan may cost; all of it without a budget. One that is taken up may cost what it might then."""
        if self.budget is None:
            return EpsilonDelta(epsilon=math.inf, delta=1.0)
        before = self.parts if self._before is None else self.parts[: self._before]
        return EpsilonDelta(
            epsilon=_rest(self.budget.epsilon, [part.epsilon() for part in before]),
            delta=_rest(self.budget.delta, [part.delta for part in before]),
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Up to date with what others have charged, and nobody charges more while the block lasts; may be nested.

        A plan that is made from `left` and charged in one such block is refused for nobody else's charges.

        Raises:
            ArtefactError: the file is not what this ledger wrote, with what others have added.
        """
        if self.budget is None or self._kept().held:
            yield
            return
        with self._kept().holding():
            self._archive = self._grown(self._kept().read())
            yield

    def charge(self, charges: Sequence[Charge], *, delta: float | None = None) -> float:
        """Charge a whole plan, before anything of it is drawn; when this returns it is on disk.

        A ledger that takes up what an earlier run charged takes that in its place, if it is the same to the last bit.

        Args:
            charges: everything in the plan, with numbers that follow from nothing drawn in it.
            delta: at which delta the plan is accounted for; None for all that is left.

        Returns:
            Epsilon of the plan, all charges together.

        Raises:
            BudgetExceededError: the budget cannot pay for it; nothing was written, and nothing may be drawn.
            ConfigError: the plan is empty or contradicts itself, or is not the one that is taken up.
            ArtefactError: the file is not what this ledger wrote.
            TableError: the file cannot be written.
        """
        if not charges:
            msg = "a plan must hold a charge; however: it is empty. Charge what will be drawn, or do not call"
            raise ConfigError(msg)
        if self.budget is None:
            self._own, part = (*self._own, len(self.parts)), ComposedPlan(delta=0.0, charges=tuple(charges))
            self._archive = replace(self._archive, parts=(*self.parts, part))
            return math.inf
        with self.alone():
            if self._before is not None:
                return self._taken_up(self._before, charges, delta)
            part = self._fitting(charges, delta)
            self._write(replace(self._archive, parts=(*self.parts, part)))
            self._own = (*self._own, len(self.parts) - 1)
        return part.epsilon()

    def begin(self) -> None:
        """Write down, before the first draw, that the plan charged last is drawn from now on: nobody takes it up then.

        Raises:
            ConfigError: this ledger has charged no plan.
            ArtefactError: the file is not what this ledger wrote, or another run has taken the plan up.
            TableError: the file cannot be written.
        """
        if not self._own:
            msg = "what is drawn must be charged; however: this run charged nothing. Charge its plan first"
            raise ConfigError(msg)
        with self.alone():
            self._keep(self._own[-1], replace(self.parts[self._own[-1]], drawn=True))

    @contextmanager
    def accounting(self) -> Iterator[None]:
        """Whatever ends the block after a charge says what was charged and what becomes of it, in a note."""
        try:
            yield
        except (SynthkitError, KeyboardInterrupt) as error:
            if self._own and self.budget is not None:
                error.add_note(self._owed([self.parts[number] for number in self._own]))
            raise

    def _owed(self, own: Sequence[ComposedPlan]) -> str:
        epsilon, delta = total(own)
        charged = f"epsilon {epsilon:.6g} and delta {delta:g} were charged to {self._kept().path} before"
        if any(part.drawn for part in own):
            return f"{charged}, and noise was drawn for them: they stay spent"
        return f"{charged}, and nothing was drawn for them: --resume draws it at no further cost"

    def draw_inside(self, steps: Sequence[Charge]) -> None:
        """Charge adaptive steps to the reserve of the plan this ledger charged last, before they are drawn.

        They add nothing to epsilon: the reserve was charged whole. One that an earlier run left is lost.

        Raises:
            BudgetExceededError: the reserve cannot pay for them.
            ConfigError: this ledger has charged no plan with a reserve.
            ArtefactError: the file is not what this ledger wrote.
            TableError: the file cannot be written.
        """
        if not self._own:
            msg = (
                "adaptive steps need a reserve that this run charged; however: it charged none. "
                "Charge a plan with a `Concentrated` reserve first"
            )
            raise ConfigError(msg)
        with self.alone():
            self._keep(self._own[-1], self.parts[self._own[-1]].drawing(steps))

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the format `synthkit-ledger/2`."""
        return self._archive.to_dict()

    def to_json(self) -> str:
        """The ledger as JSON text."""
        return self._archive.to_json()

    def _keep(self, number: int, part: ComposedPlan) -> None:
        """One part in another state; on disk where there is a file."""
        archive = replace(self._archive, parts=(*self.parts[:number], part, *self.parts[number + 1 :]))
        if self.budget is None:
            self._archive = archive
        else:
            self._write(archive)

    def _taken_up(self, number: int, charges: Sequence[Charge], delta: float | None) -> float:
        """The plan an earlier run charged, in the place of an equal one."""
        part, asked = self.parts[number], self.left().delta if delta is None else delta
        if part.drawn or (tuple(charges), asked) != (part.charges, part.delta):
            why = (
                "another run has drawn it meanwhile" if part.drawn else "another model, setting or budget is asked for"
            )
            msg = (
                f"what is taken up must be what was charged; however: {why}. Ask for the same as before; or run "
                "without --resume, which charges anew"
            )
            raise ConfigError(msg)
        self._own, self._before = (number,), None
        return part.epsilon()

    def _fitting(self, charges: Sequence[Charge], delta: float | None) -> ComposedPlan:
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
        part = ComposedPlan(delta=asked, charges=tuple(charges), drawn=False)
        if part.epsilon() > left.epsilon:
            msg = (
                f"every plan must fit {budget}, of which {left.epsilon:.6g} is left; however: {named} would cost "
                f"{part.epsilon():.6g} at delta {asked:g}. Nothing was drawn; use more noise, or raise the budget"
            )
            raise BudgetExceededError(msg)
        return part

    def _grown(self, found: LedgerFile) -> LedgerFile:
        """What the file holds, if it is what this ledger knows with more of it.

        Others' plans may have been drawn further, new ones may stand behind, and the cap may be wider; the plan of this
        ledger is as it left it.
        """
        known = self.parts
        kept = len(found.parts) >= len(known) and all(map(ComposedPlan.grows_to, known, found.parts))
        mine = kept and all(found.parts[number] == known[number] for number in self._own)
        budget = found.budget
        if not mine or budget is None or self.budget is None or self.budget.differs(budget) is not None:
            msg = (
                f"{self._kept().path} must hold what was charged to it; however: it was changed or put back to an "
                "older state, or another run took this one's plan up. Nothing more was drawn; bring the newer file back"
            )
            raise ArtefactError(msg)
        return replace(found, budget=self.budget.covering(budget))

    def _write(self, archive: LedgerFile) -> None:
        """Put the ledger on disk, and only then count it as charged."""
        self._kept().write(archive)
        self._archive = archive

    def _kept(self) -> LedgerLock:
        if self._file is None:
            msg = "a ledger under a budget must live in a file; however: it has none. Use `Ledger.new` or `open`"
            raise ConfigError(msg)
        return self._file


def _rest(cap: float, spent: Sequence[float]) -> float:
    """The most that may be added to a sum without exceeding its cap, to the last bit."""
    rest = max(0.0, cap - math.fsum(spent))
    while rest > 0 and math.fsum((*spent, rest)) > cap:
        rest = math.nextafter(rest, 0.0)
    return rest
