"""An evaluation and its ledger as one plain dict for the page; the only place that words a judgement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from synthkit.report import audience, privacy_claim
from synthkit.report.labels import AGAINST_TRAIN, GLOSSARY, name, number, span, subject
from synthkit.report.sections import analyses as outcomes
from synthkit.report.sections import facts as sections
from synthkit.report.sections import risks
from synthkit.report.sections.attack_verdicts import verdicts
from synthkit.report.sections.decision import decision
from synthkit.report.sections.privacy_terms_section import promised
from synthkit.report.sections.row_counts import draws_of, looked_at, rows_of, surface
from synthkit.report.sections.scope import scope
from synthkit.report.sections.standards import standards
from synthkit.report.sections.summary import find, summary

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.schema import Schema

TITLES = {
    "decision": "Decision",
    "released": "What was released",
    "summary": "Summary",
    "scope": "Scope: who might learn what about whom",
    "risk": "Privacy risk: what attackers gain",
    "privacy": "Privacy: what is promised",
    "fidelity": "Fidelity: does it look alike?",
    "distributions": "Distributions, worst first",
    "pairs": "Pairs of columns",
    "missingness": "Missing cells",
    "detection": "Can synthetic rows be told from real ones?",
    "utility": "Utility: does it work alike?",
    "subgroups": "Groups of people",
    "rules": "Rules and validation",
    "copying": "Copying diagnostics",
    "training": "Training",
    "failures": "What could not be measured",
    "limits": "Limits",
    "standards": "Law and standards: what this is evidence for",
    "reproducibility": "Reproducibility",
    "glossary": "Glossary",
}
PREDICTED = (".gap", ".tstr", ".worst_group_gap")  # endings of scores of prediction
MEASURED = "What was measured"  # in place of what was released, where nothing is
FEW_ROWS = 1000  # below this many training rows intervals are wide and rare levels are hardly learnt


def view(
    evaluation: Evaluation,
    *,
    ledger: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    validation: Mapping[str, Any] | None = None,
    statement: Mapping[str, Any] | None = None,
    gate: Mapping[str, Any] | None = None,
    hashes: Mapping[str, str] | None = None,
    tier: audience.Tier = "internal",
) -> dict[str, Any]:
    """Everything the page says, as plain data.

    Args:
        evaluation: the scores, failures and panels.
        ledger: what was charged, in the format `synthkit-ledger/2`; None if it is not known.
        schema: meaning of the columns; None if it is not at hand.
        validation: results for `input` and `output`, as saved beside the run.
        statement: what is promised, in the format `synthkit-statement/1`; None if there is none.
        gate: what a policy decided, in the format `synthkit-gate/1`; None if there is no policy.
        hashes: SHA-256 of files that are released, by name.
        tier: `shareable` leaves out and rounds what an outsider should not see.

    Returns:
        `title`, `table`, and `sections`: a list of dicts with `id`, `title` and their content; `absent` holds the
        sentence of a section that has none.
    """
    facts = dict(evaluation.run)
    facts.setdefault("columns", None if schema is None else len(schema.columns))
    panels = json.loads(evaluation.to_json())["panels"]
    scores = {
        room: [score_row(s) for s in evaluation.scores if s.metric.startswith(f"{room}.")]
        for room in ("fidelity", "utility", "copying", *risks.TITLES)
    }
    known = {r["metric"] for rows in scores.values() for r in rows}
    said = privacy_claim.sentences(statement)
    attacked = verdicts(evaluation, gate)
    content = {
        "decision": decision(
            evaluation,
            attacked,
            gate=gate,
            facts=facts,
            sentences=said,
            epsilon=privacy_claim.epsilon(ledger),
            hashes=hashes or {},
        ),
        "scope": scope(schema, facts, panels, ledger),
        "subgroups": {"groups": outcomes.groups(panels)}
        if panels.get("subgroups")
        else {"absent": _no_groups(evaluation)},
        "released": sections.released(facts),
        "summary": {
            "sentences": list(summary(evaluation, ledger, facts, statement, attacked)),
            "cards": _cards(evaluation, ledger),
        },
        "fidelity": _fidelity(
            scores["fidelity"], [score_row(s) for s in evaluation.scores if s.metric not in known], panels
        ),
        "distributions": sections.distributions(panels),
        "pairs": sections.pairs(panels),
        "missingness": sections.missingness(panels),
        "detection": sections.detection(panels),
        "utility": {
            **sections.utility(panels, failed=_failed(evaluation, "utility.")),
            "scores": scores["utility"],
            "analyses": outcomes.analyses(panels),
        },
        "rules": sections.rules(panels, validation, draws_of(facts)),
        "risk": {
            **risks.risks(panels, scores, attacked, facts),
            "figures": [*outcomes.attacks(panels), *outcomes.promised(panels, privacy_claim.epsilon(ledger))],
        },
        "copying": {"scores": scores["copying"]} if scores["copying"] else {"absent": "Copying was not measured."},
        "training": sections.training(panels),
        "privacy": promised(ledger, schema, statement),
        "failures": {"failures": [{"metric": f.metric, "reason": f.reason} for f in evaluation.failures]},
        "limits": {"limits": list(_limits(evaluation, ledger, schema, facts))},
        "standards": standards(evaluation, statement),
        "reproducibility": sections.reproducibility(facts),
        "glossary": {"terms": GLOSSARY},
    }
    table = _table(facts, schema)
    titles = TITLES if surface(facts) else {**TITLES, "released": MEASURED}
    private = bool(said) and bool((statement or {}).get("end_to_end_dp"))
    page = {
        "tier": "internal",
        "title": f"Synthetic data report: {table}{', calibrated draw' if facts.get('calibrated') else ''}",
        "table": table,
        "kind": "Synthetic data report",
        "twin": "evaluation.json and report.json",
        "date": facts.get("date"),
        "version": facts.get("version"),
        "sections": [
            {"id": k, "title": title, "tag": audience.tag(k, private=private), "absent": None, **content[k]}
            for k, title in titles.items()
        ],
    }
    return page if tier == "internal" else audience.shareable(page)


def _failed(evaluation: Evaluation, start: str) -> bool:
    return any(failure.metric.startswith(start) for failure in evaluation.failures)


def _no_groups(evaluation: Evaluation) -> str:
    why = "it failed" if _failed(evaluation, "fidelity.subgroups") else "the schema names no `protected` column"
    return f"No group of people was looked at: {why}."


def score_row(score: Score) -> dict[str, Any]:
    """A score as a row of a table: exact values beside what a person reads."""
    named = name(score.metric)
    return {
        "metric": score.metric,
        "label": named.label,
        "meaning": named.meaning,
        "subject": subject(score.metric),
        "value": score.value,
        "low": score.low,
        "high": score.high,
        "reference": score.reference,
        "text": number(score.value, named.form),
        "interval": span(score.low, score.high, named.form),
        "reference_text": number(score.reference, named.form),
        "goal": {"high": "higher", "low": "lower", "none": "—"}[score.goal],
        "against": _against(score),
        "note": score.note,
    }


def _against(score: Score) -> dict[str, str] | None:
    """How the score stands to a real holdout's: its interval decides, never the value alone."""
    if score.reference is None or score.goal == "none":
        return None
    if score.metric.endswith(AGAINST_TRAIN):  # nearer to the training rows than a holdout is would be no merit
        return None
    if score.beats_real:
        return {"sign": "?", "word": "weak reference"}
    if score.low <= score.reference <= score.high:
        return {"sign": "≈", "word": "as good"}
    better = (score.value > score.reference) == (score.goal == "high")
    if better and score.metric.startswith("utility.") and score.metric.endswith(PREDICTED):
        return {"sign": "≈", "word": "as good"}  # rows cannot teach more than those they were learned from
    return {"sign": "▲", "word": "better"} if better else {"sign": "▼", "word": "worse"}


