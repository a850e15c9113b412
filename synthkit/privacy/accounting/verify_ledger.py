"""A ledger counted again: what its charges cost, held against the figures that stand in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synthkit.io.documents import read_json
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.statement import Statement

FORMAT = "synthkit-recount/1"
RECOUNT_TOLERANCE = 1e-6  # relative difference that another machine's arithmetic may make


@dataclass(frozen=True, kw_only=True)
class LedgerVerification:
    """What was found in a ledger.

    Args:
        archive: its charges.
        written: its own figures: `epsilon`, `delta` and those of its `parts`.

    Example:
        >>> archive = LedgerFile(budget=None, unit="patient")
        >>> LedgerVerification(archive=archive, written=archive.to_dict()).faults
        ()
    """

    archive: LedgerFile
    written: Mapping[str, Any]

    @classmethod
    def of(cls, path: str | Path) -> LedgerVerification:
        """The ledger in a file.

        Raises:
            ArtefactError: the file is no ledger, or holds anything this version does not know.
        """
        archive = LedgerFile.read(path)
        return cls(archive=archive, written=read_json(path))

    @property
    def faults(self) -> tuple[str, ...]:
        """Where the figures are not those of the charges, and where the charges exceed the budget; in sentences."""
        return (*self._differences(), *self._excess())

    @property
    def sentences(self) -> tuple[str, str, str]:
        """What the charges promise: formally, against an attacker, and what they do not cover."""
        return Statement(archive=self.archive, table="", model="").sentences

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the format `synthkit-recount/1`; an infinite epsilon is null."""
        epsilon, delta = self.archive.spent()
        budget = self.archive.budget
        return {
            "format": FORMAT,
            "unit": self.archive.unit,
            "budget": None if budget is None else asdict(budget),
            "epsilon": _finite(epsilon),
            "delta": delta,
            "parts": [
                {
                    "epsilon": _finite(part.epsilon()),
                    "delta": part.delta,
                    "charges": len(part.charges),
                    "inside": len(part.inside),
                    "accountant": accountant.method(part.charges),
                }
                for part in self.archive.parts
            ],
            "sentences": list(self.sentences),
            "faults": list(self.faults),
        }

    def _differences(self) -> Iterator[str]:
        epsilon, delta = self.archive.spent()
        if not _same(self.written["epsilon"], epsilon):
            yield _differs("epsilon", self.written["epsilon"], epsilon)
        # the first format knew exact answers only, and no delta
        if not _same(self.written.get("delta", delta), delta):
            yield _differs("delta", self.written["delta"], delta)
        for number, (part, said) in enumerate(zip(self.archive.parts, self.written.get("parts", ()), strict=False), 1):
            if not _same(said["epsilon"], part.epsilon()):
                yield _differs(f"epsilon of plan {number}", said["epsilon"], part.epsilon())

    def _excess(self) -> Iterator[str]:
        budget = self.archive.budget
        if budget is None:
            return
        for name, spent, most in zip(
            ("epsilon", "delta"), self.archive.spent(), (budget.epsilon, budget.delta), strict=True
        ):
            if spent > most * (1 + RECOUNT_TOLERANCE):
                yield f"{name} must stay within its budget of {most:g}; however: the charges cost {_shown(spent)}"


def _same(said: object, found: float) -> bool:
    if said is None:
        return math.isinf(found)
    number = isinstance(said, int | float) and not isinstance(said, bool)
    return (
        number
        and math.isfinite(found)
        and math.isclose(float(str(said)), found, rel_tol=RECOUNT_TOLERANCE, abs_tol=0.0)
    )


def _differs(what: str, said: object, found: float) -> str:
    shown = _shown(math.inf if said is None else said)
    return f"{what} must be that of the charges; however: {shown} is written, {_shown(found)} is what they cost"


def _shown(value: object) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "infinity"
    return f"{value:.6g}" if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
