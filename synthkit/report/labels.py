"""Names of scores and how numbers are written; no judgement lives here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Form = Literal["share", "score", "count"]


@dataclass(frozen=True)
class MetricLabel:
    """What a score is called on the page.

    Args:
        label: a few words.
        meaning: one sentence for a reader who meets it for the first time.
        form: how its value is written.
    """

    label: str
    meaning: str
    form: Form = "score"


NAMES: Mapping[str, MetricLabel] = {
    "fidelity.shape": MetricLabel(
        "Column shapes", "How alike single columns are, averaged over columns; 1 is identical."
    ),
    "fidelity.trend": MetricLabel("Pair trends", "How alike relations between two columns are, averaged over pairs."),
    "fidelity.tv1": MetricLabel("One-way tables", "1 minus the mean total variation distance of single columns."),
    "fidelity.tv2": MetricLabel(
        "Two-way tables", "1 minus the mean total variation distance of tables of two columns."
    ),
    "fidelity.tv3": MetricLabel(
        "Three-way tables", "1 minus the mean total variation distance of tables of three columns."
    ),
    "fidelity.c2st": MetricLabel(
        "Real or synthetic?", "AUC of a classifier that tells the two apart; 0.5 is a coin toss."
    ),
    "fidelity.correlation_difference": MetricLabel(
        "Correlation difference",
        "Mean difference between real and synthetic correlations of pairs of columns; 0 is identical.",
    ),
    "fidelity.missingness": MetricLabel(
        "Missing cells", "How differently cells are missing in real and synthetic rows."
    ),
    "fidelity.rule_violations": MetricLabel(
        "Rule violations", "Share of synthetic rows that break a declared rule.", "share"
    ),
    "fidelity.range_violations": MetricLabel(
        "Range violations", "Share of synthetic rows with a cell the schema forbids.", "share"
    ),
    "fidelity.novel_levels": MetricLabel(
        "Novel levels", "Share of synthetic rows with a level no training row has.", "share"
    ),
    "fidelity.coverage": MetricLabel(
        "Coverage of levels", "Share of the levels of real rows that synthetic rows show.", "share"
    ),
    "fidelity.c2st_lightgbm": MetricLabel(
        "Real or synthetic? (LightGBM)", "The same AUC with the benchmarks' classifier."
    ),
    "fidelity.equivalent_sample_size": MetricLabel(
        "Equivalent sample size", "Number of real rows whose release would err as much as the synthetic ones.", "count"
    ),
    "trtr": MetricLabel("Train real, test real", "What a model reaches with the real rows: the reference."),
    "tstr": MetricLabel(
        "Train synthetic, test real", "What it reaches on real people having seen synthetic rows only."
    ),
    "trts": MetricLabel(
        "Train real, test synthetic", "Whether synthetic rows follow the relations found in real ones."
    ),
    "tsts": MetricLabel(
        "Train synthetic, test synthetic", "Whether synthetic rows are easier or harder than real ones."
    ),
    "gap": MetricLabel("Loss by training on synthetic rows", "TRTR minus TSTR on the same test rows; 0 is no loss."),
    "calibration_intercept": MetricLabel(
        "Calibration intercept", "0 if probabilities learned from synthetic rows are right on real people."
    ),
    "calibration_slope": MetricLabel(
        "Calibration slope", "1 if these probabilities are right, below 1 if too extreme."
    ),
    "worst_group_gap": MetricLabel(
        "Loss of the worst group", "The largest loss among the groups to be treated fairly."
    ),
    "fidelity.worst_group_tv": MetricLabel(
        "Likeness of the worst group", "Lowest 1 minus mean total variation of single columns among protected groups."
    ),
    "effect_overlap": MetricLabel(
        "Overlap of effects", "How far intervals of regression coefficients overlap; see what perfect rows reach."
    ),
    "log_hazard_overlap": MetricLabel(
        "Overlap of hazard ratios", "How far intervals of log-hazard ratios overlap; see what perfect rows reach."
    ),
    "equivalent_sample_size": MetricLabel(
        "Real rows that teach as much", "Number of real rows that would train as good a model.", "count"
    ),
    "km_gap": MetricLabel(
        "Distance of survival curves", "Mean distance of the Kaplan-Meier curves; 0 is the same curve."
    ),
    "optimism": MetricLabel("Optimism", "Above 0 if synthetic people live longer than real ones, below if shorter."),
    "short_sightedness": MetricLabel(
        "Short-sightedness", "Share of the follow-up time that synthetic rows do not reach."
    ),
    "rmst_difference": MetricLabel(
        "Difference of mean survival", "Restricted mean survival time, synthetic minus real."
    ),
    "event_rate_difference": MetricLabel(
        "Difference of event rates", "Share whose event was seen, synthetic minus real."
    ),
    "copying.identical_matches": MetricLabel(
        "Identical rows", "Share of synthetic rows equal to a training row.", "share"
    ),
    "copying.dcr_share": MetricLabel(
        "Nearer to training (DCR share)",
        "Share of synthetic rows closer to a training row than to a holdout row; 0.5 if nothing is copied.",
    ),
    "copying.nndr_5th_centile": MetricLabel(
        "Nearest over second nearest (5th centile)", "Small if some rows sit on top of one training row."
    ),
    "copying.excess": MetricLabel(
        "People copied",
        "Share of the people trained on of whom a synthetic row is a copy, beyond what people held out show.",
        "share",
    ),
    "copying.verbatim_values": MetricLabel(
        "Values of one person", "Share of cells that repeat a value only one training unit has.", "share"
    ),
    "excess": MetricLabel(
        "Secret guessed of members", "Right guesses about members less those about people not in the data.", "share"
    ),
    "isolated.excess": MetricLabel(
        "Secret guessed of unusual members", "The same among the half who are unlike others.", "share"
    ),
    "worst_level.excess": MetricLabel(
        "Secret guessed, worst level", "The same among those with the rare level that loses most.", "share"
    ),
    "identity.replicated_uniques": MetricLabel(
        "Unique people found again", "Who is unique by what outsiders know, and so is one synthetic row.", "share"
    ),
    "identity.disclosive": MetricLabel(
        "Group that gives a secret away", "Synthetic rows with one's keys all tell one secret, and it is true.", "share"
    ),
    "identity.unique_exact_matches": MetricLabel(
        "Unique people copied whole", "Equal to a synthetic row throughout.", "share"
    ),
    "identity.singling_out": MetricLabel(
        "Singled out who are members", "Of people that a statement read off synthetic rows is true of alone.", "share"
    ),
    "identity.singling_out.clearest": MetricLabel(
        "Singled out who are members, clearest cases", "The same of people that most statements single out.", "share"
    ),
    "identity.meaningful": MetricLabel(
        "Meaningful identity disclosure",
        "Chance that a person is matched in the population and a secret is told.",
        "share",
    ),
    "identity.linkability.k1": MetricLabel(
        "Records linked (nearest)", "Two halves of a person's columns lead to one synthetic row.", "share"
    ),
    "identity.linkability.k5": MetricLabel(
        "Records linked (five nearest)", "The same with five candidates by half.", "share"
    ),
    "membership.auc": MetricLabel(
        "Membership (AUC)", "Telling people who were trained on from people who were not; 0.5 is guessing."
    ),
    "membership.isolated.auc": MetricLabel(
        "Membership of unusual people (AUC)", "The same among the half who are unlike others."
    ),
    "membership.epsilon_lower_bound": MetricLabel(
        "Epsilon lost at least", "What the best guesses prove to have leaked; 0 if nothing is shown."
    ),
    "membership.isolated.epsilon_lower_bound": MetricLabel(
        "Epsilon lost at least by unusual people", "The same among the half who are unlike others."
    ),
    "membership.surest": MetricLabel(
        "Surest guesses that are right", "Of those of whom attackers are surest, members; half is guessing.", "share"
    ),
    "membership.isolated.surest": MetricLabel(
        "Surest guesses that are right, unusual people", "The same among the half who are unlike others.", "share"
    ),
    "membership.tpr_at_fpr_0.001": MetricLabel(
        "Members found at 0.1 % false alarms", "What can be said of a few, nearly for sure.", "share"
    ),
    "membership.tpr_at_fpr_0.01": MetricLabel(
        "Members found at 1 % false alarms", "What can be said of a few with confidence.", "share"
    ),
    "membership.tpr_at_fpr_0.1": MetricLabel(
        "Members found at 10 % false alarms", "What can be said with many errors.", "share"
    ),
}
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"
COPIED_BY = {  # sets of columns
    "whole_rows": "whole rows",
    "alike_rows": "whole rows, quantities nearly equal",
    "levels": "all levels",
    "quantities": "all quantities",
    "keys": "quasi-identifiers",
    "first_half": "first half of the columns",
    "second_half": "second half of the columns",
}
KNOWLEDGE = {"quasi_identifiers": "quasi-identifiers", "all_columns": "all columns"}
TRAIN = "_train"  # ending of scores taken against the training rows instead of the holdout
GUESS = "dummy"  # the learner that looks at no column
CELLS = ("trtr", "tstr", "trts", "tsts")
TASKS = {"auroc": "AUROC", "auc": "AUC", "r2": "R²", "mae": "MAE", "accuracy": "accuracy", "auroc_ovr": "AUROC (OvR)"}

GLOSSARY: tuple[tuple[str, str, str], ...] = (
    ("AUROC", "AUC", "Area under the receiver operating characteristic: the chance that a random case ranks above a "
     "random non-case. 0.5 is guessing, 1 is perfect."),
    ("C2ST", "classifier two-sample test", "A classifier is trained to tell synthetic from real rows; the less it "
     "succeeds, the more alike they are."),
    ("DCR", "distance to closest record", "How far a synthetic row is from its nearest real row. Shows clumsy copying; "
     "is no evidence of privacy."),
    ("DP, ε", "differential privacy", "A proven bound, epsilon, on what a release can reveal about any one person. "
     "Infinity means that no bound is claimed."),
    ("Equivalent sample size", "", "The number of real rows that, released at random, would stray from other real rows "
     "as far as the synthetic rows do."),
    ("Holdout", "", "Real rows kept away from the model. What they score is the best that can be expected."),
    ("Interval", "95 % confidence interval", "The range in which the value would lie in 95 of 100 repetitions of the "
     "measurement."),
    ("R²", "coefficient of determination", "Share of the variance of a numeric outcome that is predicted; 0 is no "
     "better than the mean."),
    ("ROC", "receiver operating characteristic", "Share of cases found against share of false alarms, over all "
     "thresholds."),
    ("TRTR, TSTR, TRTS, TSTS", "train on real or synthetic, test on real or synthetic", "The same learner in all "
     "four combinations. TSTR close to TRTR means that the synthetic rows can stand in for the real ones."),
    ("TV", "total variation distance", "Half the sum of the absolute differences between two tables of shares: "
     "0 identical, 1 nothing in common."),
    ("Unit", "", "The person (or thing) whose privacy is protected; may own several rows."),
)  # fmt: skip


def name(metric: str) -> MetricLabel:
    """The name of a score, that of its last or first parts if it has none of its own, its dotted name if all fails."""
    known = NAMES.get(metric.removesuffix(TRAIN))
    if known is not None and metric.endswith(TRAIN):
        return replace(known, label=f"{known.label}, against training rows")
    parts = metric.split(".")
    tried = (metric, ".".join(parts[-2:]), parts[-1], ".".join(parts[:2]))
    return next((NAMES[each] for each in tried if each in NAMES), MetricLabel(metric, ""))


def subject(metric: str) -> str:
    """What a score is about, where several are named alike: the target, or the secret and what is known.

    Example:
        >>> subject("utility.died.tstr"), subject("attribute.icd.all_columns.excess"), subject("fidelity.tv2")
        ('died', 'icd, from all columns', '')
    """
    room, *parts = metric.split(".")
    if room == "utility":
        return ".".join(parts[:-1])
    if room == "identity" and parts[0] == "disclosive":
        return ".".join(parts[1:])
    if room == "copying":
        return COPIED_BY.get(parts[-1], "")
    known = next((k for k in KNOWLEDGE if k in parts), None)
    if room != "attribute" or known is None:
        return ""
    return f"{'.'.join(parts[: parts.index(known)])}, from {KNOWLEDGE[known]}"


def number(x: float | None, form: Form = "score") -> str:
    """A number as a person reads it.

    Example:
        >>> number(0.56312), number(0.00042, "share"), number(3412.4, "count"), number(-0.004), number(None)
        ('0.563', '0.042 %', '3,412', '−0.004', 'not measured')
    """
    if x is None or math.isnan(x):
        return "not measured"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if form == "count":
        text = f"{x:,.0f}"
    elif form == "share":
        text = f"{100 * x:.2g}" if abs(x) < 0.01 else f"{100 * x:.1f}"
        text = text + " %"
    else:
        text = f"{x:.3f}" if abs(x) < 100 else f"{x:,.1f}"
    return re.sub(r"^-(?=[0.,]*( %)?$)", "", text).replace("-", "−")


def span(low: float, high: float, form: Form = "score") -> str:
    """An interval; empty if nothing is known of either end.

    Example:
        >>> span(0.541, 0.5829), span(-math.inf, math.inf)
        ('[0.541, 0.583]', '')
    """
    if not (math.isfinite(low) or math.isfinite(high)):
        return ""
    return f"[{number(low, form)}, {number(high, form)}]"


def digits(label: str, *, short: bool = False) -> str:
    """A bin's label without powers of ten; short: thousands and millions as letters, for the axis of a small chart.

    Example:
        >>> digits("< 2.134e+04"), digits("≥ 5.014e+05", short=True), digits("18 – 34"), digits("ward 3e+02")
        ('< 21,340', '≥ 501k', '18 – 34', 'ward 3e+02')
    """
    if re.fullmatch(rf"[<≥] {_NUMBER}|{_NUMBER}( – {_NUMBER})?", label) is None:
        return label
    return re.sub(_NUMBER, lambda m: _plain(m.group(), short=short), label)


def _plain(text: str, *, short: bool) -> str:
    x = float(text)
    if short and abs(x) >= 1e4:
        return f"{x / 1e6:.3g}M" if abs(x) >= 1e6 else f"{x / 1e3:.3g}k"
    return f"{x:,.0f}" if "e+" in text else text


def slug(text: str, taken: set[str]) -> str:
    """A readable id that is not yet in `taken`, and is added to it."""
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
    out, k = base, 2
    while out in taken:
        out, k = f"{base}-{k}", k + 1
    taken.add(out)
    return out


def seconds(x: Any) -> str:
    """A duration: seconds below two minutes, minutes above."""
    return f"{x:.1f} s" if x < 120 else f"{x / 60:.1f} min"
