"""What was found, in sentences for a person who reads nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthkit.report import privacy_claim
from synthkit.report.labels import QUALITY_IN_WORDS, number, span
from synthkit.report.sections import attack_verdicts, row_counts
from synthkit.report.sections import facts as sections

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score


def find(evaluation: Evaluation, metric: str) -> Score | None:
    """The score called `metric`, None if it was not measured."""
    return next((s for s in evaluation.scores if s.metric == metric), None)


def summary(
    evaluation: Evaluation,
    ledger: Mapping[str, Any] | None,
    facts: Mapping[str, Any],
    statement: Mapping[str, Any] | None,
    attacked: Sequence[Mapping[str, Any]],
) -> Iterable[tuple[str, str]]:
    """Topic and sentence, for a person who reads nothing else."""
    if "synthetic" in row_counts.rows_of(facts):
        yield "Rows", _rows(facts)
    if facts.get("calibrated"):
        yield (
            "Selection",
            (
                f"Calibrated: {sections.selection(facts)}, so that one- and two-way tables match those of the "
                "training rows. No score here is that of the model alone."
            ),
        )
    c2st = find(evaluation, "fidelity.c2st")
    if c2st is not None:
        holdout = "" if c2st.reference is None else f"; a real holdout scores {number(c2st.reference)}"
        yield (
            "Likeness",
            (
                f"A classifier told synthetic from real rows with AUC {number(c2st.value)} "
                f"{span(c2st.low, c2st.high)} (0.500 is a coin toss{holdout})."
            ),
        )
    size = find(evaluation, "fidelity.equivalent_sample_size")
    if size is not None:
        ends = (evaluation.panels.get("sample_size") or {}).get("sizes") or [size.value + 1]
        about = "at least" if size.value >= ends[-1] else "about"
        yield "Size", f"Judged by two-way tables it is equivalent to releasing {about} {size.value:,.0f} real rows."
    yield from (("Use", sentence) for sentence in _losses(evaluation))
    yield from (("Rules", sentence) for sentence in _violations(evaluation))
    said = privacy_claim.sentences(statement)
    yield "Privacy", said[0] if said else privacy_claim.promise(ledger)
    yield from (("Attacker", sentence) for sentence in said[1:2])
    if any(verdict["grade"] != attack_verdicts.UNASSESSED for verdict in attacked):
        yield "Attacks", f"{attack_verdicts.whole(attacked)['words']}."
        yield from ((verdict["title"], attack_verdicts.told(verdict)) for verdict in attacked)
    else:
        yield "Attacks", "Disclosure attacks were not run: how much the rows reveal about a person was not measured."


def _rows(facts: Mapping[str, Any]) -> str:
    """How many rows there are, of how many they were learned, and of how many only a sample was looked at."""
    real, sample = row_counts.rows_of(facts), row_counts.looked_at(facts)
    fitted = f"{real['train']:,} real rows" if "train" in real else "real rows"
    held = f"; {real['holdout']:,} others were held out" if "holdout" in real else ""
    made = f"drawn from a model fitted on {fitted}" if row_counts.made_here(facts) else f"made elsewhere from {fitted}"
    quick = f" Looked at were {sample}." if sample else ""
    return f"{row_counts.synthetic(facts)}, {made}{held}.{quick}"


def _losses(evaluation: Evaluation, most: int = 2) -> Iterable[str]:
    metrics = {}
    for e in evaluation.panels.get("utility") or []:
        metrics[e["target"]] = metrics[f"{e['target']}.{e['task']}"] = QUALITY_IN_WORDS.get(
            e["metric"].lower(), e["metric"]
        )
    gaps = [s for s in evaluation.scores if s.metric.startswith("utility.") and s.metric.endswith(".gap")]
    gaps.sort(key=lambda s: -s.value)
    for gap in gaps[:most]:
        target = gap.metric.removeprefix("utility.").removesuffix(".gap")
        if gap.beats_real:
            yield (
                f"Predicting {target}, no loss is known: a model trained on the real rows does worse than one trained "
                f"on the synthetic rows, by {number(-gap.value)} {span(-gap.high, -gap.low)}. They cannot teach more "
                "than the rows they come from, so the reference is weak."
            )
            continue
        change = "loses" if gap.value >= 0 else "does better by"
        low, high = (gap.low, gap.high) if gap.value >= 0 else (-gap.high, -gap.low)
        unsure = "; the interval includes zero" if gap.low <= 0 <= gap.high else ""
        amount = " ".join(filter(None, (number(abs(gap.value)), metrics.get(target), span(low, high))))
        yield (
            f"Predicting {target}, a model trained on the synthetic rows {change} {amount}"
            f" against one trained on the real rows, both tested on real people{unsure}."
        )


def _violations(evaluation: Evaluation) -> Iterable[str]:
    rules = evaluation.panels.get("rules")
    if rules:
        broken, looked = sum(r["violations"] for r in rules), max(r["rows"] for r in rules)
        found = f"{broken:,} times one of {looked:,}" if broken else f"None of {looked:,}"
        yield f"{found} synthetic rows looked at breaks one of the {len(rules)} declared rules."
    elif rules is not None:
        yield "No rule was declared, so none could be checked."
