"""The section that sums up an evaluation of linked tables: a few sentences, and the headline scores."""

from __future__ import annotations

from collections.abc import Iterator

from synthkit.report import attack_verdicts, privacy_claim
from synthkit.report.labels import number, span
from synthkit.report.linked_context import LinkedContext
from synthkit.report.records import Fact, ScoreCard
from synthkit.report.row_counts import made_here
from synthkit.report.score_rows import score_row
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.summary import SummaryData, epsilon_card

LINKED_CARDS = (
    *("fidelity.integrity", "fidelity.unit_c2st", "fidelity.transitions_tv", "fidelity.alignment_ks"),
    *("fidelity.fan_out_ks", "fidelity.contradictions"),
)


def _data(context: LinkedContext) -> SummaryData:
    found = (_of_rows(context), _of_keys(context), _of_likeness(context), _of_time(context), _of_use(context))
    sentences = [sentence for each in (*found, _of_copies(context), _of_privacy(context)) for sentence in each]
    return {"sentences": sentences, "cards": _cards(context)}


def _of_rows(context: LinkedContext) -> Iterator[Fact]:
    rows, unit = context.rows("synthetic"), context.unit
    if not rows:
        return
    made = "drawn from a model fitted on" if made_here(context.facts) else "made elsewhere from"
    fitted = f"{context.units('train'):,} real {unit}" if context.units("train") else f"real {unit}"
    held = f"; {context.units('holdout'):,} others were held out" if context.units("holdout") else ""
    yield (
        "Tables",
        f"{context.units('synthetic'):,} synthetic {unit} with {sum(rows.values()):,} rows in {len(rows)} tables, "
        f"{made} {fitted}{held}.",
    )


def _of_keys(context: LinkedContext) -> Iterator[Fact]:
    score, panel = context.find("fidelity.integrity"), context.panels.get("integrity") or ()
    if score is not None:
        seen = context.looked_at("synthetic")
        who = _who_breaks(score.value, seen, context.unit)
        yield "Keys", f"{who} one of {len(panel)} keys, links, orders and rules {_at_most(score.high)}."
    told = context.find("fidelity.contradictions")
    if told is not None:
        yield (
            "Sense",
            f"{number(told.value, 'share')} of the synthetic {context.unit} have a declared contradiction "
            f"{span(told.low, told.high, 'share')}; of the held-out ones {number(told.reference, 'share')}.",
        )


def _who_breaks(share: float, seen: int, unit: str) -> str:
    """How many of the units break something; a mean over draws may be less than one."""
    broken = round(share * seen)
    if broken:
        return f"{broken:,} of {seen:,} break"
    return f"{'Fewer than one' if share else 'None'} of {seen:,} synthetic {unit} breaks"


def _at_most(high: float) -> str:
    return f"(the share is at most {number(high, 'share')}, by the interval)"


def _of_likeness(context: LinkedContext) -> Iterator[Fact]:
    c2st = context.find("fidelity.unit_c2st")
    if c2st is not None:
        yield (
            "Likeness",
            f"A classifier told whole synthetic {context.unit} from real ones with AUC {number(c2st.value)} "
            f"{span(c2st.low, c2st.high)} (0.500 is a coin toss; real ones in their place score "
            f"{number(c2st.reference)}).",
        )
    rows = [(name, s) for name in context.tables if (s := context.find(f"fidelity.{name}.row_c2st")) is not None]
    if rows:
        name, worst = max(rows, key=lambda each: each[1].value - (each[1].reference or 0.5))
        yield (
            "Rows",
            f"Of rows in their context those of {name} are told most easily beyond their floor: AUC "
            f"{number(worst.value)} {span(worst.low, worst.high)}, floor {number(worst.reference)}.",
        )


def _of_time(context: LinkedContext) -> Iterator[Fact]:
    follows, gaps = context.find("fidelity.transitions_tv"), context.find("fidelity.gap_ks")
    said = []
    if follows is not None:
        said.append(f"what follows what differs by TV {number(follows.value)} (floor {number(follows.reference)})")
    if gaps is not None:
        said.append(f"gaps between rows by KS {number(gaps.value)} (floor {number(gaps.reference)})")
    if (beside := context.find("fidelity.alignment_ks")) is not None:
        said.append(f"delays between tables by KS {number(beside.value)} (floor {number(beside.reference)})")
    if said:
        text = "; ".join(said)
        yield "Time", f"{text[0].upper()}{text[1:]}."


def _of_use(context: LinkedContext) -> Iterator[Fact]:
    for target in context.schema.targets[:2]:
        gap = context.find(f"utility.{target.name}.gap")
        if gap is None:
            continue
        change = "loses" if gap.value >= 0 else "does better by"
        low, high = (gap.low, gap.high) if gap.value >= 0 else (-gap.high, -gap.low)
        unsure = "; the interval includes zero" if gap.low <= 0 <= gap.high else ""
        yield (
            "Use",
            f"Predicting {target.name} from histories, a model trained on synthetic ones {change} "
            f"{number(abs(gap.value))} AUROC {span(low, high)} against one trained on real ones, both tested on real "
            f"people{unsure}.",
        )


def _of_copies(context: LinkedContext) -> Iterator[Fact]:
    runs = context.find("copying.shared_runs")
    if runs is not None:
        yield (
            "Shared runs",
            f"{number(runs.value, 'share')} of the synthetic {context.unit} share a run of five events with somebody "
            f"in training; of the held-out ones {number(runs.reference, 'share')}. No evidence of privacy.",
        )


def _of_privacy(context: LinkedContext) -> Iterator[Fact]:
    stated = context.alone.privacy_sentences
    yield "Privacy", stated[0] if stated else privacy_claim.claim_sentence(context.ledger)
    attacked = context.alone.attacked
    if not any(verdict["grade"] != attack_verdicts.NOT_ASSESSED for verdict in attacked):
        yield "Attacks", "Disclosure attacks were not run: how much the tables reveal about a person was not measured."
        return
    yield "Attacks", f"{attack_verdicts.overall_verdict(attacked)['words']}."
    yield from ((verdict["title"], attack_verdicts.verdict_sentences(verdict)) for verdict in attacked)


def _cards(context: LinkedContext) -> list[ScoreCard]:
    """The headline scores, the worst loss of prediction among them, and epsilon."""
    cards: list[ScoreCard] = [{**score_row(s)} for m in LINKED_CARDS if (s := context.find(m)) is not None]
    losses = [s for t in context.schema.targets if (s := context.find(f"utility.{t.name}.gap")) is not None]
    for worst in sorted(losses, key=lambda s: -s.value)[:1]:
        row = score_row(worst)
        cards.append({**row, "label": f"{row['label']}: {row['subject']}"})
    return [*cards, epsilon_card(context.alone.epsilon)]


LINKED_SUMMARY = SectionSpec(id="summary", title="Summary", data=_data)
