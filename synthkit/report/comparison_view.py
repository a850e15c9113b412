"""A comparison of several models as one plain dict for the page: the scoreboard, two charts, a word on each model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from synthkit.metrics.metric import Form
from synthkit.report.html import Report, render
from synthkit.report.labels import AGAINST_TRAIN, GLOSSARY, name, number, seconds, span
from synthkit.report.sections import facts

Entrant = Mapping[str, Any]
TITLES = {
    "released": "What was compared",
    "verdicts": "Summary",
    "scoreboard": "Models against each other",
    "likeness": "Can synthetic rows be told from real ones?",
    "cost": "Time against quality",
    "entrants": "Each model",
    "failures": "What could not be measured",
    "limits": "Limits",
    "reproducibility": "Reproducibility",
    "glossary": "Glossary",
}
HEADLINE = (
    *("fidelity.c2st", "fidelity.c2st_lightgbm", "fidelity.shape", "fidelity.trend", "fidelity.tv2", "fidelity.tv3"),
    *("fidelity.correlation_difference", "fidelity.missingness", "fidelity.equivalent_sample_size"),
    *("fidelity.rule_violations", "copying.dcr_share"),
)
BEST = {"sign": "★", "word": "best"}
LEVEL = {"sign": "≈", "word": "as good"}
C2ST = "fidelity.c2st"
ATTACKS = ("membership.", "attribute.", "identity.")


def build_comparison(data: Mapping[str, Any]) -> Report:
    """The page on the content of a comparison.json."""
    return Report(render(view(data)))


def view(data: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the page says, as plain data.

    Args:
        data: the content of comparison.json: `plan`, `entrants` and facts about the run.
    """
    entrants = data["entrants"]
    done = [e for e in entrants if not e["reason"]]
    metrics = list(dict.fromkeys(s["metric"] for e in done for s in e["scores"]))
    head = [m for m in HEADLINE if m in metrics] + [m for m in metrics if _gap(m)]
    rest = [m for m in metrics if m not in head]
    names = [e["name"] for e in done]
    content: dict[str, Any] = {
        "released": {"facts": list(_facts(data, entrants, done))},
        "verdicts": {"sentences": list(_summary(data["plan"], entrants, done))},
        "scoreboard": {
            "names": names,
            "head": [*(_row(m, done) for m in head), *_costs(done)],
            "rest": [_row(m, done) for m in rest],
            "meanings": _meanings([*head, *rest], done),
        },
        "likeness": _likeness(done),
        "cost": _cost(done),
        "entrants": {"entrants": [_card(e) for e in entrants]},
        "failures": {"failures": list(_failures(done))},
        "limits": {"limits": list(_limits(data["plan"], entrants, done))},
        "reproducibility": facts.reproducibility({**data, **data["plan"]}),
        "glossary": {"terms": GLOSSARY},
    }
    if not done:
        for key in ("scoreboard", "likeness", "cost", "failures"):
            content[key] = {"absent": "No model finished."}
    return {
        "title": f"Models compared: {data['table']}",
        "table": data["table"],
        "kind": "Models compared",
        "twin": "comparison.json",
        "tier": "internal",
        "date": data.get("date"),
        "version": data.get("version"),
        "sections": [
            {"id": k, "title": title, "tag": "INTERNAL", "absent": None, **content[k]} for k, title in TITLES.items()
        ],
    }


def _gap(metric: str) -> bool:
    return metric.startswith("utility.") and metric.endswith(".gap")


def _score(entrant: Entrant, metric: str) -> Mapping[str, Any] | None:
    return next((s for s in entrant["scores"] if s["metric"] == metric), None)


