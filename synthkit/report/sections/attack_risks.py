"""The section on disclosure attacks: verdicts, what they rest on, and every figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from synthkit.report.attack_verdicts import AttackVerdict, OverallVerdict, overall_verdict
from synthkit.report.audience import rough_count
from synthkit.report.context import ReportContext
from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number, span
from synthkit.report.panel_types import AttackedUnitsPanel, GeneralisationPanel, MembershipPanel, Panels
from synthkit.report.records import Figure, ScoreRow, figure
from synthkit.report.section_spec import SectionSpec
from synthkit.report.split_description import describe_split

MEMBERSHIP_DESIGNS = {
    "coins": "A fair coin, thrown before the fit, decided for each of these people whether they were trained on.",
    "pairs": "People of the training rows and of the holdout were paired at random: this holds if somebody split the "
    "table at random, and it is about exchanging one person for another, which costs up to twice as much epsilon.",
}
MEMBERSHIP_TESTS = {  # by the names they have in the panel
    "all, all attacks": "all attacks together, on everybody",
    "all, few guesses": "the surest guesses about few people",
    "isolated, all attacks": "all attacks together, on unusual people",
    "isolated, few guesses": "the surest guesses about few unusual people",
}
BLIND_SPOTS = (
    "Attacks see values as they stand. Rows under a recoding (columns exchanged, shifted, scaled or ciphered) are not "
    "recognised, nor is a secret written into digits that no attack reads.",
    "Copies are sought by whole rows and by a few sets of columns; a copy by other columns, or of people who share "
    "these values with others, shows nowhere.",
    "What no attack here finds a better one may find; only a budget bounds what all of them find.",
)
ATTACK_TITLES = {
    "membership": "Membership: who was in the data",
    "attribute": "Attributes: what is learned about a person",
    "identity": "Identity: who is singled out, matched or linked",
}


class AttackTable(TypedDict):
    """Every score of one kind of attack."""

    id: str
    title: str
    rows: list[ScoreRow]


class MembershipCheck(TypedDict):
    """A precondition, in words."""

    name: str
    holds: bool
    measured: str
    limit: str
    words: str


class MembershipTest(TypedDict):
    """A test and its probability."""

    name: str
    p: str


class MembershipBasis(TypedDict):
    """What the verdict on membership rests on."""

    design: str
    units: str
    checks: list[MembershipCheck]
    tests: list[MembershipTest]


class RisksData(TypedDict, total=False):
    """Verdicts, tables and figures, or the sentence that says why there are none."""

    whole: OverallVerdict | None
    verdicts: list[AttackVerdict]
    tables: list[AttackTable]
    membership: MembershipBasis | None
    unassessed: list[str]
    gaps: DataTable | None
    people: list[str]
    blind: list[str]
    absent: str
    figures: list[Figure]


def _data(context: ReportContext) -> RisksData:
    """A verdict for each kind of attack, what that on membership rests on, every figure."""
    panels = context.panels
    figures = [*_roc(panels), *_epsilons(panels, context.epsilon)]
    scores = {kind: context.score_rows(kind) for kind in ATTACK_TITLES}
    tables: list[AttackTable] = [
        {"id": kind, "title": title, "rows": scores[kind]} for kind, title in ATTACK_TITLES.items() if scores[kind]
    ]
    if not tables:
        return {"absent": "No attack was run.", "figures": figures}
    panel = panels.get("membership")
    return {
        "whole": overall_verdict(context.attacked) if context.attacked else None,
        "verdicts": list(context.attacked),
        "tables": tables,
        "membership": None if panel is None else _membership(panel),
        "unassessed": _unassessed(panels.get("identity") or {}),
        "gaps": _gaps(panels.get("generalisation")),
        "people": [*describe_split(context.facts), *_people(panels.get("people"))],
        "blind": list(BLIND_SPOTS),
        "figures": figures,
    }


def _shareable(data: RisksData) -> RisksData:
    """The verdicts with the bound that decides, and what they rest on; no single figure of an attack."""
    if data.get("absent"):
        return data
    basis = data["membership"]
    verdicts: list[AttackVerdict] = [
        {**each, "effect": each["bounds"], "low": None, "high": None, "advice": ""} for each in data["verdicts"]
    ]
    return {
        **data,
        "tables": [],
        "figures": [],
        "gaps": None,
        "membership": None if basis is None else _shareable_basis(basis),
        "people": [],
        "verdicts": verdicts,
    }


def _shareable_basis(basis: MembershipBasis) -> MembershipBasis:
    checks: list[MembershipCheck] = [{**check, "measured": "—", "limit": "—"} for check in basis["checks"]]
    return {**basis, "checks": checks, "tests": [], "units": rough_count(basis["units"])}


def _people(panel: AttackedUnitsPanel | None) -> list[str]:
    """Who is attacked and who is not, in sentences from the split.

    Example:
        >>> _people({"trained_on": 70, "attacked_trained_on": 20, "attacked_held_out": 21, "reference": 0,
        ...     "held_out": 21})[1]
        'The other 50 trained on are not attacked: synthetic rows are held against theirs for copies only.'
    """
    if panel is None:
        return []
    trained, mine = panel["trained_on"], panel["attacked_trained_on"]
    theirs, held = panel["attacked_held_out"], panel["held_out"]
    lines = [f"Attacked are {mine:,} of the {trained:,} people trained on, beside {theirs:,} of {held:,} held out."]
    if trained > mine:
        lines.append(
            f"The other {trained - mine:,} trained on are not attacked: synthetic rows are held against theirs for "
            "copies only."
        )
    if panel["reference"]:
        lines.append(f"{panel['reference']:,} people held out are what attackers know of the population.")
    return lines


def _unassessed(panel: Mapping[str, object]) -> list[str]:
    """What about identities was not measured and why: the panel holds a sentence in its place."""
    names = {"keys": "Unique people and groups by quasi-identifiers", "meaningful": "Meaningful identity disclosure"}
    return [f"{name}: {panel[key]}" for key, name in names.items() if isinstance(panel.get(key), str)]


def _membership(panel: MembershipPanel) -> MembershipBasis:
    return {
        "design": MEMBERSHIP_DESIGNS[panel["design"]],
        "units": f"{panel['units']:,}",
        "checks": [
            {
                "name": check["name"],
                "holds": check["holds"],
                "measured": number(check["measured"]),
                "limit": number(check["limit"]),
                "words": check["words"],
            }
            for check in panel["checks"]
        ],
        "tests": [{"name": MEMBERSHIP_TESTS.get(name, name), "p": number(p)} for name, p in panel["p"].items()],
    }


def _gaps(panel: GeneralisationPanel | None) -> DataTable | None:
    """Likeness to the rows trained on beside likeness to rows held out, and what real rows reach of each other."""
    if panel is None:
        return None
    rows = [
        [
            f"{gap['ways']} columns at a time\nBy chance alone as large with probability {number(gap['p'])}.",
            number(gap["train"]),
            number(gap["holdout"]),
            number(gap["floor"]),
            f"{number(gap['gap'])} {span(gap['low'], gap['high'])}",
        ]
        for gap in panel["gaps"]
    ]
    heads = ["Tables of", "#Synthetic to training", "#Synthetic to holdout", "#Training to holdout", "#Gap"]
    caption = (
        f"Generalisation gap: likeness of tables (1 - mean TV), about {panel['rows']:,} rows of each. The gap is that "
        "to training less that to holdout, give or take what exchanging people between the two shows; 0 is no copying."
    )
    return data_table(caption, heads, rows)


def _roc(panels: Panels) -> list[Figure]:
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


def _epsilons(panels: Panels, epsilon: float | None) -> list[Figure]:
    """The epsilon of the privacy terms beside what attacks prove lost, where there is a budget."""
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


ATTACK_RISKS = SectionSpec(id="risk", title="Privacy risk: what attackers gain", data=_data, shareable=_shareable)
