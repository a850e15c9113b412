"""The first page: what a reviewer decides on, in at most twelve lines, three sentences and a place to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthkit.report.labels import name, number, span, subject
from synthkit.report.sections import attack_verdicts as verdicts
from synthkit.report.sections.facts import Section
from synthkit.report.sections.row_counts import draws_of, looked_at, made_here, of_draws, rows_of, surface, synthetic

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score

MOST = 12  # lines, so that the page stays a page
SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "NOT ASSESSED": "–", "NO POLICY": "–"}
EXAMPLE = "EXAMPLE"  # how the owner of a policy begins that nobody has put their name to
UNJUDGED = "NO POLICY"
OVERALL = {
    "PASS": "PASS: every line of the policy is met",
    "FAIL": "FAIL: a line of the policy is not met",
    "INCONCLUSIVE": "INCONCLUSIVE: what was measured does not decide every line of the policy",
    "NOT ASSESSED": "NOT ASSESSED: the policy asks for what was not measured",
    UNJUDGED: "NO POLICY: attacks are held against synthkit's own limits, all else against none",
}
ROLES = ("Data custodian", "Privacy officer", "Statistician")
DECISIONS = ("approve", "approve with conditions", "reject")
WANTED = (  # without a policy, if they were measured
    "membership.auc",
    "identity.singling_out.clearest",
    "identity.meaningful",
    "fidelity.c2st",
    "fidelity.rule_violations",
)


def decision(
    evaluation: Evaluation,
    attacked: Sequence[Mapping[str, Any]],
    *,
    gate: Mapping[str, Any] | None,
    facts: Mapping[str, Any],
    sentences: Sequence[str],
    epsilon: float | None,
    hashes: Mapping[str, str],
) -> Section:
    """The page as plain data.

    Args:
        evaluation: the scores.
        attacked: verdicts on the attacks.
        gate: what `synthkit gate` decided, as its JSON holds it; None if no policy was given.
        facts: about the run.
        sentences: of the privacy statement, none without a promise.
        epsilon: promised at most; None for no promise.
        hashes: SHA-256 by the name of the file.
    """
    verdict = UNJUDGED if gate is None else gate["verdict"]
    lines = _measured(evaluation, attacked, epsilon) if gate is None else [judged(line) for line in gate["lines"]]
    return {
        "verdict": verdict,
        "sign": SIGNS[verdict],
        "words": OVERALL[verdict],
        "policy": None if gate is None else _policy(gate),
        "what": _what(facts),
        "lines": _first(lines),
        "more": max(0, len(lines) - MOST),
        "sentences": [
            ("An attacker", _attacker(attacked, sentences, "effect")),
            ("The data", _use(evaluation)),
            ("Not tested", _untested(evaluation, facts, epsilon)),
        ],
        "bounded": _attacker(attacked, sentences, "bounds"),
        "roles": list(ROLES),
        "decisions": list(DECISIONS),
        "hashes": dict(hashes),
        "rows": of_draws(facts),
        "valid_until": None if gate is None else gate.get("valid_until"),
    }


def _first(lines: list[Section]) -> list[Section]:
    """As many as the page holds, in the order of the policy; if there are more, lines that pass are left out first."""
    worst = sorted(range(len(lines)), key=lambda k: lines[k]["verdict"] == "PASS")[:MOST]
    return [lines[k] for k in sorted(worst)]


def _what(facts: Mapping[str, Any]) -> str:
    rows = synthetic(facts)
    columns = f" of {facts['columns']} columns" if facts.get("columns") else ""
    by = f", made by {facts['model']}" if facts.get("model") else "" if made_here(facts) else ", made elsewhere"
    released = surface(facts)
    end = f"To be released: {released}" if released else "Nothing is released by this: rows were measured"
    return f"{rows[0].upper()}{rows[1:]}{columns}{by}. {end}."


def _policy(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Who decided; of an example nobody has."""
    policy = gate["policy"]
    return {key: str(policy.get(key) or "") for key in ("id", "owner", "justification", "decided")} | {
        "example": str(policy["owner"]).startswith(EXAMPLE)
    }


