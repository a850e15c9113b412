"""What analysts would find and attackers reach, as figures of the page: effects, survival, risks, groups, odds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthkit.report.labels import number, slug, span
from synthkit.report.sections.facts import Section, figure

Panels = Mapping[str, Any]
WHOM = {"fidelity": "Likeness of the group's rows", "utility": "Loss of prediction in the group"}


def analyses(panels: Panels) -> list[dict[str, Any]]:
    """Figures on what would be concluded from the synthetic rows, by target."""
    drawn = []
    for panel, draw in (("survival", _survival), ("effects", _effects), ("calibration", _reliability)):
        taken: set[str] = set()
        drawn += [draw(entry, slug(entry["target"], taken)) for entry in panels.get(panel) or []]
    return drawn


def _survival(entry: Mapping[str, Any], key: str) -> Section:
    return figure(
        "survival",
        entry,
        title=f"Time to {entry['event']}: real and synthetic rows",
        description="Two Kaplan-Meier curves with their bands; where the bands part, the rows tell another course. The "
        "scores below hold the distance between the curves.",
        caption="Kaplan-Meier. Solid: real rows. Dashed: synthetic rows. Bands of 95 %, as if each table stood alone.",
        key=f"survival-{key}",
    )


def _effects(entry: Mapping[str, Any], key: str) -> Section:
    same = number(entry["same sign"], "share")
    return figure(
        "forest",
        entry,
        title=f"Effects on {entry['target']}: real and synthetic rows",
        description=f"For {len(entry['names'])} columns or levels one estimate and interval from real rows and one "
        f"from synthetic rows; {same} have the same sign.",
        caption="Circle: estimated from real rows. Diamond: from synthetic rows. Intervals of 95 % treat rows as "
        "independent.",
        key=f"forest-{key}",
    )


def _reliability(entry: Mapping[str, Any], key: str) -> Section:
    return figure(
        "reliability",
        entry,
        title=f"Predicted and observed risk: {entry['target']}",
        description="Tenths of the predictions on real people: on the dashed line what is predicted comes true.",
        caption="Both models are tested on real people. Circle: trained on real rows. Diamond: on synthetic rows.",
        key=f"reliability-{key}",
    )


def groups(panels: Panels) -> list[dict[str, str]]:
    """A line for each group of people and measure; groups that are too small are named and not measured."""
    out = []
    for entry in panels.get("subgroups") or []:
        target = f": {entry['target']}" if entry.get("target") else ""
        line = {"group": entry["group"], "what": WHOM.get(entry["measure"], entry["measure"]) + target}
        if entry["suppressed"]:
            out.append({**line, "units": "few", "text": "not measured", "interval": "", "reference": ""})
            continue
        value = entry.get("similarity", entry.get("gap"))
        out.append(
            {
                **line,
                "units": f"{entry['units']:,}",
                "text": number(value),
                "interval": span(entry["low"], entry["high"]),
                "reference": number(entry.get("reference")),
            }
        )
    return out


def attacks(panels: Panels) -> list[Section]:
    """The curve of all attacks together."""
    panel = panels.get("membership")
    if not panel or not panel.get("roc"):
        return []
    return [
        figure(
            "attack_roc",
            panel,
            title="Members found against false alarms",
            description="Both axes are logarithmic; on the dashed line an attack does as well as guessing. Far left "
            "stand the few people of whom it is surest.",
            caption="All attacks together. Left of 1 % few people are accused; a curve above the dashed line there "
            "means that some can be found for sure.",
            key="attack-roc",
        )
    ]


def promised(panels: Panels, epsilon: float | None) -> list[Section]:
    """What was promised beside what was shown, where there is a promise."""
    panel = panels.get("membership")
    if epsilon is None or not panel:
        return []
    least = max(each["epsilon_lower_bound"] for each in panel["strata"].values())
    return [
        figure(
            "epsilons",
            {"promised at most": epsilon, "shown at least": least},
            title="Epsilon: promised at most and shown at least",
            description=f"The promise is {number(epsilon)}; the attacks prove that at least {number(least)} was lost. "
            "A promise below what is shown would be broken.",
            caption="Attacks bound the loss from below, the promise from above; between them nothing is known.",
            key="epsilons",
        )
    ]
