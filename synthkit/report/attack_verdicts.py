"""Verdicts on attacks: what those of each kind reach, held against a limit, in words for no statistician."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict

from synthkit.metrics.attacks.effect_grade import DEFAULT_EFFECT_LIMITS, GRADE_SIGNS, Grade, Limit
from synthkit.metrics.attacks.effect_size import EFFECTS, SCORE_OF_STRATUM, Effect, share_of
from synthkit.report.labels import name, subject

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation
    from synthkit.report.inputs import GateJson

ATTACK_KINDS = {"membership": "Membership", "attribute": "Attributes", "identity": "Identity", "copying": "Copies"}
ATTACK_CLAUSES = {  # of a policy, with its limit on each kind of attack
    "membership": "membership.eps_lb_max",
    "attribute": "attribute.excess_max_upper",
    "identity": "identity.excess_max_upper",
    "copying": "copying.people_max",
}
GRADE_STYLES = {Grade.NONE: "pass", Grade.BELOW: "pass", Grade.ABOVE: "fail", Grade.OPEN: "inconclusive"}
NOT_ASSESSED = "not assessed"
SUREST_TENTH = 10  # one person in so many is guessed where many are attacked
NOTHING_FOUND = "Nothing was found, which is no evidence of privacy"
ONLY_A_BUDGET = "Only a budget bounds what better attacks could reach"
COSTS_LIKENESS = "It costs likeness: “synthkit plan” says how much, before a row is read"


class AttackVerdict(TypedDict):
    """What the attacks of one kind reach, held against a limit; ends of the interval where it was measured."""

    room: str
    title: str
    about: str
    bound: float
    grade: str
    sign: str
    look: str
    words: str
    effect: str
    bounds: str
    low: NotRequired[float | None]
    high: NotRequired[float | None]
    limit: str
    advice: str


class OverallVerdict(TypedDict):
    """The verdict on privacy as a whole."""

    grade: str
    sign: str
    look: str
    words: str


def attack_limits(gate: GateJson | None) -> dict[str, Limit]:
    """The limit on each kind of attack: the policy's, or the stated default where no policy sets one.

    Example:
        >>> attack_limits(None)["membership"].value
        1.0
    """
    if gate is None:
        return dict(DEFAULT_EFFECT_LIMITS)
    limits = {line["clause"]: line["limit"] for line in gate["lines"]}
    source = f"policy {gate['policy']['id']}"
    set_by_policy = {
        room: Limit(limit, source)
        for room, clause in ATTACK_CLAUSES.items()
        if isinstance(limit := limits.get(clause), int | float)
    }
    return {room: set_by_policy.get(room, default) for room, default in DEFAULT_EFFECT_LIMITS.items()}


def attack_verdicts(evaluation: Evaluation, gate: GateJson | None = None) -> list[AttackVerdict]:
    """One verdict for each kind of attack: its grade, the effect in people, the limit, and what to do."""
    allowed = attack_limits(gate)
    return [_verdict(room, EFFECTS[room](evaluation), allowed[room], evaluation) for room in ATTACK_KINDS]


def verdict_sentences(verdict: AttackVerdict) -> str:
    """A verdict in a few sentences, without its kind."""
    grade = verdict["grade"].capitalize()
    return " ".join(filter(None, (f"{grade}.", verdict["effect"], verdict["limit"], verdict["advice"])))


def _verdict(room: str, effect: Effect, limit: Limit, evaluation: Evaluation) -> AttackVerdict:
    grade = effect.against(limit.value)
    if grade is None:
        return _not_assessed(room, effect, limit)
    describe = {"membership": _of_membership, "copying": _of_copies}.get(room, _of_excess)
    sentence, allowed, size = describe(evaluation, effect, limit)
    return {
        "room": room,
        "title": ATTACK_KINDS[room],
        "about": effect.about,
        "bound": limit.value,
        "grade": grade.value,
        "sign": GRADE_SIGNS[grade],
        "look": GRADE_STYLES[grade],
        "words": f"{ATTACK_KINDS[room]}: {grade.value}",
        "effect": sentence,
        "bounds": _bounds(room, grade, effect),
        "low": effect.low,
        "high": effect.high,
        "limit": f"The limit is {allowed} ({limit.source}).",
        "advice": _advice(grade, effect, limit, size),
    }


def _not_assessed(room: str, effect: Effect, limit: Limit) -> AttackVerdict:
    return {
        "room": room,
        "title": ATTACK_KINDS[room],
        "about": effect.about,
        "bound": limit.value,
        "grade": NOT_ASSESSED,
        "sign": "–",
        "look": "not-assessed",
        "words": f"{ATTACK_KINDS[room]}: {NOT_ASSESSED}",
        "effect": f"Why: {effect.lacking}.",
        "bounds": "",
        "limit": "",
        "advice": "Nothing is known of it, and nothing follows from that.",
    }


def _of_membership(evaluation: Evaluation, effect: Effect, limit: Limit) -> tuple[str, str, str]:
    """Of the surest guesses so many are right: of the stratum that leaves most room."""
    allowed = f"{100 * share_of(limit.value):.0f} of 100, or epsilon {limit.value:g}"
    lost = f" Attacks prove that an epsilon of {effect.value:.2g} was lost at least." if effect.value > 0 else ""
    found = {s.metric: s for s in evaluation.scores}
    counted = [(room, found[f"{room}.surest"]) for room in SCORE_OF_STRATUM.values() if f"{room}.surest" in found]
    if not counted:
        return f"The surest guesses were not counted.{lost}", allowed, ""
    room, at = max(counted, key=lambda each: each[1].high)
    panel = evaluation.panels["membership"]
    guesses, right = int(at.parts["guesses"]), int(at.parts["right"])
    unusual = "unusual " if room == SCORE_OF_STRATUM["isolated"] else ""
    whom = (
        f"{guesses:,} {unusual}pairs of a person trained on and one who was not of which attackers are surest, they "
        f"name the right one in {right:,}"
        if panel["design"] == "pairs"
        else f"{guesses:,} {unusual}people of whom attackers are surest, {right:,} had been trained on"
    )
    sentence = (
        f"Of the {whom}: {100 * at.value:.0f} of 100, where guessing gives 50 (95 % confidence: {100 * at.low:.0f} to "
        f"{100 * at.high:.0f}).{lost}"
    )
    factor = _more(at.value, at.low, at.high, share_of(limit.value))
    people = 2 if panel["design"] == "pairs" else 1
    needed = (
        ""
        if factor is None
        else _about(guesses * factor * SUREST_TENTH * people * (2 if unusual else 1), panel["units"])
    )
    return sentence, allowed, needed


def _of_excess(evaluation: Evaluation, effect: Effect, limit: Limit) -> tuple[str, str, str]:
    """So many of 100 members, and so many of 100 people who were not in the data: the difference is the effect."""
    at = next(s for s in evaluation.scores if s.metric == effect.about)
    about = subject(at.metric)
    label = name(at.metric).label + (f" ({about})" if about else "")
    sentence = (
        f"Worst of its kind is “{label}”: true of {_hundred(at.parts, 'members')} of 100 people trained on and of "
        f"{_hundred(at.parts, 'non-members')} of 100 who were not. Their rows account for {_tenths(at.value)} of 100 "
        f"(95 % confidence: {_tenths(at.low)} to {_tenths(at.high)})."
    )
    factor = _more(at.value, at.low, at.high, limit.value)
    units = (evaluation.panels.get("membership") or {}).get("units")
    needed = "" if factor is None or units is None else _about(units * factor, units)
    return sentence, f"{100 * limit.value:g} of 100", needed


def _of_copies(evaluation: Evaluation, effect: Effect, limit: Limit) -> tuple[str, str, str]:
    """So many people trained on have a copy, where people held out show so many: the difference is the effect."""
    entries = (evaluation.panels.get("copying") or {}).get("excess") or []
    entry = next((each for each in entries if effect.about.endswith(f".{each['set']}")), None)
    counted = ""
    if entry is not None:
        (hits, trained), (others, held) = entry["trained"], entry["held"]
        counted = (
            f"By {subject(effect.about)}, {hits:,} of {trained:,} people trained on who can be told by it have a copy "
            f"among the synthetic rows, and {others:,} of {held:,} held out. "
        )
    proven = f"At least {1000 * effect.low:.1f} of 1,000 people trained on are copied (95 % confidence)."
    return f"{counted}{proven}", f"{1000 * limit.value:g} of 1,000", ""


def overall_verdict(found: Sequence[AttackVerdict]) -> OverallVerdict:
    """The verdict on privacy as a whole: that of the evidence that weighs most, whatever the rest says.

    Copies can only make it worse: where none are found the others decide.
    """
    heaviest = worst_verdict(found)
    titles = [each["title"] for each in found if each["grade"] == heaviest["grade"]]
    about = "" if len(titles) == len(found) else f" ({', '.join(titles)})"
    words = f"Privacy on the whole: {heaviest['grade']}{about}"
    return {"grade": heaviest["grade"], "sign": heaviest["sign"], "look": heaviest["look"], "words": words}


def _bounds(room: str, grade: Grade, effect: Effect) -> str:
    """The effect as the bound that decides, for those who may see no more."""
    above = grade is Grade.ABOVE
    end, words, away = (effect.low, "At least", math.floor) if above else (effect.high, "At most", math.ceil)
    if not math.isfinite(end):
        return ""
    if room == "copying":
        found = grade is not Grade.NONE
        return (
            f"At least {1000 * effect.low:.1f} of 1,000 people trained on are copied." if found else f"{NOTHING_FOUND}."
        )
    if room == "membership":
        right = away(round(100 * share_of(end), 6))
        return f"{words} {right} of 100 of the surest guesses are right, where guessing gives 50."
    return f"{words} {away(round(1000 * end, 6)) / 10:g} of 100 people are concerned because of their rows."


def _tenths(share: float) -> str:
    """Of 100 people, to one digit behind the point."""
    return f"{100 * share:.1f}".replace("-", "−")


def _hundred(parts: Mapping[str, float], key: str) -> str:
    return f"{100 * parts[key]:.1f}" if key in parts else "some"


def _more(value: float, low: float, high: float, limit: float) -> float | None:
    """How many times as many people an interval needs that ends at the limit, for its width goes as one over root n."""
    gap, half = (limit - value, high - value) if value < limit else (value - limit, value - low)
    return (half / gap) ** 2 if gap > 0 and math.isfinite(half) and half > gap else None


def _about(people: float, now: int) -> str:
    """A number of people in one figure; empty if it is no more than there are now, or nobody has so many."""
    one = 10.0 ** math.floor(math.log10(max(people, 1)))
    needed = round(math.ceil(people / one) * one)
    return f"about {needed:,} people instead of {now:,}" if now < needed < 1e9 else ""


def _advice(grade: Grade, effect: Effect, limit: Limit, needed: str) -> str:
    """What to do."""
    if grade is Grade.NONE and effect.is_alarm:
        return f"{NOTHING_FOUND}. {ONLY_A_BUDGET}."
    if grade is Grade.NONE:
        return f"Nothing needs to be done at this limit. {ONLY_A_BUDGET}."
    if grade is Grade.BELOW:
        return (
            "It can be told from chance, and is less than the limit allows. If that is too much for those who get the "
            f"rows, fit under a budget (--epsilon), which bounds every attack. {COSTS_LIKENESS}."
        )
    if grade is Grade.ABOVE:
        return f"Do not release these rows at this limit. Fit under a budget (--epsilon) instead. {COSTS_LIKENESS}."
    if effect.doubt:
        return f"Nothing can be concluded: {effect.doubt}. Mend that and evaluate again, or fit under a budget."
    most = f"attack more people: {needed}, if the share stays" if needed else "attack more people"
    return (
        f"The limit lies inside the interval. To settle it, {most}; or fit under a budget (--epsilon). "
        f"{COSTS_LIKENESS}."
    )


def worst_verdict(found: Sequence[AttackVerdict]) -> AttackVerdict:
    """The verdict that weighs most: above the limit, then not assessed, inconclusive, detectable, no evidence."""
    order = [Grade.ABOVE.value, NOT_ASSESSED, Grade.OPEN.value, Grade.BELOW.value, Grade.NONE.value]
    return min(found, key=lambda verdict: order.index(verdict["grade"]))
