"""What was spent: an append-only list of charges against an optional budget."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from synthkit.errors import ArtefactError, BudgetExceededError

FORMAT = "synthkit-ledger/1"


@dataclass(frozen=True, kw_only=True)
class NonPrivate:
    """A mechanism without any noise: an exact answer about real rows. Its privacy loss is infinite."""

    name: str = "non-private"


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The most a table may ever spend.

    Args:
        epsilon: total epsilon, above 0.
        delta: total delta, in (0, 1).
    """

    epsilon: float
    delta: float


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One spending.

    Args:
        what: what was released, in words.
        spent: the mechanism that released it.
        times: how often.
    """

    what: str
    spent: NonPrivate
    times: int = 1


class Ledger:
    """Append-only account of everything that was learned from one table about its units.

    Args:
        budget: the cap, None for none: then the ledger says, honestly, that epsilon is infinite.
        unit: column that names the protected unit, None if each row is one.

    Example:
        >>> ledger = Ledger(budget=None, unit="patient")
        >>> ledger.charge("histogram of age", NonPrivate())
        >>> ledger.epsilon()
        inf
    """

    def __init__(self, *, budget: Budget | None, unit: str | None) -> None:
        self.budget = budget
        self.unit = unit
        self._charges: list[Charge] = []

    @property
    def charges(self) -> tuple[Charge, ...]:
        """All charges so far, in order."""
        return tuple(self._charges)

    def charge(self, what: str, spent: NonPrivate, times: int = 1) -> None:
        """Write a charge down, before anything is released.

        Raises:
            BudgetExceededError: there is a budget, which an exact answer always exceeds.
        """
        if self.budget is not None:
            msg = (
                f"every charge must fit the budget of epsilon {self.budget.epsilon:g}; however: {what} would be "
                "answered exactly, which no budget can pay. Use a mechanism with noise"
            )
            raise BudgetExceededError(msg)
        self._charges.append(Charge(what=what, spent=spent, times=times))

    def epsilon(self) -> float:
        """Total epsilon: 0 if nothing was asked, infinite after any exact answer."""
        return math.inf if self._charges else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the format `synthkit-ledger/1`; an infinite epsilon is null."""
        epsilon = self.epsilon()
        return {
            "format": FORMAT,
            "unit": self.unit,
            "budget": None if self.budget is None else asdict(self.budget),
            "epsilon": epsilon if math.isfinite(epsilon) else None,
            "charges": [
                {"what": c.what, "mechanism": c.spent.name, "times": c.times, "detail": "exact, no noise"}
                for c in self._charges
            ],
        }

    def to_json(self) -> str:
        """The ledger as JSON text."""
        return json.dumps(self.to_dict(), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Ledger:
        """Read what `to_json` wrote.

        Raises:
            ArtefactError: the text is not a ledger of this format, or holds a mechanism this version does not know.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            msg = f"a ledger must be JSON; however: line {error.lineno} is not. Take it from the run folder again"
            raise ArtefactError(msg) from error
        said = data.get("format") if isinstance(data, dict) else None
        if said != FORMAT:
            msg = f"a ledger must have format {FORMAT}; however: {said!r}. Read it with the version that wrote it"
            raise ArtefactError(msg)
        absent = [key for key in ("budget", "unit", "charges") if key not in data]
        if absent:
            msg = f"a ledger must have all its entries; however: `{absent[0]}` is not there. Take it from the run again"
            raise ArtefactError(msg)
        ledger = cls(budget=None if data["budget"] is None else Budget(**data["budget"]), unit=data["unit"])
        for charge in data["charges"]:
            if charge["mechanism"] != NonPrivate().name:
                msg = (
                    f"every mechanism must be known; however: `{charge['mechanism']}` is not. "
                    "Read the ledger with the version that wrote it"
                )
                raise ArtefactError(msg)
            ledger._charges.append(Charge(what=charge["what"], spent=NonPrivate(), times=charge["times"]))
        return ledger
