"""The neutral part of a view: facts, tables and figures of each section as plain dicts; judgements are view.py's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from synthkit.report.labels import CELL_SCORES, GUESSING_LEARNER, QUALITY_IN_WORDS, name, number, seconds, slug, span
from synthkit.report.sections.row_counts import draws_of, listed, looked_at, made_here, of_draws, rows_of, surface

Panels = Mapping[str, Any]
Section = dict[str, Any]
OPEN_DISTRIBUTIONS = 12
WORST = 12
WATERMARKED = "keyed: who holds the key can tell these rows, or part of them, by `synthkit detect`"


def figure(chart: str, data: Any, *, title: str, description: str, caption: str = "", key: str = "") -> Section:
    """A chart to be drawn: which one, of what, and in words."""
    key = key or chart.replace("_", "-")
    return {"chart": chart, "data": data, "title": title, "description": description, "caption": caption, "key": key}


def selection(facts: Mapping[str, Any]) -> str | None:
    """How the rows of a calibrated draw came about; None for a plain one."""
    chosen = facts.get("calibrated")
    return f"{chosen['rows']:,} rows selected from a pool of {chosen['pool']:,}" if chosen else None


def released(facts: Mapping[str, Any]) -> Section:
    """What was released or measured, as label and value."""
    rows, columns, here = rows_of(facts), facts.get("columns"), made_here(facts)
    source, draws = facts.get("source"), of_draws(facts)
    pairs = [
        ("Synthetic rows", listed(draws if len(set(draws)) > 1 else draws[:1]) if draws else None),
        ("Synthetic rows looked at", looked_at(facts, ["synthetic"]) or None),
        ("Real rows looked at", looked_at(facts, ["train", "holdout"]) or None),
        ("Columns", columns if columns is None or isinstance(columns, int) else len(columns)),
        ("Model", facts.get("model")),
        ("Source table", None if source is None else PurePath(str(source)).name),
        ("Rows fitted on", number(rows["train"], "count") if "train" in rows else None),
        ("Rows held out", number(rows["holdout"], "count") if "holdout" in rows else None),
        ("Draws", draws_of(facts)),
        ("Calibrated", selection(facts)),
        ("Watermark", WATERMARKED if facts.get("watermark") else None),
        ("Date", str(facts["date"])[:10] if facts.get("date") else None),
        ("Made", None if here else "elsewhere; how is not known here"),
        ("To be released", surface(facts) or "nothing"),
    ]
    return {"facts": [(label, str(value)) for label, value in pairs if value is not None]}


def distributions(panels: Panels) -> Section:
    """Small multiples, worst first; the first dozen open."""
    entries = panels.get("distributions")
    if not entries:
        return {"absent": "Distributions of single columns were not recorded."}
    taken: set[str] = set()
    cards = [
        {
            "id": "column-" + slug(e["column"], taken),
            "entry": e,
            "error": number(e.get("error")),
            "reference": None if e.get("reference") is None else number(e["reference"]),
        }
        for e in entries
    ]
    return {"open": cards[:OPEN_DISTRIBUTIONS], "rest": cards[OPEN_DISTRIBUTIONS:]}


def pairs(panels: Panels) -> Section:
    """Heat maps of pairs, the worst pairs and the worst cells."""
    out: Section = {"figures": [], "worst": [], "cells": []}
    panel = panels.get("pairs")
    if panel and len(panel["columns"]) > 1:
        out["worst"] = worst_pairs(panel)
        out["figures"].append(
            figure(
                "pair_errors",
                panel,
                title="Error of two-way tables",
                description="Triangle of squares, one a pair of columns; the darker, the larger the total variation "
                "distance. Worst: " + "; ".join(f"{p['a']} and {p['b']} {p['error']}" for p in out["worst"][:3]) + ".",
                caption=f"Total variation distance of each two-way table from the holdout's; what stands out is worse. "
                f"{len(panel['columns'])} of {panel.get('of', len(panel['columns']))} columns, those farthest off.",
            )
        )
    panel = panels.get("correlation")
    if panel and len(panel["columns"]) > 1:
        out["figures"].append(
            figure(
                "correlations",
                panel,
                title="Correlations, real, synthetic and their difference",
                description="Three triangles of squares: the larger, the stronger; filled is positive, hollow is not.",
                caption="The larger a square, the stronger the correlation; filled is positive, hollow negative. "
                "Levels have no sign: there it is Cramér's V or the correlation ratio. Shown are the columns that "
                "differ most.",
            )
        )
    for cell in list(panels.get("worst_cells") or [])[:WORST]:
        out["cells"].append(
            {
                "columns": " × ".join(map(str, cell["columns"])),
                "cell": " × ".join(map(str, cell["cell"])) if isinstance(cell["cell"], list | tuple) else cell["cell"],
                **{k: _count(cell[k], cell.get(f"{k}_rows")) for k in ("holdout", "synthetic")},
            }
        )
    return out if out["figures"] or out["cells"] else {"absent": "Pairs of columns were not compared."}


def _count(count: float | str, rows: int | None) -> str:
    """A count and its share; counts too small to be shown come as text, shares alone as fractions."""
    if isinstance(count, str):
        return count
    return number(count, "share") if rows is None else f"{count:,} ({number(count / rows, 'share')})"


def worst_pairs(panel: Mapping[str, Any]) -> list[dict[str, str]]:
    """The pairs with the largest error, and what the same pair of the reference rows errs."""
    columns, error, reference = panel["columns"], panel["error"], panel.get("reference")
    found = [(error[i][j], i, j) for i in range(len(columns)) for j in range(i) if error[i][j] is not None]
    known = isinstance(reference, list)
    return [
        {
            "a": columns[j],
            "b": columns[i],
            "error": number(e),
            "reference": number(reference[i][j]) if known and reference is not None else "not measured",
        }
        for e, i, j in sorted(found, reverse=True)[:WORST]
    ]


def missingness(panels: Panels) -> Section:
    """Shares of missing cells in the columns that have any."""
    rows = panels.get("missingness")
    if rows is None:
        return {"absent": "Missing cells were not compared."}
    some = [r for r in rows if any(r.get(k) for k in ("train", "holdout", "synthetic"))]
    if not some:
        return {"absent": "No cell is missing in the rows that were looked at, real or synthetic."}
    some = sorted(some, key=lambda r: -abs((r["synthetic"] or 0) - (r["train"] or 0)))
    table = [{"column": r["column"], **{k: number(r.get(k), "share") for k in r if k != "column"}} for r in some]
    far = some[0]
    drawn = figure(
        "missingness",
        some,
        title="Share of missing cells by column",
        description=f"{len(some)} columns have missing cells. Farthest apart: {far['column']}, training "
        f"{number(far['train'], 'share')}, synthetic {number(far['synthetic'], 'share')}.",
        caption="Circle: training rows. Bar: holdout. Diamond: synthetic. Columns farthest apart first.",
    )
    return {"figures": [drawn], "rows": table, "complete": len(rows) - len(some)}


def detection(panels: Panels) -> Section:
    """How well a classifier tells synthetic from real, and by which columns."""
    panel = panels.get("detection")
    if not panel:
        return {"absent": "No classifier was trained to tell synthetic from real rows."}
    figures = []
    if panel.get("roc"):
        auc = number(panel.get("auc"))
        figures.append(
            figure(
                "roc",
                panel,
                title="Telling synthetic from real",
                description=f"ROC curve with area {auc}; the dashed diagonal is a coin toss, area 0.5.",
                caption=f"Area under the curve: {auc} {span(panel['low'], panel['high'])}; dashed: a coin toss.",
            )
        )
    if panel.get("features"):
        first = [f["column"] for f in sorted(panel["features"], key=lambda f: -f["importance"])[:3]]
        figures.append(
            figure(
                "giveaways",
                panel,
                title="What gives the synthetic rows away",
                description="Bars by column; most telling: " + ", ".join(first) + ".",
                caption="Columns by which the classifier recognises synthetic rows, most telling first.",
            )
        )
    return {"figures": figures}


def utility(panels: Panels, *, failed: bool = False) -> Section:
    """The ladder: every learner trained and tested on real or synthetic rows, a chart and a table a target."""
    entries = panels.get("utility")
    if not entries:
        why = "could be measured: all attempts failed." if failed else "was measured: the schema names none."
        return {"absent": f"No prediction {why}" + ("" if failed else " Declare `targets` to have some.")}
    taken: set[str] = set()
    return {"targets": [_target(e, slug(e["target"], taken)) for e in entries]}


def _target(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    metric = QUALITY_IN_WORDS.get(entry["metric"].lower(), entry["metric"])
    learners: dict[str, dict[str, Any]] = {}
    for c in entry["cells"]:
        cell = {"text": number(c["value"]), "interval": span(_or(c["low"]), _or(c["high"])), "value": c["value"]}
        learners.setdefault(c["learner"], {})[_cell(c)] = cell
    gap = entry.get("gap")
    drawn = figure(
        "ladder",
        {**entry, "metric": metric},
        title=f"Predicting {entry['target']}: {metric} by learner",
        description=f"For each of {len(learners)} learners four values with intervals: trained and tested on real or "
        "synthetic rows. The table below holds the numbers.",
        caption="Each line is trained → tested. Circle: trained on real rows; diamond: on synthetic ones."
        + _guess(learners),
        key=f"ladder-{key}",
    )
    return {
        "target": entry["target"],
        "task": entry["task"],
        "metric": metric,
        "gap": None if not gap else {"text": number(gap["value"]), "interval": span(_or(gap["low"]), _or(gap["high"]))},
        "rows": [{"learner": name, "cells": [cells.get(c) for c in CELL_SCORES]} for name, cells in learners.items()],
        "heads": [name(c).label for c in CELL_SCORES],
        "figure": drawn,
    }


def _guess(learners: Mapping[str, Mapping[str, Any]]) -> str:
    floor = learners.get(GUESSING_LEARNER, {}).get("trtr")
    return f" Guessing, which is not drawn, reaches {floor['text']}." if floor else ""


def _cell(cell: Mapping[str, Any]) -> str:
    return f"t{cell['trained_on'][0]}t{cell['tested_on'][0]}"


def _or(x: float | None) -> float:
    return float("nan") if x is None else x


def sample_size(panels: Panels) -> Section | None:
    """The curve from which the equivalent sample size is read."""
    panel = panels.get("sample_size")
    if not panel or not panel.get("sizes"):
        return None
    return figure(
        "sample_size",
        panel,
        title="Equivalent sample size",
        description="Error of real samples, falling as they grow; the dashed line is the error of the synthetic rows"
        + (f", reached at about {number(panel['equivalent'], 'count')} rows." if panel.get("equivalent") else "."),
        caption="Solid: real samples of growing size. Dashed: the synthetic rows. They meet at the equivalent size.",
    )


def promise(statement: Mapping[str, Any]) -> Section | None:
    """The curve of epsilon and delta that a privacy statement promises."""
    curve = [point for point in statement["curve"] if point[1] > 0]
    if len(curve) < 2:
        return None
    return figure(
        "promise",
        {"curve": curve},
        title="What is promised, at every epsilon",
        description="Probability delta with which the promise may fail, falling as epsilon grows; the last point is "
        "the one that is stated.",
        caption="Each point of the line is a promise; all of them hold at once.",
    )


def mechanisms(ledger: Mapping[str, Any] | None) -> list[Section]:
    """Charges grouped by mechanism, and by whether a reserve had paid for them; in the order of the ledger."""
    found: dict[tuple[str, bool], Section] = {}
    for charge in (ledger or {}).get("charges") or []:
        key = charge["mechanism"], bool(charge.get("inside"))
        row = found.setdefault(key, {"mechanism": key[0], "inside": key[1], "times": 0, "what": []})
        row["times"] += charge["times"]
        row["what"] += [charge["what"]] if charge["what"] not in row["what"] else []
    return [
        {
            **row,
            "what": row["what"][0] if len(row["what"]) == 1 else f"{row['what'][0]} and {len(row['what']) - 1} more",
        }
        for row in found.values()
    ]


def rules(panels: Panels, validation: Mapping[str, Any] | None, draws: int = 1) -> Section:
    """Declared rules with their violations, and the validation of input and output."""
    declared = panels.get("rules")
    out: Section = {"rows": list(declared or []), "declared": declared is not None, "validation": []}
    labels = (("input", "Real rows"), ("output", f"Synthetic rows{'' if draws == 1 else ', first draw'}"))
    for key, label in labels:
        result = (validation or {}).get(key)
        if result is not None:
            out["validation"].append({"id": key, "label": label, **_validation(result)})
    return out


def _validation(result: Mapping[str, Any]) -> dict[str, Any]:
    """Counts and broken rules of a result in the format `synthkit-validation/1`; no row numbers."""
    broken = [
        {"columns": ", ".join(v["columns"]), "rule": v["rule"], "count": v["count"]} for v in result["violations"]
    ]
    return {
        "success": bool(result["success"]),
        "checks": result["checked"]["expectations"],
        "unchecked": len(result["unchecked"]),
        "broken": broken,
    }


def training(panels: Panels) -> Section:
    """The loss curve."""
    panel = panels.get("training")
    if not panel or not panel.get("steps"):
        return {"absent": "The model keeps no loss curve, or none was recorded."}
    last = panel["train"][-1]
    kept = f" The model of step {number(panel['best_step'], 'count')} was kept." if panel.get("best_step") else ""
    drawn = figure(
        "training",
        panel,
        title="Loss during training",
        description=f"Loss over {number(panel['steps'][-1], 'count')} steps, ending at {number(last)}.",
        caption="Solid: training rows, parts of which are hidden while the model learns, which may lift this line. "
        "Dashed: rows kept back, if any. A rising dashed line means learning by heart." + kept,
    )
    return {"figures": [drawn]}


def reproducibility(facts: Mapping[str, Any]) -> Section:
    """What is needed to repeat the run; no digest of the input, which would identify it."""
    plain = (
        "version",
        "command",
        "model",
        "why",
        "seed",
        "evaluation_seed",
        "quick",
        "date",
        "python",
        "platform",
        "hardware",
        "threads",
    )
    named = {"version": "synthkit", "why": "Chosen", "seed": "Root seed", "evaluation_seed": "Evaluation seed"}
    written = {True: "yes", False: "no"}
    rows = [
        (named.get(k, k.capitalize()), written[v] if isinstance(v, bool) else str(v))
        for k in plain
        if (v := facts.get(k)) is not None and not isinstance(v, Mapping)
    ]
    if isinstance(facts.get("hardware"), Mapping):
        rows += [(k.capitalize(), str(v)) for k, v in facts["hardware"].items() if v is not None]
    rows += [(str(k), str(v)) for k, v in (facts.get("packages") or {}).items()]
    steps = [(str(k), seconds(v)) for k, v in (facts.get("seconds") or {}).items() if isinstance(v, int | float)]
    config = facts.get("config")
    asked = {**config, "settings": facts.get("settings", config.get("settings"))} if isinstance(config, Mapping) else {}
    return {"rows": rows, "steps": steps, "config": _lines(asked)}


def stem(facts: Mapping[str, Any]) -> str:
    """Name of the source table without its folder and ending."""
    return PurePath(str(facts.get("source") or "table")).stem


def _lines(config: Mapping[str, Any], under: str = "") -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for key, value in config.items():
        out += _lines(value, f"{under}{key}.") if isinstance(value, Mapping) else [(f"{under}{key}", str(value))]
    return out
