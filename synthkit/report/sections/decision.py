"""The section on the decision, the first page: at most twelve lines, three sentences and a place to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from synthkit.io.json_types import JSON
from synthkit.report.attack_verdicts import NOT_ASSESSED, AttackVerdict, overall_verdict, worst_verdict
from synthkit.report.audience import two_digits
from synthkit.report.context import ReportContext
from synthkit.report.inputs import GateJson, GateLineJson, RunFacts
from synthkit.report.labels import name, number, span, subject
from synthkit.report.records import Fact
from synthkit.report.row_counts import draws_of, looked_at, made_here, of_draws, release_surface, rows_of, synthetic
from synthkit.report.section_spec import SectionSpec

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score

MAX_DECISION_LINES = 12  # so that the page stays a page
DECISION_SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "NOT ASSESSED": "–", "NO POLICY": "–"}
EXAMPLE_OWNER = "EXAMPLE"  # how the owner of a policy begins that nobody has put their name to
WITHOUT_POLICY = "NO POLICY"
VERDICT_WORDS = {
    "PASS": "PASS: every line of the policy is met",
    "FAIL": "FAIL: a line of the policy is not met",
    "INCONCLUSIVE": "INCONCLUSIVE: what was measured does not decide every line of the policy",
    "NOT ASSESSED": "NOT ASSESSED: the policy asks for what was not measured",
    WITHOUT_POLICY: "NO POLICY: attacks are held against synthkit's own limits, all else against none",
}
SIGNING_ROLES = ("Data custodian", "Privacy officer", "Statistician")
SIGNED_DECISIONS = ("approve", "approve with conditions", "reject")
DECISION_METRICS = (  # without a policy, if they were measured
    "membership.auc",
    "identity.singling_out.clearest",
    "identity.meaningful",
    "fidelity.c2st",
    "fidelity.rule_violations",
    "fidelity.unit_c2st",
    "fidelity.integrity",
)


class DecisionLine(TypedDict):
    """A figure held against a limit."""

    item: str
    measured: str
    bound: str
    limit: str
    verdict: str
    sign: str
    grade: str
    look: str
    clause: str
    why: str


class DecidedPolicy(TypedDict):
    """Who decided; of an example nobody has."""

    id: str
    owner: str
    justification: str
    decided: str
    example: bool


class DecisionData(TypedDict):
    """The first page."""

    verdict: str
    sign: str
    words: str
    policy: DecidedPolicy | None
    what: str
    lines: list[DecisionLine]
    more: int
    sentences: list[Fact]
    bounded: str
    roles: list[str]
    decisions: list[str]
    hashes: dict[str, str]
    rows: Sequence[int | Mapping[str, int]]  # of each draw; of linked tables by table
    valid_until: str | None


def decision(context: ReportContext) -> DecisionData:
    """The page as plain data; without a policy attacks alone are held against limits, synthkit's own."""
    gate = context.gate
    verdict = WITHOUT_POLICY if gate is None else gate["verdict"]
    lines = _headline_lines(context) if gate is None else [judged_line(line) for line in gate["lines"]]
    return {
        "verdict": verdict,
        "sign": DECISION_SIGNS[verdict],
        "words": VERDICT_WORDS[verdict],
        "policy": None if gate is None else _policy(gate),
        "what": _what(context.facts),
        "lines": _first(lines),
        "more": max(0, len(lines) - MAX_DECISION_LINES),
        "sentences": [
            ("An attacker", _attacker(context, "effect")),
            ("The data", _use(context.evaluation)),
            ("Not tested", _untested(context)),
        ],
        "bounded": _attacker(context, "bounds"),
        "roles": list(SIGNING_ROLES),
        "decisions": list(SIGNED_DECISIONS),
        "hashes": dict(context.hashes),
        "rows": of_draws(context.facts),
        "valid_until": None if gate is None else gate.get("valid_until"),
    }


def _shareable(data: DecisionData) -> DecisionData:
    """Bounds against limits; the reasons quote figures that stand in the line already."""
    (topic, _), *others = data["sentences"]
    judged_by_policy = data["policy"] is not None
    lines: list[DecisionLine] = [
        {
            **line,
            "measured": "—" if line["limit"] != "—" else two_digits(line["measured"]),
            "bound": line["bound"] if judged_by_policy else two_digits(line["bound"]),
            "why": "",
        }
        for line in data["lines"]
    ]
    return {**data, "sentences": [(topic, data["bounded"]), *others], "lines": lines}


def _first(lines: list[DecisionLine]) -> list[DecisionLine]:
    """As many as the page holds, in the order of the policy; if there are more, lines that pass are left out first."""
    worst = sorted(range(len(lines)), key=lambda k: lines[k]["verdict"] == "PASS")[:MAX_DECISION_LINES]
    return [lines[k] for k in sorted(worst)]


def _what(facts: RunFacts) -> str:
    rows = synthetic(facts)
    columns = f" of {facts['columns']} columns" if facts.get("columns") else ""
    by = f", made by {facts['model']}" if facts.get("model") else "" if made_here(facts) else ", made elsewhere"
    released = release_surface(facts)
    end = f"To be released: {released}" if released else "Nothing is released by this: rows were measured"
    return f"{rows[0].upper()}{rows[1:]}{columns}{by}. {end}."


def _policy(gate: GateJson) -> DecidedPolicy:
    policy = gate["policy"]
    return {
        "id": str(policy.get("id") or ""),
        "owner": str(policy.get("owner") or ""),
        "justification": str(policy.get("justification") or ""),
        "decided": str(policy.get("decided") or ""),
        "example": str(policy["owner"]).startswith(EXAMPLE_OWNER),
    }


