"""Evidence held against a policy, line by line; what is missing can never pass."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, cast

from synthkit.io.json_types import JSON, JSONObject
from synthkit.metrics.attacks.effect_grade import grade
from synthkit.metrics.attacks.effect_size import share_of
from synthkit.release.policy.clauses import (
    PolicyClause,
    PolicyLimit,
    asked_clauses,
    find_figure,
    interval_limit,
    number_limit,
)
from synthkit.release.policy.gate_evidence import FoundFigure, GateEvidence
from synthkit.release.policy.limits import Policy
from synthkit.report.json_export import plain

if TYPE_CHECKING:
    from synthkit.report.inputs import GateJson

FORMAT = "synthkit-gate/1"
GateVerdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT ASSESSED"]
VERDICT_ORDER: Sequence[GateVerdict] = (
    "FAIL",
    "NOT ASSESSED",
    "INCONCLUSIVE",
    "PASS",
)  # the first that occurs is the whole's
CLAUSE_OF_AGE = "evidence.review_within_days"
ESTIMATE_SENSES = ("upper", "proof", "alarm", "within")  # senses of limits on what was estimated from people
DERIVED_KEYS = ("item", "evidence", "bound", "why")  # what a line says of its figures
EVIDENCE_CLAUSES = "evidence."  # its clauses are about the evidence itself: too little of it is none


@dataclass(frozen=True, kw_only=True)
class Line:
    """One decision.

    Args:
        item: what it is about.
        clause: where the limit stands in the policy.
        evidence: instruments to which it is evidence for.
        about: which figure, the worst of its family.
        sense: how figure and limit are compared.
        measured: the figure.
        low: lower end of its 95 % interval.
        high: upper end.
        bound: the end that is compared.
        limit: what the policy says.
        lacking: why it was not assessed.
        doubt: why it cannot pass.
        detected: of an attack, whether chance alone would hardly show as much; None of all else.
        grade: of an attack, how large its effect is against the limit; empty of all else.
        verdict: PASS, FAIL, INCONCLUSIVE or NOT ASSESSED.
        why: the reason in words.
    """

    item: str
    clause: str
    evidence: str
    about: str
    sense: str
    measured: float | None
    low: float | None
    high: float | None
    bound: float | None
    limit: PolicyLimit
    lacking: str
    doubt: str
    detected: bool | None
    grade: str
    verdict: GateVerdict
    why: str


@dataclass(frozen=True, kw_only=True)
class Gate:
    """All decisions and what follows.

    Args:
        policy: who decided, as the policy says.
        lines: one for each limit that is set.
        verdict: FAIL if a line fails; else NOT ASSESSED if one is; else INCONCLUSIVE if one is; else PASS.
        evaluated: day of the evaluation.
        decided: day of the gate.
        valid_until: last day on which the evaluation may be relied on.
    """

    policy: Mapping[str, JSON]
    lines: tuple[Line, ...]
    verdict: GateVerdict
    evaluated: str | None
    decided: str
    valid_until: str | None

    def document(self) -> GateJson:
        """Plain data in the format `synthkit-gate/1`; infinity is null."""
        return cast("GateJson", plain({"format": FORMAT, **asdict(self)}))

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n"


def judge(policy: Policy, evidence: GateEvidence) -> Gate:
    """Hold evidence against a policy.

    Limits on privacy are held against the upper end of an interval: PASS only if it is below, FAIL only if the lower
    end is above, else INCONCLUSIVE. What attacks prove lost can fail; it passes only if what it rests on holds and the
    surest guesses leave room for no more than the limit.
    """
    asked = asked_clauses(policy, linked=bool(evidence.tables))
    lines = tuple(
        _line(clause, limit, find_figure(clause, policy, evidence, limit)) for clause, limit in asked.values()
    )
    made = None if evidence.made is None else evidence.made.isoformat()
    return Gate(
        policy=policy.policy.model_dump(mode="json"),
        lines=lines,
        verdict=overall([line.verdict for line in lines]),
        evaluated=made,
        decided=evidence.today.isoformat(),
        valid_until=_until(made, policy),
    )


def _until(made: str | None, policy: Policy) -> str | None:
    """The last day on which an evaluation may be relied on."""
    days = dt.timedelta(days=policy.evidence.review_within_days)
    return None if made is None else (dt.date.fromisoformat(made) + days).isoformat()


def overall(verdicts: Sequence[str]) -> GateVerdict:
    """The worst of the lines; of no line, NOT ASSESSED."""
    return next((verdict for verdict in VERDICT_ORDER if verdict in verdicts), "NOT ASSESSED")


def _line(clause: PolicyClause, limit: PolicyLimit, found: FoundFigure) -> Line:
    found = found.rounded_outward() if clause.sense in ESTIMATE_SENSES else found
    verdict = decide(clause.path, clause.sense, found, limit)
    return Line(
        item=clause.item,
        clause=clause.path,
        evidence=clause.evidence,
        about=found.about,
        sense=clause.sense,
        measured=found.measured,
        low=found.low,
        high=found.high,
        bound=_bound(clause.sense, found, limit),
        limit=limit,
        lacking=found.lacking,
        doubt=found.doubt,
        detected=found.detected,
        grade=_grade(clause.sense, found, limit),
        verdict=verdict,
        why=_why(clause, found, limit, verdict),
    )


def decide(path: str, sense: str, found: FoundFigure, limit: PolicyLimit) -> GateVerdict:
    """The verdict of a line from its figures and its limit alone."""
    if found.lacking or found.measured is None or math.isnan(found.measured):
        return "NOT ASSESSED"
    if sense in ("most", "least", "yes"):
        good = _holds(sense, found.measured, number_limit(limit))
        return "PASS" if good else "NOT ASSESSED" if path.startswith(EVIDENCE_CLAUSES) else "FAIL"
    low, high = (_end(end, otherwise) for end, otherwise in ((found.low, -math.inf), (found.high, math.inf)))
    if sense == "proof":
        most = number_limit(limit)
        wide = found.high is not None and not high < most  # a lower bound alone has no upper end to be held against it
        return "FAIL" if found.measured > most else "INCONCLUSIVE" if found.doubt or wide else "PASS"
    if sense == "alarm":
        return "FAIL" if low > number_limit(limit) else "PASS"
    if sense == "within":
        first, last = interval_limit(limit)
        inside, outside = first <= low and high <= last, high < first or low > last
    else:
        inside, outside = high < number_limit(limit), low > number_limit(limit)
    return "FAIL" if outside else "PASS" if inside and not found.doubt else "INCONCLUSIVE"


def _holds(sense: str, measured: float, limit: float) -> bool:
    """Whether a figure without an interval is as it should be."""
    if sense == "yes":
        return measured == 1
    return measured <= limit if sense == "most" else measured >= limit


def _grade(sense: str, found: FoundFigure, limit: PolicyLimit) -> str:
    """How large the effect of an attack is against the limit; empty where none was measured."""
    if found.detected is None or found.lacking or found.measured is None:
        return ""
    high = -math.inf if sense == "alarm" else math.inf if found.high is None else found.high
    low = found.measured if sense == "proof" or found.low is None else found.low
    return grade(low, high, number_limit(limit), detected=found.detected, doubt=bool(found.doubt)).value


def _end(x: float | None, otherwise: float) -> float:
    return otherwise if x is None or math.isnan(x) else x


def _settled(found: FoundFigure, limit: float) -> bool:
    """Whether the upper end of what was proven lost decides: it is known, and not too much is proven already."""
    return found.high is not None and math.isfinite(found.high) and (found.measured or 0.0) <= limit


def _bound(sense: str, found: FoundFigure, limit: PolicyLimit) -> float | None:
    if found.lacking:
        return None
    if sense in ("upper", "alarm"):
        return found.high if sense == "upper" else found.low
    if sense == "proof" and _settled(found, number_limit(limit)):
        return found.high
    if sense == "within" and found.low is not None and found.high is not None:
        first, last = interval_limit(limit)
        return found.low if first - found.low > found.high - last else found.high
    return found.measured


def _why(clause: PolicyClause, found: FoundFigure, limit: PolicyLimit, verdict: GateVerdict) -> str:
    """The reason, with the figures it rests on."""
    if found.lacking:
        return f"Not assessed: {found.lacking.removeprefix('not assessed: ')}."
    name = f" ({found.about})" if found.about else ""
    if clause.sense == "yes":
        return "It is so." if verdict == "PASS" else "It is not so."
    at, asked = _number(_bound(clause.sense, found, limit)), _number(limit)
    if clause.sense in ("most", "least"):
        allowed = "most" if clause.sense == "most" else "least"
        return f"{at}{name}; at {allowed} {asked} {'is' if verdict == 'PASS' else 'was'} asked."
    if clause.sense == "proof":
        return _proof(found, number_limit(limit), name)
    if clause.sense == "within":
        return f"The interval from {_number(found.low)} to {_number(found.high)}{name} is held against {asked}."
    return _ends(clause.sense, found, asked, verdict, f"{at}{name}", f"{_number(found.low)}{name}")


def _ends(sense: str, found: FoundFigure, asked: str, verdict: GateVerdict, high: str, low: str) -> str:
    """The reason where ends of an interval decide; of an alarm `high` is the end that is compared, the lower one."""
    if verdict == "FAIL":
        return f"Even the lower end {low} is above {asked}."
    if sense == "alarm":
        return f"Nothing found above {asked}: at least {high} is proven. That is no evidence of privacy."
    if found.doubt:
        return f"The upper end {high} is held against {asked}; nothing more can be said: {found.doubt}."
    if verdict == "PASS":
        return f"The upper end {high} is below {asked}."
    return f"The interval from {_number(found.low)} to {high} has the limit {asked} in it."


def _proof(found: FoundFigure, limit: float, name: str) -> str:
    """What is proven lost, what the surest guesses leave room for, and which of both decides."""
    doubt = f" Nothing more can be said: {found.doubt}." if found.doubt else ""
    proven = f"Attacks prove a loss of at least {_number(found.measured)}{name}; {_number(limit)} is allowed.{doubt}"
    if doubt or found.high is None or not _settled(found, limit):
        return proven
    most = f"{100 * share_of(found.high):.0f} of 100 right at most"
    room = f" Their surest guesses, {most}, leave room for {_number(found.high)}"
    return proven + (f"{room}: below it." if found.high < limit else f"{room}: more people must be attacked.")


def _number(x: PolicyLimit | None) -> str:
    if isinstance(x, list | tuple):
        return " to ".join(map(_number, x))
    return "∞" if x is None or x == math.inf else f"{x:.4g}" if isinstance(x, int | float) else str(x)


def rederive(gate: JSONObject, policy: Policy, *, linked: bool = False) -> list[str]:
    """What in a gate's JSON does not follow from its own figures and the policy; nothing if all of it does.

    Args:
        gate: in the format `synthkit-gate/1`.
        policy: the limits.
        linked: whether it is about linked tables, of which a clause more is asked.

    Example:
        >>> data = {"format": FORMAT, "policy": {}, "lines": [], "verdict": "PASS"}
        >>> rederive(data, Policy.parse({"format": "synthkit-policy/1", "membership": None,
        ...     "policy": {"id": "one", "owner": "somebody", "justification": "because"}}))[0]
        'the policy in the gate is not the one beside it'
    """
    faults = []
    if gate.get("format") != FORMAT:
        return [f"a gate must have the format {FORMAT}"]
    if dict(gate.get("policy") or {}) != policy.policy.model_dump(mode="json"):
        faults.append("the policy in the gate is not the one beside it")
    asked = asked_clauses(policy, linked=linked)
    lines = {line["clause"]: line for line in gate["lines"]}
    if len(lines) < len(gate["lines"]):
        faults.append("a clause has two lines")
    if gate.get("valid_until") != _until(gate.get("evaluated"), policy):
        faults.append("the last day on which it is valid does not follow from the policy")
    faults += [f"{CLAUSE_OF_AGE} does not follow from the days" for line in gate["lines"] if _older(line, gate)]
    faults += [f"{path} is asked by the policy and has no line" for path in asked if path not in lines]
    faults += [f"{path} has a line and is not asked by the policy" for path in lines if path not in asked]
    for path, line in lines.items():
        if path in asked:
            faults += _differs(line, *asked[path])
    if gate.get("verdict") != overall([line["verdict"] for line in gate["lines"]]):
        faults.append("the verdict on the whole does not follow from its lines")
    return faults


def _older(line: JSONObject, gate: JSONObject) -> bool:
    """Whether a line on the age of the evaluation says another than its days do."""
    if line["clause"] != CLAUSE_OF_AGE or line["lacking"]:
        return False
    days = dt.date.fromisoformat(gate["decided"]) - dt.date.fromisoformat(gate["evaluated"])
    return bool(line["measured"] != days.days)


def _differs(line: JSONObject, clause: PolicyClause, limit: PolicyLimit) -> list[str]:
    if line["limit"] != limit or line["sense"] != clause.sense:
        return [f"{clause.path}: the limit is not the policy's"]
    if not _plausible(line):
        return [f"{clause.path}: its figures cannot be those of one measurement"]
    high = math.inf if line["measured"] is None and not line["lacking"] else line["measured"]
    found = FoundFigure(high, line["low"], line["high"], line["about"], line["lacking"], line["doubt"])
    found = found._replace(detected=line.get("detected"))
    again = _line(clause, limit, found)
    faults = (
        [] if line["verdict"] == again.verdict else [f"{clause.path}: the verdict does not follow from its figures"]
    )
    derived = {key: plain(value) for key, value in asdict(again).items()}
    if line.get("grade", derived["grade"]) != derived["grade"] or any(
        line[key] != derived[key] for key in DERIVED_KEYS
    ):
        faults.append(f"{clause.path}: what the line says does not follow from its figures")
    return faults


def _plausible(line: JSONObject) -> bool:
    """Whether a figure lies in its own interval, and what does not count is not there."""
    at, low, high = line["measured"], line["low"], line["high"]
    if line["sense"] in ("yes", "most", "least"):
        return low is None and high is None and not line["doubt"]
    if line["lacking"] or at is None:
        return bool(line["lacking"]) and (at, low, high) == (None, None, None)
    return (low is None or low <= at) and (high is None or at <= high)
