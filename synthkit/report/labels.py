"""Names of scores, looked up at the metrics, and how numbers are written; no judgement lives here."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from synthkit.metrics.metric import Form, MetricLabel

_BIN_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"
COLUMN_SETS_IN_WORDS = {  # sets of columns
    "whole_rows": "whole rows",
    "alike_rows": "whole rows, quantities nearly equal",
    "levels": "all levels",
    "quantities": "all quantities",
    "keys": "quasi-identifiers",
    "first_half": "first half of the columns",
    "second_half": "second half of the columns",
}
KNOWLEDGE_OF_ATTACKER = {
    "quasi_identifiers": "quasi-identifiers",
    "all_columns": "all columns",
    "other_tables": "other tables",
}
AGAINST_TRAIN = "_train"  # ending of scores taken against the training rows instead of the holdout
GUESSING_LEARNER = "dummy"  # the learner that looks at no column
CELL_SCORES = ("trtr", "tstr", "trts", "tsts")
QUALITY_IN_WORDS = {
    "auroc": "AUROC",
    "auc": "AUC",
    "r2": "R²",
    "mae": "MAE",
    "accuracy": "accuracy",
    "auroc_ovr": "AUROC (OvR)",
}

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
    """The name of a score, that of its last or first parts if it has none of its own, its dotted name if all fails.

    Names stand at the metrics: see `synthkit.metrics.metric_registry`.
    """
    from synthkit.metrics.metric_registry import labels

    known = labels()
    own = known.get(metric.removesuffix(AGAINST_TRAIN))
    if own is not None and metric.endswith(AGAINST_TRAIN):
        return replace(own, label=f"{own.label}, against training rows")
    parts = metric.split(".")
    tried = (metric, ".".join(parts[-2:]), parts[-1], ".".join(parts[:2]))
    return next((known[each] for each in tried if each in known), MetricLabel(metric, ""))


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
        return COLUMN_SETS_IN_WORDS.get(parts[-1], "")
    known = next((k for k in KNOWLEDGE_OF_ATTACKER if k in parts), None)
    if room != "attribute" or known is None:
        return ""
    return f"{'.'.join(parts[: parts.index(known)])}, from {KNOWLEDGE_OF_ATTACKER[known]}"


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
    if re.fullmatch(rf"[<≥] {_BIN_NUMBER}|{_BIN_NUMBER}( – {_BIN_NUMBER})?", label) is None:
        return label
    return re.sub(_BIN_NUMBER, lambda m: _plain(m.group(), short=short), label)


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


def seconds(x: float) -> str:
    """A duration: seconds below two minutes, minutes above."""
    return f"{x:.1f} s" if x < 120 else f"{x / 60:.1f} min"