def judged_line(line: GateLineJson) -> DecisionLine:
    """A line of the gate; numbers as the gate states them, to four figures."""
    measured: JSON = line.get("measured")
    bound: JSON = line.get("bound")
    if line.get("sense") == "yes":
        measured, bound = (None if x is None else x == 1 for x in (measured, bound))
    return {
        "item": line["item"],
        "measured": _figure(measured),
        "bound": _figure(bound),
        "limit": _figure(line.get("limit")),
        "verdict": line["verdict"],
        "sign": DECISION_SIGNS[line["verdict"]],
        "grade": "" if line.get("grade") == line["verdict"].lower() else line.get("grade") or "",
        "look": line["verdict"].lower().replace(" ", "-"),
        "clause": line["clause"],
        "why": line["why"],
    }


def _figure(x: JSON) -> str:
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, int | float):
        return f"{x:.4g}"
    return "—" if x is None else str(x)


def _headline_lines(context: ReportContext) -> list[DecisionLine]:
    """Headline figures where nobody said what would be too much: attacks are graded by the limits that are stated."""
    scores = {score.metric: score for score in context.evaluation.scores}
    chosen = [scores[metric] for metric in DECISION_METRICS if metric in scores]
    gaps = [s for s in context.evaluation.scores if s.metric.startswith("utility.") and s.metric.endswith(".gap")]
    chosen += sorted(gaps, key=lambda s: -s.high)[:1]
    spent = "∞" if context.epsilon is None else number(context.epsilon)
    return [
        _line("Epsilon promised for one person", spent, spent, "privacy statement"),
        *(_graded(verdict, scores[verdict["about"]]) for verdict in context.attacked if verdict["about"]),
        *(_line(_item(s), number(s.value, name(s.metric).form), _ends(s), s.metric) for s in chosen),
    ]


def _line(item: str, measured: str, bound: str, clause: str) -> DecisionLine:
    return {
        "item": item,
        "measured": measured,
        "bound": bound,
        "limit": "—",
        "verdict": WITHOUT_POLICY,
        "sign": DECISION_SIGNS[WITHOUT_POLICY],
        "grade": "",
        "look": "",
        "clause": clause,
        "why": "",
    }


def _graded(verdict: AttackVerdict, score: Score) -> DecisionLine:
    """An attack held against a limit that is stated by synthkit, in people of 100 or in epsilon."""
    form = name(score.metric).form
    low, high = verdict.get("low"), verdict.get("high")
    return {
        **_line(_item(score), number(score.value, form), _ends(score), score.metric),
        "bound": "" if low is None or high is None else span(low, high, form),
        "limit": number(verdict["bound"], form),
        "sign": verdict["sign"],
        "grade": verdict["grade"],
        "look": verdict["look"],
    }


def _item(score: Score) -> str:
    about = subject(score.metric)
    return name(score.metric).label + (f": {about}" if about else "")


def _ends(score: Score) -> str:
    return span(score.low, score.high, name(score.metric).form)


def _attacker(context: ReportContext, words: Literal["effect", "bounds"]) -> str:
    """What the statement says; else every verdict with its effect, or only with the bounds for outsiders."""
    sentences, attacked = context.privacy_sentences, context.attacked
    if len(sentences) > 1:
        return sentences[1]
    if all(verdict["grade"] == NOT_ASSESSED for verdict in attacked):
        return "What the rows reveal about a person was not measured, and nothing bounds it."
    heaviest = worst_verdict(attacked)
    parts = [
        f"{each['words']}. {each[words]}".strip()
        if each["room"] == "membership" or each is heaviest
        else f"{each['words']}."
        for each in attacked
    ]
    whole = f"{overall_verdict(attacked)['words']}. {' '.join(parts)}"
    return f"{whole} Nothing bounds what a better attack could learn: there is no privacy budget."


def _use(evaluation: Evaluation) -> str:
    verdicts = [
        (entry["target"], entry["non_inferiority"]["verdict"], entry["non_inferiority"]["margin"])
        for entry in evaluation.panels.get("utility") or []
        if entry.get("non_inferiority")
    ]
    if not verdicts:
        failed = any(failure.metric.startswith("utility.") for failure in evaluation.failures)
        why = "a measurement failed" if failed else "no prediction was held against a margin"
        return f"What can be learned from the rows is not known: {why}."
    good = [target for target, verdict, _ in verdicts if verdict == "PASS"]
    other = [target for target, verdict, _ in verdicts if verdict != "PASS"]
    margin = number(verdicts[0][2])
    parts = []
    if good:
        parts.append(
            f"A model trained on them predicts {', '.join(good)} no worse than one trained on real rows "
            f"(within {margin})."
        )
    if other:
        parts.append(f"That is not shown for {', '.join(other)}.")
    return " ".join(parts)


def _untested(context: ReportContext) -> str:
    facts = context.facts
    lacking = len(context.evaluation.failures)
    parts = ["1 measurement that failed" if lacking == 1 else f"{lacking} measurements that failed"] if lacking else []
    if facts.get("quick"):
        sample = looked_at(facts, ["synthetic"])
        parts.append("what only a whole evaluation shows: this is a quick one" + (f", of {sample}" if sample else ""))
    if rows_of(facts).get("train") is not None and draws_of(facts) == 1:
        parts.append("how much another draw would differ")
    if context.epsilon is None:
        parts.append("attacks nobody has thought of yet")
    text = "; ".join(parts) or "analyses that the schema does not name"
    return text[0].upper() + text[1:] + "."


DECISION = SectionSpec(id="decision", title="Decision", data=decision, shareable=_shareable)
