"""Figures of linked cells that are compared, by name, with what held-out units score where that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean

from benchmarks.measure.results import Result, Spread

LEAST = 0.001  # of an excess, so that a ratio means something
LinkedFigure = Callable[[Result], float | None]


def _all(result: Result, ending: str) -> Iterator[tuple[float, float | None]]:
    """Values and references of the scores whose names end so."""
    for name, score in (result.score or {"scores": {}})["scores"].items():
        if name.endswith(ending):
            yield float(score["value"]), score["reference"]


def value(*endings: str) -> LinkedFigure:
    """Mean of the scores with the first ending that there is."""

    def figure(result: Result) -> float | None:
        for ending in endings:
            found = [x for x, _ in _all(result, ending)]
            if found:
                return fmean(found)
        return None

    return figure


def floor(*endings: str) -> LinkedFigure:
    """The same of real units in the place of synthetic ones."""

    def figure(result: Result) -> float | None:
        for ending in endings:
            found = [x for _, x in _all(result, ending) if x is not None]
            if found:
                return fmean(found)
        return None

    return figure


def over_floor(*endings: str) -> LinkedFigure:
    """How far the figure is above what real units score."""
    own, real = value(*endings), floor(*endings)

    def figure(result: Result) -> float | None:
        a, b = own(result), real(result)
        return None if a is None or b is None else max(a - b, LEAST)

    return figure


def largest_loss(result: Result) -> float | None:
    """TRTR minus TSTR, the largest over the targets."""
    return max((x for x, _ in _all(result, ".gap")), default=None)


def rows_broken(result: Result) -> float | None:
    """Rows that break a key or rule; where the schema is checked whole, those of its domains too."""
    score = result.score
    if score is None:
        return None
    if "broken" not in score:
        return float("inf")  # keys that cannot even be resolved
    return float(sum(score["broken"].values()) + sum(score.get("violations", {}).values()))


def rows_broken_real(result: Result) -> float | None:
    """Held-out rows that break a key or rule."""
    found = (result.score or {}).get("broken_real")
    return None if found is None else float(sum(found.values()))


def contradictions(result: Result) -> float | None:
    """Share of people with a declared contradiction, less that of held-out people."""
    found = (result.score or {}).get("contradictions")
    return None if not found else float(found["drawn"]["share"] - found["real"]["share"])


def inside(part: str, *keys: str) -> LinkedFigure:
    """A number of another part of the scores."""

    def figure(result: Result) -> float | None:
        found = (result.score or {}).get(part)
        for key in keys:
            found = None if not found else found.get(key)
        return None if found is None else float(found)

    return figure


ALIGNMENT = ("fidelity.alignment_share",)
TRANSITIONS = ("fidelity.transitions_tv", "fidelity.level_transitions_tv")  # of types, or of levels where one type is
NAMED: Mapping[str, tuple[str, ...]] = {
    "C2ST units": ("fidelity.unit_c2st",),
    "C2ST row": (".row_c2st",),
    "SDMetrics": ("fidelity.sdmetrics.quality",),
    "SDMetrics, between tables": ("fidelity.sdmetrics.intertable_trends",),
    "transitions TV": TRANSITIONS,
    "gap KS": ("fidelity.gap_ks",),
    "lag-1": ("fidelity.lag_one",),
    "alignment": ALIGNMENT,
    "owner x row TV": ("fidelity.owner_pairs_tv",),
    "sd within a unit": ("fidelity.within_unit_sd",),
    "length KS": ("fidelity.length_ks",),
    "fan-out KS": ("fidelity.fan_out_ks",),
    "copied values": ("fidelity.kept_repeats",),
    "units nearer to train": ("copying.nearer_units",),
}
LINKED_FIGURES: Mapping[str, LinkedFigure] = {
    **{name: value(*endings) for name, endings in NAMED.items()},
    **{
        f"{name} over floor": over_floor(*NAMED[name])
        for name in ("C2ST units", "C2ST row", "transitions TV", "gap KS")
    },
    **{f"{name} over floor": over_floor(*NAMED[name]) for name in ("lag-1", "alignment")},
    "TSTR loss": largest_loss,
    "rows broken": rows_broken,
    "contradictions": contradictions,
    "codes TV": inside("codes", "tv"),
    "accuracy": inside("official", "accuracy", "overall"),
    "coherence": inside("official", "accuracy", "coherence"),
}
FLOORS: Mapping[str, LinkedFigure] = {
    **{name: floor(*endings) for name, endings in NAMED.items()},
    "rows broken": rows_broken_real,
    "codes TV": inside("codes", "floor"),
    "accuracy": inside("official", "accuracy", "overall_max"),
    "coherence": inside("official", "accuracy", "coherence_max"),
}


def linked_figure(
    results: Sequence[Result], name: str, known: Mapping[str, LinkedFigure] = LINKED_FIGURES
) -> Spread | None:
    """A figure over the seeds; of several cells of a seed, one."""
    by_seed = {int(r.cell["seed"]): known[name](r) for r in results} if name in known else {}
    return Spread.of(by_seed.values())
