"""The section that sums up: what was found in a few sentences, and the headline scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypedDict

from synthkit.report import attack_verdicts, privacy_claim, row_counts
from synthkit.report.context import ReportContext
from synthkit.report.inputs import RunFacts
from synthkit.report.labels import QUALITY_IN_WORDS, number, span
from synthkit.report.records import Fact, ScoreCard
from synthkit.report.score_rows import score_row
from synthkit.report.section_spec import SectionSpec

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score


HEADLINE_CARDS = ("fidelity.c2st", "fidelity.tv2", "fidelity.equivalent_sample_size", "fidelity.rule_violations")


class SummaryData(TypedDict):
    """Topics with sentences, and headline scores."""

    sentences: list[Fact]
    cards: list[ScoreCard]


def _data(context: ReportContext) -> SummaryData:
    found = (_of_rows(context), _of_fidelity(context), _of_use(context.evaluation), _of_privacy(context))
    return {"sentences": [sentence for each in found for sentence in each], "cards": _cards(context)}


def _of_rows(context: ReportContext) -> Iterator[Fact]:
    if "synthetic" in row_counts.rows_of(context.facts):
        yield "Rows", _rows(context.facts)
    if context.facts.get("calibrated"):
        yield (
            "Selection",
            f"Calibrated: {row_counts.raking_sentence(context.facts)}, so that one- and two-way tables match those of "
            "the training rows. No score here is that of the model alone.",
        )


def _of_fidelity(context: ReportContext) -> Iterator[Fact]:
    c2st = context.find("fidelity.c2st")
    if c2st is not None:
        holdout = "" if c2st.reference is None else f"; a real holdout scores {number(c2st.reference)}"
        yield (
            "Likeness",
            f"A classifier told synthetic from real rows with AUC {number(c2st.value)} "
            f"{span(c2st.low, c2st.high)} (0.500 is a coin toss{holdout}).",
        )
    size = context.find("fidelity.equivalent_sample_size")
    if size is not None:
        ends = (context.evaluation.panels.get("sample_size") or {}).get("sizes") or [size.value + 1]
        about = "at least" if size.value >= ends[-1] else "about"
        yield "Size", f"Judged by two-way tables it is equivalent to releasing {about} {size.value:,.0f} real rows."


def _of_use(evaluation: Evaluation) -> Iterator[Fact]:
    yield from (("Use", sentence) for sentence in _losses(evaluation))
    yield from (("Rules", sentence) for sentence in _violations(evaluation))


def _of_privacy(context: ReportContext) -> Iterator[Fact]:
    stated = context.privacy_sentences
    yield "Privacy", stated[0] if stated else privacy_claim.claim_sentence(context.ledger)
    yield from (("Attacker", sentence) for sentence in stated[1:2])
    attacked = context.attacked
    if any(verdict["grade"] != attack_verdicts.NOT_ASSESSED for verdict in attacked):
        yield "Attacks", f"{attack_verdicts.overall_verdict(attacked)['words']}."
        yield from ((verdict["title"], attack_verdicts.verdict_sentences(verdict)) for verdict in attacked)
    else:
        yield "Attacks", "Disclosure attacks were not run: how much the rows reveal about a person was not measured."


def _cards(context: ReportContext) -> list[ScoreCard]:
    """The headline scores, the worst loss of prediction among them, and epsilon."""
    losses = [s for s in context.evaluation.scores if s.metric.startswith("utility.") and s.metric.endswith(".gap")]
    chosen = [s for m in HEADLINE_CARDS if (s := context.find(m)) is not None]
    cards: list[ScoreCard] = [{**score_row(s)} for s in chosen[:3]]
    for worst in sorted(losses, key=lambda s: -s.value)[:1]:
        row = score_row(worst)
        target = worst.metric.removeprefix("utility.").removesuffix(".gap")
        cards.append({**row, "label": f"{row['label']}: {target}"})
    cards += [{**score_row(s)} for s in chosen[3:]]
    return [*cards, epsilon_card(context.epsilon)]


def epsilon_card(epsilon: float | None) -> ScoreCard:
    """The bound that a ledger proves, as a headline figure; None is no bound."""
    return {
        "metric": "privacy.epsilon",
        "label": "Epsilon",
        "meaning": "Bound on what the release reveals about one person; infinity is no bound.",
        "text": "∞" if epsilon is None else f"{epsilon:.4g}",
        "value": "infinity" if epsilon is None else epsilon,
        "against": None,
    }


def _rows(facts: RunFacts) -> str:
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
    for gap in sorted(gaps, key=lambda s: -s.value)[:most]:
        target = gap.metric.removeprefix("utility.").removesuffix(".gap")
        yield _loss(gap, target, metrics.get(target))


def _loss(gap: Score, target: str, metric: str | None) -> str:
    """The loss by training on synthetic rows, in a sentence."""
    if gap.beats_real:
        return (
            f"Predicting {target}, no loss is known: a model trained on the real rows does worse than one trained "
            f"on the synthetic rows, by {number(-gap.value)} {span(-gap.high, -gap.low)}. They cannot teach more "
            "than the rows they come from, so the reference is weak."
        )
    change = "loses" if gap.value >= 0 else "does better by"
    low, high = (gap.low, gap.high) if gap.value >= 0 else (-gap.high, -gap.low)
    unsure = "; the interval includes zero" if gap.low <= 0 <= gap.high else ""
    amount = " ".join(filter(None, (number(abs(gap.value)), metric, span(low, high))))
    return (
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


SUMMARY = SectionSpec(id="summary", title="Summary", data=_data)