def judged(line: Mapping[str, Any]) -> Section:
    """A line of the gate; numbers as the gate states them, to four figures."""
    measured, bound = (line.get(key) for key in ("measured", "bound"))
    if line.get("sense") == "yes":
        measured, bound = (None if x is None else x == 1 for x in (measured, bound))
    return {
        "item": line["item"],
        "measured": _figure(measured),
        "bound": _figure(bound),
        "limit": _figure(line.get("limit")),
        "verdict": line["verdict"],
        "sign": SIGNS[line["verdict"]],
        "grade": "" if line.get("grade") == line["verdict"].lower() else line.get("grade") or "",
        "look": line["verdict"].lower().replace(" ", "-"),
        "clause": line["clause"],
        "why": line["why"],
    }


def _figure(x: Any) -> str:
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, int | float):
        return f"{x:.4g}"
    return "—" if x is None else str(x)


def _measured(evaluation: Evaluation, attacked: Sequence[Mapping[str, Any]], epsilon: float | None) -> list[Section]:
    """Headline figures where nobody said what would be too much: attacks are graded by the limits that are stated."""
    scores = {score.metric: score for score in evaluation.scores}
    chosen = [scores[metric] for metric in WANTED if metric in scores]
    gaps = [s for s in evaluation.scores if s.metric.startswith("utility.") and s.metric.endswith(".gap")]
    chosen += sorted(gaps, key=lambda s: -s.high)[:1]
    said = "∞" if epsilon is None else number(epsilon)
    return [
        _line("Epsilon promised for one person", said, said, "privacy statement"),
        *(_graded(verdict, scores[verdict["about"]]) for verdict in attacked if verdict["about"]),
        *(_line(_item(s), number(s.value, name(s.metric).form), _ends(s), s.metric) for s in chosen),
    ]


def _line(item: str, measured: str, bound: str, clause: str) -> Section:
    return {
        "item": item,
        "measured": measured,
        "bound": bound,
        "limit": "—",
        "verdict": UNJUDGED,
        "sign": SIGNS[UNJUDGED],
        "grade": "",
        "look": "",
        "clause": clause,
        "why": "",
    }


def _graded(verdict: Mapping[str, Any], score: Score) -> Section:
    """An attack held against a limit that is stated by synthkit, in people of 100 or in epsilon."""
    form = name(score.metric).form
    line = _line(_item(score), number(score.value, form), _ends(score), score.metric)
    known = {key: verdict[key] for key in ("sign", "grade", "look")}
    return {
        **line,
        "bound": span(verdict["low"], verdict["high"], form),
        "limit": number(verdict["bound"], form),
        **known,
    }


def _item(score: Score) -> str:
    about = subject(score.metric)
    return name(score.metric).label + (f": {about}" if about else "")


def _ends(score: Score) -> str:
    return span(score.low, score.high, name(score.metric).form)


def _attacker(attacked: Sequence[Mapping[str, Any]], sentences: Sequence[str], told: str) -> str:
    """What is promised; else every verdict with its effect, or only with the bounds, as it may be told."""
    if len(sentences) > 1:
        return sentences[1]
    if all(verdict["grade"] == verdicts.UNASSESSED for verdict in attacked):
        return "What the rows reveal about a person was not measured, and nothing bounds it."
    heaviest = verdicts.worst(attacked)
    parts = [
        f"{each['words']}. {each[told]}".strip()
        if each["room"] == "membership" or each is heaviest
        else f"{each['words']}."
        for each in attacked
    ]
    whole = f"{verdicts.whole(attacked)['words']}. {' '.join(parts)}"
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


def _untested(evaluation: Evaluation, facts: Mapping[str, Any], epsilon: float | None) -> str:
    lacking = len(evaluation.failures)
    parts = ["1 measurement that failed" if lacking == 1 else f"{lacking} measurements that failed"] if lacking else []
    if facts.get("quick"):
        sample = looked_at(facts, ["synthetic"])
        parts.append("what only a whole evaluation shows: this is a quick one" + (f", of {sample}" if sample else ""))
    if rows_of(facts).get("train") is not None and draws_of(facts) == 1:
        parts.append("how much another draw would differ")
    if epsilon is None:
        parts.append("attacks nobody has thought of yet")
    text = "; ".join(parts) or "analyses that the schema does not name"
    return text[0].upper() + text[1:] + "."