def _row(metric: str, done: Sequence[Entrant]) -> dict[str, Any]:
    """One score of every entrant; the best is marked, and whatever an interval cannot tell from it."""
    named = name(metric)
    found = [_score(e, metric) for e in done]
    known = [s for s in found if s is not None and s["value"] is not None]
    goal = known[0]["goal"] if known else "none"
    if metric.endswith(AGAINST_TRAIN) or metric.startswith((*ATTACKS, "copying.")):
        goal = "none"  # nearer to the training rows than a holdout is would be no merit, and privacy is not ranked
    best = _best([s["value"] for s in known], goal)
    reference = next((s["reference"] for s in known if s["reference"] is not None), None)
    target = metric.removeprefix("utility.").rpartition(".")[0] if metric.startswith("utility.") else ""
    return {
        "metric": metric,
        "label": named.label,
        "target": target,
        "meaning": named.meaning,
        "goal": {"high": "higher is better", "low": "lower is better", "none": "neither high nor low is better"}[goal],
        "reference": reference,
        "reference_text": "—" if reference is None else number(reference, named.form),
        "cells": [_cell(e["name"], s, best, named.form) for e, s in zip(done, found, strict=True)],
    }


def _best(values: Sequence[float], goal: str) -> float | None:
    """The best of several values; None if there is nothing to choose between."""
    if goal == "none" or len(set(values)) < 2:
        return None
    return max(values) if goal == "high" else min(values)


def _cell(entrant: str, score: Mapping[str, Any] | None, best: float | None, form: Form) -> dict[str, Any]:
    if score is None or score["value"] is None:
        return {"entrant": entrant, "value": "", "text": "not measured", "interval": "", "mark": None}
    low = -float("inf") if score["low"] is None else score["low"]
    high = float("inf") if score["high"] is None else score["high"]
    mark = None
    if best is not None:
        mark = BEST if score["value"] == best else LEVEL if low <= best <= high else None
    text, interval = number(score["value"], form), span(low, high, form)
    return {"entrant": entrant, "value": score["value"], "text": text, "interval": interval, "mark": mark}


def _costs(done: Sequence[Entrant]) -> Iterable[dict[str, Any]]:
    """Rows of the scoreboard that have no interval: time and memory."""
    costs: tuple[tuple[str, str, str, str, Callable[[Entrant], float | None], Callable[[float], str]], ...] = (
        ("cost.fit_seconds", "Time to learn", "Wall clock, from the rows to the fitted model.", "low",
         lambda e: e["seconds"].get("fit"), seconds),
        ("cost.rows_per_second", "Rows drawn a second", "All draws, the first call included.", "high",
         lambda e: e["rows_per_second"], lambda x: f"{x:,.0f}"),
        ("cost.peak_mib", "Peak memory", "Of its process until the last row was drawn, libraries included.", "low",
         lambda e: e["peak_mib"], lambda x: f"{x:,.0f} MiB"),
    )  # fmt: skip
    for metric, label, meaning, goal, of, text in costs:
        values = [of(e) for e in done]
        best = _best([v for v in values if v is not None], goal)
        yield {
            "metric": metric,
            "label": label,
            "target": "",
            "meaning": meaning,
            "goal": {"high": "higher is better", "low": "lower is better"}[goal],
            "reference": None,
            "reference_text": "—",
            "cells": [
                {
                    "entrant": e["name"],
                    "value": "" if v is None else v,
                    "text": "not measured" if v is None else text(v),
                    "interval": "",
                    "mark": BEST if best is not None and v == best else None,
                }
                for e, v in zip(done, values, strict=True)
            ],
        }


def _meanings(metrics: Sequence[str], done: Sequence[Entrant]) -> list[tuple[str, str]]:
    """Label and sentence of every row of the scoreboard, each once."""
    said = {name(m).label: name(m).meaning for m in metrics} | {c["label"]: c["meaning"] for c in _costs(done)}
    return [(label, meaning) for label, meaning in said.items() if meaning]


def _failures(done: Sequence[Entrant]) -> Iterable[dict[str, str]]:
    """Metrics that could not run, each with its reason once, and whose they are unless they are everybody's."""
    whose: dict[tuple[str, str], list[str]] = {}
    for e in done:
        for f in e["failures"]:
            whose.setdefault((f["metric"], f["reason"]), []).append(e["name"])
    for (metric, reason), names in whose.items():
        who = "" if len(names) == len(done) else f" ({_listed(names)})"
        yield {"metric": metric + who, "reason": reason}


