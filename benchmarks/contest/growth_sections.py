"""Growth with rows and one GPU, as sections of the page; empty where nothing is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import json_files
from benchmarks.contest.device_checks import said
from benchmarks.measure.results import QUIET

LINEAR, MEMORY, MINUTE = 1.05, 8 * 1024, 60.0  # exponent, MiB of a fit, seconds for a million rows
PATIENCE = {"diffusion": 15 * 60.0}  # who may take longer for a million rows
ASKED_OF_GPU = {  # diffusion on adult: limit, and whether it is an upper one
    "fit, s": (120.0, True),
    "shape error": (0.007, True),
    "trend error": (0.016, True),
    "XGBoost score": (0.84, False),
}


def word(number: float, limit: float, *, below: bool = True) -> str:
    """Met or not.

    Example:
        >>> word(1.02, 1.05), word(1.2, 1.05), word(0.9, 0.84, below=False)
        ('met', '**not met**', 'met')
    """
    return "met" if (number <= limit if below else number >= limit) else "**not met**"


def growth(found: Mapping[str, Any]) -> list[str]:
    """CPU seconds by size, the exponent, and memory."""
    head = "| model | table | rows | threads | encode | one epoch | sample | sample, wall s | peak MiB | others |"
    out = [head, "|---" * 10 + "|"]
    for x in sorted(found["lines"], key=lambda x: (x["model"], x["table"], x["rows"], x.get("threads", 1))):
        seconds = " | ".join(f"{x[part]:,.1f}" for part in ("encode", "epoch", "sample", "sample_wall"))
        out.append(
            f"| {x['model']} | {x['table']} | {x['rows']:,} | {x.get('threads', 1)} | {seconds} | {x['peak_mib']:,} "
            f"| {x['others']:.2f} |"
        )
    out.append("")
    for e in found["exponents"]:
        said = word(e["exponent"], LINEAR)
        out.append(
            f"- {e['model']}, {e['table']}: exponent {e['exponent']:.2f} over {e['sizes']} sizes, ≤ {LINEAR}: {said}"
        )
    out += [f"- {line}" for x in found["lines"] for line in limits(x)]
    return out


def limits(x: Mapping[str, Any]) -> list[str]:
    """What is asked of a fit's memory, and of a million rows."""
    threads = x.get("threads", 1)
    where = f"{x['model']}, {x['table']}, {x['rows']:,} rows, {threads} thread(s)"
    out = []
    if x["peak_mib"] > MEMORY:
        out.append(f"{where}: {x['peak_mib']:,} MiB, ≤ {MEMORY:,}: **not met**")
    if x["rows"] >= 1_000_000:
        limit = PATIENCE.get(x["model"], MINUTE)
        on_wall = threads > 1 and x["others"] < QUIET
        took, unit = (x["sample_wall"], "s on the wall") if on_wall else (x["sample"], "CPU s")
        out.append(f"{where}: drawn in {took:.0f} {unit}, ≤ {limit:.0f}: {word(took, limit)}")
    return out


def one_gpu(found: Mapping[str, Any]) -> list[str]:
    """Seconds and scores by cell, and what is asked of diffusion on adult."""
    out = [
        f"{found['device']}, {found['machine']['cores']} cores, torch {found['machine']['torch']}.\n",
        "| model | table | fit, s | rows/s | GPU MiB | C2ST | shape error | trend error | XGBoost score |",
        "|---" * 9 + "|",
    ]
    for made in found["cells"]:
        figures = figures_of(made)
        rate = made["sample"]["rows"] / made["sample"]["wall"]
        shown = [f"{figures['fit, s']:.1f}", f"{rate:,.0f}", f"{made['gpu_peak_mib']:,}"]
        names = ("C2ST", "shape error", "trend error", "XGBoost score")
        shown += [f"{figures[name]:.4f}" if name in figures else "–" for name in names]
        out.append(f"| {made['who']} | {made['table']} | " + " | ".join(shown) + " |")
    out += [""] + [
        f"- {made['who']}, adult, {name}: {figures_of(made)[name]:.4g}, {'≤' if below else '≥'} {limit:g}: "
        + word(figures_of(made)[name], limit, below=below)
        for made in found["cells"]
        if made["who"].startswith("diffusion@") and made["table"] == "adult"
        for name, (limit, below) in ASKED_OF_GPU.items()
        if name in figures_of(made)
    ]
    out += [said(check) for check in found.get("checks", {}).values()]
    if found["not_begun"]:
        out.append(f"- Not begun for want of time: {', '.join(found['not_begun'])}.")
    return out


def figures_of(made: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a cell by the names above; scores only where it was scored."""
    out = {"fit, s": float(made["fit"]["wall"])}
    if "scored" in made:
        theirs, scores = made["scored"]["sdmetrics"], made["scored"]["scores"]
        out |= {
            "C2ST": float(scores["fidelity.c2st"]["value"]),
            "shape error": 1 - theirs["shape"],
            "trend error": 1 - theirs["trend"],
            "XGBoost score": theirs["xgboost_detection"],
        }
    return out


def sections(folder: Path) -> Sequence[str]:
    """The sections there are files for."""
    out: list[str] = []
    for title, name, say in (
        ("Growth with rows, CPU seconds", "scaling", growth),
        ("One GPU", "gpu", one_gpu),
    ):
        path = folder / f"{name}.json"
        if path.exists():
            out += ["", f"### {title}", "", *say(json_files.read(path))]
    return out
