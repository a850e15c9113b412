"""A ledger on disk: JSON whose meaning never changes, read strictly; epsilon is computed from the charges again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from synthkit.errors import ArtefactError, BudgetExceededError, ConfigError, DocumentError
from synthkit.io.documents import DEFAULT_MAX_JSON_BYTES, content, parse_json
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan, total
from synthkit.privacy.accounting.events import EVENTS_BY_NAME, Event, NonPrivate, parameters

FORMAT = "synthkit-ledger/2"
FIRST_FORMAT = "synthkit-ledger/1"  # knew exact answers only; still read
AGAIN = "Take the ledger from the run again; never edit it"


@dataclass(frozen=True, kw_only=True)
class LedgerFile:
    """A ledger as it is kept.

    Args:
        budget: the cap, None for none.
        unit: column that names the protected unit, None if each row is one.
        parts: plans in the order in which they were charged.
    """

    budget: Budget | None
    unit: str | None
    parts: tuple[ComposedPlan, ...] = ()

    def spent(self) -> tuple[float, float]:
        """Epsilon and delta of all parts; infinity and 0 for any charge without a budget."""
        return total(self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain data in the format `synthkit-ledger/2`; an infinite epsilon is null.

        A charge's `detail` holds the numbers of its mechanism, which with its kind say all; `part` tells with which
        others it was planned, and `inside` whether a reserve of that part paid for it. Every epsilon is for the
        reader: the charges alone count. `drawn` is false where a plan was charged and nothing of it drawn yet; a
        ledger without the key is an older one, whose plans were drawn.
        """
        epsilon, delta = self.spent()
        return {
            "format": FORMAT,
            "unit": self.unit,
            "budget": None if self.budget is None else asdict(self.budget),
            "epsilon": _finite(epsilon),
            "delta": delta,
            "parts": [
                {
                    "delta": part.delta,
                    "epsilon": _finite(part.epsilon()),
                    "accountant": accountant.method(part.charges),
                    "drawn": part.drawn,
                }
                for part in self.parts
            ],
            "charges": [
                {
                    "what": charge.what,
                    "mechanism": charge.spent.kind,
                    "times": charge.times,
                    "detail": parameters(charge.spent),
                    "part": number,
                    "inside": inside,
                }
                for number, part in enumerate(self.parts)
                for inside, charges in ((False, part.charges), (True, part.inside))
                for charge in charges
            ],
        }

    def to_json(self) -> str:
        """The ledger as JSON text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> LedgerFile:
        """Read what `to_json` wrote, or a ledger of the first format.

        Raises:
            ArtefactError: the text is no such ledger, or holds anything this version does not know.
        """
        try:
            data = parse_json(text, "a ledger")
        except DocumentError as error:
            msg = f"{error}. {AGAIN}"
            raise ArtefactError(msg) from error
        said = data.get("format") if isinstance(data, dict) else None
        if said == FIRST_FORMAT:
            return _first(data)
        if said != FORMAT:
            msg = f"a ledger must have format {FORMAT}; however: {said!r}. Read it with the version that wrote it"
            raise ArtefactError(msg)
        _exactly(data, {"format", "unit", "budget", "epsilon", "delta", "parts", "charges"}, "the ledger")
        return cls(budget=_budget(data["budget"]), unit=_unit(data), parts=_parts(data))

    @classmethod
    def read(cls, path: str | Path) -> LedgerFile:
        """The ledger in a file.

        Raises:
            ArtefactError: there is no such file, or it holds no ledger.
        """
        try:
            text = content(path, DEFAULT_MAX_JSON_BYTES)
        except (OSError, DocumentError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            msg = f"{path} must be a ledger; however: {why}. Name the ledger.json of a run"
            raise ArtefactError(msg) from error
        return cls.from_json(text)


def recompute(path: str | Path) -> tuple[float, float]:
    """Epsilon and delta of a ledger, from its charges alone; what it says of them itself is not looked at.

    Returns:
        Epsilon, infinite after any exact answer, and delta.

    Raises:
        ArtefactError: the file is no ledger, or holds anything this version does not know.
    """
    return LedgerFile.read(path).spent()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _exactly(data: object, keys: set[str], where: str, *, perhaps: str = "") -> Mapping[str, Any]:
    if not isinstance(data, dict):
        msg = f"{where} must be a JSON object; however: {type(data).__name__}. {AGAIN}"
        raise ArtefactError(msg)
    for key in sorted(keys - set(data)):
        msg = f"{where} must have all its entries; however: `{key}` is not there. {AGAIN}"
        raise ArtefactError(msg)
    for key in sorted(set(data) - keys - {perhaps}):
        msg = f"{where} must have known entries only; however: `{key}`. Read it with the version that wrote it"
        raise ArtefactError(msg)
    return data


def _listed(data: Mapping[str, Any], name: str) -> list[Any]:
    if not isinstance(data[name], list):
        msg = f"`{name}` of the ledger must be a list; however: {type(data[name]).__name__}. {AGAIN}"
        raise ArtefactError(msg)
    return list(data[name])


def _unit(data: Mapping[str, Any]) -> str | None:
    unit, budget = data["unit"], data["budget"]
    if not (unit is None or isinstance(unit, str)) or (budget is not None and budget["unit"] != unit):
        msg = f"`unit` of the ledger must be a column's name and that of its budget; however: {unit!r}. {AGAIN}"
        raise ArtefactError(msg)
    return unit


def _budget(data: object) -> Budget | None:
    if data is None:
        return None
    read = _exactly(data, {field.name for field in fields(Budget)}, "the budget of the ledger")
    try:
        return Budget(**read)
    except ConfigError as error:
        msg = f"the budget of the ledger must be one; however: {error}. {AGAIN}"
        raise ArtefactError(msg) from error


def _parts(data: Mapping[str, Any]) -> tuple[ComposedPlan, ...]:
    heads = [
        _exactly(head, {"delta", "epsilon", "accountant"}, "a part of the ledger", perhaps="drawn")
        for head in _listed(data, "parts")
    ]
    kept: list[dict[bool, list[Charge]]] = [{False: [], True: []} for _ in heads]
    for entry in _listed(data, "charges"):
        read = _exactly(entry, {"what", "mechanism", "times", "detail", "part", "inside"}, "a charge of the ledger")
        part, inside = read["part"], read["inside"]
        if not (type(part) is int and 0 <= part < len(heads) and isinstance(inside, bool)):
            msg = f"a charge must belong to one of {len(heads)} parts; however: {part!r}, inside {inside!r}. {AGAIN}"
            raise ArtefactError(msg)
        kept[part][inside].append(_charge(read))
    return tuple(_part(head, charges) for head, charges in zip(heads, kept, strict=True))


def _part(head: Mapping[str, Any], charges: Mapping[bool, list[Charge]]) -> ComposedPlan:
    delta, drawn = head["delta"], head.get("drawn", True)
    if not isinstance(drawn, bool):
        msg = f"`drawn` of a part of the ledger must be true or false; however: {drawn!r}. {AGAIN}"
        raise ArtefactError(msg)
    if not (isinstance(delta, int | float) and not isinstance(delta, bool) and 0 <= delta < 1):
        msg = f"`delta` of a part of the ledger must lie in [0, 1); however: {delta!r}. {AGAIN}"
        raise ArtefactError(msg)
    try:
        return ComposedPlan(delta=float(delta), charges=tuple(charges[False]), inside=tuple(charges[True]), drawn=drawn)
    except (ConfigError, BudgetExceededError) as error:
        msg = f"a part of the ledger must hold together; however: {error}. {AGAIN}"
        raise ArtefactError(msg) from error


def _charge(read: Mapping[str, Any]) -> Charge:
    kind = EVENTS_BY_NAME.get(read["mechanism"]) if isinstance(read["mechanism"], str) else None
    if kind is None:
        msg = (
            f"every mechanism must be known; however: `{read['mechanism']}` is not. "
            "Read the ledger with the version that wrote it"
        )
        raise ArtefactError(msg)
    detail = _exactly(read["detail"], {field.name for field in fields(kind)}, f"a charge of {kind.kind}")
    try:
        spent: Event = kind(**detail)
        return Charge(what=read["what"], spent=spent, times=read["times"])
    except ConfigError as error:
        msg = f"every charge must have sound numbers; however: {error}. {AGAIN}"
        raise ArtefactError(msg) from error


def _first(data: dict[str, Any]) -> LedgerFile:
    """The first format: a list of exact answers, or nothing."""
    _exactly(data, {"format", "unit", "budget", "epsilon", "charges"}, "the ledger")
    charges = []
    for entry in _listed(data, "charges"):
        read = _exactly(entry, {"what", "mechanism", "times", "detail"}, "a charge of the ledger")
        if read["mechanism"] != NonPrivate.kind:
            msg = f"a ledger of format {FIRST_FORMAT} must hold exact answers only; however: `{read['mechanism']}`. "
            raise ArtefactError(msg + AGAIN)
        charges.append(_charge({**read, "detail": {}}))
    part = ComposedPlan(delta=0.0, charges=tuple(charges))
    return LedgerFile(budget=None, unit=_unit({**data, "budget": None}), parts=(part,) if charges else ())