def _points(done: Sequence[Entrant]) -> list[dict[str, Any]]:
    """Entrants with a measured C2ST, best first."""
    found = [(e, _score(e, C2ST)) for e in done]
    points = [
        {
            "name": e["name"],
            "made": "by others" if e["reference"] else "by synthkit",
            "seconds": max(e["seconds"]["fit"], 0.01),
            **{k: s[k] for k in ("value", "low", "high", "reference")},
        }
        for e, s in found
        if s is not None and s["value"] is not None
    ]
    return sorted(points, key=lambda p: p["value"])


def _likeness(done: Sequence[Entrant]) -> dict[str, Any]:
    points = _points(done)
    if not points:
        return {"absent": "No classifier test was measured."}
    each = "; ".join(f"{p['name']} {number(p['value'])} {span(p['low'], p['high'])}" for p in points)
    real = next((p["reference"] for p in points if p["reference"] is not None), None)
    line = "" if real is None else f" The line is what real rows score in the same place: {number(real)}."
    figure = facts.figure(
        "contenders",
        {"points": points, "real": real},
        title="AUC of telling synthetic from real rows, by model",
        description=f"One point and interval a model, best first: {each}.{line}",
        caption="The nearer to 0.5, the better: there a classifier tosses a coin. Bars are 95 % intervals." + line,
    )
    return {"figures": [figure]}


def _cost(done: Sequence[Entrant]) -> dict[str, Any]:
    points = _points(done)
    if not points:
        return {"absent": "No classifier test was measured."}
    each = "; ".join(f"{p['name']} {seconds(p['seconds'])}, AUC {number(p['value'])}" for p in points)
    figure = facts.figure(
        "tradeoff",
        {"points": [{**p, "align": _side(p, points)} for p in points]},
        title="Time to learn against AUC of telling synthetic from real rows",
        description=f"One point a model: {each}.",
        caption="Down and to the left is better: sooner learned, and harder to tell from real rows. "
        "Time is on a logarithmic axis.",
    )
    return {"figures": [figure]}