def _table(facts: Mapping[str, Any], schema: Schema | None) -> str:
    if schema is not None:
        return schema.name
    return sections.stem(facts)


def _cards(evaluation: Evaluation, ledger: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The headline scores, and epsilon."""
    gaps = sorted(
        (s for s in evaluation.scores if s.metric.startswith("utility.") and s.metric.endswith(".gap")),
        key=lambda s: -s.value,
    )
    wanted = ("fidelity.c2st", "fidelity.tv2", "fidelity.equivalent_sample_size", "fidelity.rule_violations")
    chosen = [s for m in wanted if (s := find(evaluation, m)) is not None]
    cards = [score_row(s) for s in chosen[:3]] + [score_row(s) for s in gaps[:1]] + [score_row(s) for s in chosen[3:]]
    for card in cards:
        if card["metric"].endswith(".gap"):
            card["label"] += f": {card['metric'].removeprefix('utility.').removesuffix('.gap')}"
    epsilon = privacy_claim.epsilon(ledger)
    cards.append(
        {
            "metric": "privacy.epsilon",
            "label": "Epsilon",
            "meaning": "Bound on what the release reveals about one person; infinity is no bound.",
            "text": "∞" if epsilon is None else f"{epsilon:.4g}",
            "value": "infinity" if epsilon is None else epsilon,
            "against": None,
        }
    )
    return cards


def _fidelity(rows: list[Any], others: list[Any], panels: Mapping[str, Any]) -> dict[str, Any]:
    curve = sections.sample_size(panels)
    if not rows and not others:
        return {"absent": "No fidelity score was measured."}
    held = [r for r in rows if not r["metric"].endswith(AGAINST_TRAIN)]
    trained = [r for r in rows if r["metric"].endswith(AGAINST_TRAIN)]
    return {"scores": held, "trained": trained, "others": others, "figures": [curve] if curve else []}


def _limits(
    evaluation: Evaluation, ledger: Mapping[str, Any] | None, schema: Schema | None, facts: Mapping[str, Any]
) -> Iterable[tuple[str, str]]:
    """What a reader must not conclude: a short name and one sentence, each."""
    rows = rows_of(facts)
    yield "individuals", "Not for decisions about individuals: a synthetic row describes nobody."
    yield "inference", "Standard errors and p-values computed on synthetic rows as if they were real are too small."
    if privacy_claim.epsilon(ledger) is None:
        yield "no bound", "Without a privacy budget nothing bounds what the rows reveal about one person."
    if any(s.metric.startswith("membership.") for s in evaluation.scores):
        yield (
            "attacks",
            "Attacks show what is leaked at least; a better one may show more, and only a budget bounds it.",
        )
    else:
        yield "attacks", "Disclosure attacks were not run; copying diagnostics do not replace them."
    if not any(s.reference is not None for s in evaluation.scores):
        yield "no holdout", "There is no real holdout to compare with: no score has a reference."
    if 0 < rows.get("train", 0) < FEW_ROWS:
        yield (
            "few rows",
            f"The model saw {rows['train']:,} rows only: intervals are wide and rare levels hardly learnt.",
        )
    yield from _limits_of_draws(facts)
    if facts.get("quick"):
        sample = looked_at(facts, ["synthetic"])
        yield (
            "quick",
            f"A quick evaluation: {f'{sample} were looked at, ' if sample else ''}and two learners were used only.",
        )
    if schema is not None and schema.unit:
        yield (
            "unit",
            (
                f"Structure within one {schema.unit} is not reproduced: "
                "each synthetic row stands alone under a fresh identifier."
            ),
        )
    if schema is not None and any(c.observed for c in schema.columns.values()):
        yield (
            "observed",
            "Some bounds or levels in the schema were read off the real table and go where the schema goes.",
        )
    if evaluation.failures:
        many = len(evaluation.failures)
        failed = "1 measurement failed" if many == 1 else f"{many} measurements failed"
        yield "failures", f"{failed}; what was not measured is in no average."
    yield "many scores", "Among many scores some lie outside their interval by chance alone."


def _limits_of_draws(facts: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What a reader must not conclude from how the rows were drawn."""
    if facts.get("calibrated"):
        yield (
            "calibrated",
            "Tables of one and two columns are close to those of the training rows: judge the rows as if those tables "
            "were released.",
        )
    if draws_of(facts) == 1:
        yield (
            "one draw",
            "Likeness and use are those of one fit and one draw; intervals do not hold how much another would differ.",
        )