def _side(point: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> str:
    """Where a name starts: `left` runs to the right of its point, `right` to its left if another point is there."""
    others = [p for p in points if p is not point and abs(p["value"] - point["value"]) < 0.03]
    near = any(1 <= p["seconds"] / point["seconds"] < 8 for p in others)
    return "right" if near else "left"


def _card(entrant: Entrant) -> dict[str, Any]:
    """What a reader must know of one entrant."""
    link = None if entrant["reason"] else f"models/{entrant['name']}/report.html"
    return {
        "name": entrant["name"],
        "made": "made by others, for reference" if entrant["reference"] else "a model of synthkit",
        "reason": entrant["reason"],
        "link": link,
        "settings": ", ".join(f"{k} {v}" for k, v in entrant["settings"].items()) or "its defaults",
        "rules": "" if entrant["reason"] else _rules(entrant),
        "notes": list(entrant["notes"]),
    }


def _rules(entrant: Entrant) -> str:
    drawn = sum(entrant["rows"])
    if not entrant["rules"]:
        return "No rule was declared."
    if not entrant["broken_rows"]:
        return f"All {entrant['rules']} declared rules hold in all {drawn:,} rows."
    share = number(entrant["broken_rows"] / drawn, "share")
    return (
        f"It breaks {entrant['broken_rules']} of {entrant['rules']} declared rules, in {entrant['broken_rows']:,} of "
        f"{drawn:,} rows ({share})."
    )


def _facts(data: Mapping[str, Any], entrants: Sequence[Entrant], done: Sequence[Entrant]) -> Iterable[tuple[str, str]]:
    plan = data["plan"]
    yield "Models", f"{len(done)} of {len(entrants)} finished"
    yield "Source table", str(data["source"]) if data.get("source") else "a frame"
    yield "Rows fitted on", number(plan["train"], "count")
    yield "Rows held out", number(plan["holdout"], "count")
    yield "Columns", str(data["columns"])
    yield "Synthetic rows a draw", number(plan["rows"], "count")
    yield "Draws a model", str(plan["draws"])
    if data.get("date"):
        yield "Date", str(data["date"])[:10]


def _summary(
    plan: Mapping[str, Any], entrants: Sequence[Entrant], done: Sequence[Entrant]
) -> Iterable[tuple[str, str]]:
    """Topic and sentence, for a person who reads nothing else."""
    yield (
        "Compared",
        f"{_listed([e['name'] for e in done]) or 'None'} learned the same {plan['train']:,} real rows; "
        f"{plan['holdout']:,} others, held out, measure them.",
    )
    for e in entrants:
        if e["reason"]:
            yield "Failed", f"{e['name']}: {e['reason']}."
    points = _points(done)
    if points:
        first, *others = points
        level = [p["name"] for p in others if p["low"] <= first["value"] <= p["high"]]
        also = f"; within its interval {_listed(level)} cannot be told from it" if level else ""
        yield (
            "Likeness",
            f"The rows of {first['name']} are the hardest to tell from real ones: AUC {number(first['value'])} "
            f"{span(first['low'], first['high'])}; 0.500 is a coin toss{also}.",
        )
    for metric in sorted({s["metric"] for e in done for s in e["scores"] if _gap(s["metric"])})[:2]:
        yield "Use", _least_loss(metric, done)
    clean = [e["name"] for e in done if e["rules"] and not e["broken_rows"]]
    broken = [e for e in done if e["broken_rows"]]
    if clean or broken:
        kept = f"Every declared rule holds in all rows of {_listed(clean)}." if clean else "Every model breaks a rule."
        shares = [f"{e['name']} {number(e['broken_rows'] / sum(e['rows']), 'share')}" for e in broken]
        yield "Rules", kept + (f" Rows that break one: {_listed(shares)}." if shares else "")
    if len(done) > 1:
        by = sorted(done, key=lambda e: e["seconds"]["fit"])
        yield (
            "Time",
            f"{by[0]['name']} learned in {seconds(by[0]['seconds']['fit'])}, {by[-1]['name']} took "
            f"{seconds(by[-1]['seconds']['fit'])}.",
        )
    yield "Privacy", _attacked(done)


def _attacked(done: Sequence[Entrant]) -> str:
    """Whether attacks were made, and on whom; no model is called better for what they found."""
    by = [e["name"] for e in done if any(s["metric"].startswith(ATTACKS) for s in e["scores"])]
    if not by:
        attacks = "no attack was made"
    elif len(by) == len(done):
        attacks = "the rows of each were attacked; what that showed is among all other scores and in its own report"
    else:
        attacks = f"only rows of {_listed(by)} were attacked"
    return f"No model was fitted under a privacy budget; {attacks}. This page ranks no privacy."


def _least_loss(metric: str, done: Sequence[Entrant]) -> str:
    found = [
        (s["value"], e["name"], s) for e in done if (s := _score(e, metric)) is not None and s["value"] is not None
    ]
    value, who, score = min(found, key=lambda f: f[0])
    target = metric.removeprefix("utility.").removesuffix(".gap")
    change = "loses" if value >= 0 else "gains"
    low, high = (score["low"], score["high"]) if value >= 0 else (-score["high"], -score["low"])
    unsure = "; the interval includes zero" if score["low"] <= 0 <= score["high"] else ""
    return (
        f"Predicting {target}, training on rows of {who} instead of real ones {change} {number(abs(value))} "
        f"{span(low, high)}, the best of all{unsure}."
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _limits(plan: Mapping[str, Any], entrants: Sequence[Entrant], done: Sequence[Entrant]) -> Iterable[tuple[str, str]]:
    """What a reader must not conclude: a short name and one sentence, each."""
    yield "one split", "One split, one seed, one fit of each model: intervals do not include how much another differs."
    yield "defaults", "Each model ran at its defaults unless settings are shown; tuning can change the order."
    yield "machine", "Time and memory are those of one machine and of whatever else ran on it."
    yield "privacy", "Likeness and use say nothing of privacy: a model that repeats its training rows scores well."
    if any(e["reference"] for e in entrants):
        yield "references", "Models made by others are not told of the row rules and cannot be saved by synthkit."
    if any(e["reason"] for e in entrants):
        yield "failed", "A model that failed is in no table and no chart; its reason is given above."
    if plan["quick"]:
        yield (
            "quick",
            "A quick evaluation: of large tables samples were looked at, and two learners were used only.",
        )
    if plan["train"] < 1000:
        yield "few rows", f"The models saw {plan['train']:,} rows only: intervals are wide."
    if len(done) > 1:
        yield "many scores", "Among many scores some model is best by chance alone."
