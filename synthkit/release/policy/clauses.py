"""Every line a policy can have: where its limit stands, which figure it is held against, and in what sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synthkit.metrics.attacks.effect_size import of_attributes, of_copies, of_identities, of_membership
from synthkit.release.policy.gate_evidence import FoundFigure, GateEvidence, figure_of, worst_figure
from synthkit.release.policy.limits import Rate

if TYPE_CHECKING:
    from synthkit.metrics.result import Score
    from synthkit.release.policy.limits import Policy

PolicyLimit = float | Sequence[float]  # a number, True for what must be so, or the ends of an interval
Sense = Literal["upper", "proof", "alarm", "within", "most", "least", "yes"]

FigureSource = Callable[[GateEvidence, PolicyLimit], FoundFigure]


@dataclass(frozen=True, kw_only=True)
class PolicyClause:
    """One line.

    Args:
        path: where the limit stands in the policy.
        item: what it is about, in words.
        sense: `upper`: the interval must lie below the limit; `proof`: what is proven lost must not exceed it, and what
            the surest guesses leave room for must lie below; `alarm`: the interval must not lie above the limit, and
            if it does not nothing follows; `within`: the interval must lie in the limit's; `most`: the figure itself
            must not exceed it; `least`: it must not fall below; `yes`: what is asked must be so.
        evidence: instruments to which it is evidence for.
        find: the figure.
        of_linked: whether it is asked of linked tables alone.
    """

    path: str
    item: str
    sense: Sense
    evidence: str
    find: FigureSource
    of_linked: bool = False

    def limit(self, policy: Policy) -> PolicyLimit | None:
        """The limit as plain data, None if the policy does not ask."""
        at: object = policy
        for name in self.path.split("."):
            at = None if at is None else getattr(at, name)
        if isinstance(at, Rate):
            return at.max_upper
        if isinstance(at, bool):
            return at or None
        return list(at) if isinstance(at, tuple) else at if isinstance(at, int | float) else None


def _promised(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    if evidence.ledger is None:
        return FoundFigure(lacking="there is no ledger of what was spent")
    spent = evidence.epsilon
    return FoundFigure(measured=float("inf") if spent is None else spent)


def number_limit(limit: PolicyLimit) -> float:
    """A limit that is one number.

    Raises:
        TypeError: it is an interval.
    """
    if isinstance(limit, Sequence):
        msg = "a limit of this sense must be one number; however: it is an interval. Give one number"
        raise TypeError(msg)
    return limit


def interval_limit(limit: PolicyLimit) -> tuple[float, float]:
    """A limit that is an interval.

    Raises:
        TypeError: it is one number.
    """
    if not isinstance(limit, Sequence):
        msg = "a limit of this sense must be an interval; however: it is one number. Give both ends"
        raise TypeError(msg)
    low, high = limit
    return low, high


def _required(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    if evidence.statement is None or evidence.ledger is None:
        return FoundFigure(lacking="there is no privacy statement, or no ledger")
    return FoundFigure(measured=float(evidence.epsilon is not None))


def _whole(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    if evidence.statement is None or evidence.ledger is None:
        return FoundFigure(lacking="there is no privacy statement, or no ledger")
    return FoundFigure(measured=float(bool(evidence.statement.get("end_to_end_dp")) and evidence.epsilon is not None))


def _released(name: str) -> FigureSource:
    """The figure of that name over all releases of the table."""

    def find(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
        if evidence.releases is None:
            return FoundFigure(lacking="there is no register of releases, so earlier ones are not known")
        return FoundFigure(measured=float(evidence.releases[name]))

    return find


def _lost(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    return FoundFigure.of_attack(of_membership(evidence.evaluation))


def _caught(policy: Policy, evidence: GateEvidence) -> FoundFigure:
    rate = policy.membership.tpr_at_fpr if policy.membership else None
    metric = f"membership.tpr_at_fpr_{rate.fpr:g}" if rate else ""
    failures = evidence.failed(metric)
    if failures:
        return FoundFigure(lacking=f"it could not be measured: {failures[0]}")
    score = evidence.score(metric)
    if score is None:
        return figure_of(score, label=metric)
    return figure_of(score)._replace(detected=score.reference is not None and score.low > score.reference)


def _learned_by_heart(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    """The larger gap; it says nothing good where training rows and holdout differ by more than chance."""
    start = "membership.generalisation_gap"
    checks = (evidence.evaluation.panels.get("membership") or {}).get("checks") or []
    unsound = [check["name"] for check in checks if check["name"] in GAP_PRECONDITIONS and not check["holds"]]
    doubt = f"what it rests on does not hold ({', '.join(unsound)})" if unsound else ""
    found = worst_figure(evidence.among(start), "the generalisation gap", evidence.failed(start))
    return found if found.lacking else found._replace(doubt=doubt)


def _secrets(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    return FoundFigure.of_attack(of_attributes(evidence.evaluation))


def _found_again(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    return FoundFigure.of_attack(of_identities(evidence.evaluation))


def _copied(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    return FoundFigure.of_attack(of_copies(evidence.evaluation))


def _singled(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    scores = [evidence.score(f"identity.singling_out{part}") for part in ("", ".clearest")]
    there = [s for s in scores if s is not None and "p" in s.parts]
    if len(there) < len(scores):
        return FoundFigure(lacking="singling out was not measured")
    least = min(there, key=lambda s: s.parts["p"])
    return FoundFigure(measured=least.parts["p"], about=least.metric)


def _meaningful(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    said = (evidence.evaluation.panels.get("identity") or {}).get("meaningful")
    score = evidence.score("identity.meaningful")
    return (
        FoundFigure(lacking=str(said))
        if score is None and isinstance(said, str)
        else figure_of(score, label="meaningful identity disclosure")
    )


def _loss(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    return _against_real(evidence.among("utility.", ".gap"), "the loss of prediction", evidence)


def _groups(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    scores = evidence.among("utility.", ".worst_group_gap")
    return _against_real(scores, "the loss in groups of people", evidence)


def _against_real(scores: Sequence[Score], label: str, evidence: GateEvidence) -> FoundFigure:
    """The worst loss; where rows beat real ones beyond the interval the reference is weak, and no loss is small."""
    weak = [score.metric for score in evidence.among("utility.", ".gap") if score.beats_real]
    doubt = f"rows cannot teach more than real ones, so that the reference of {', '.join(weak)} is weak" if weak else ""
    return worst_figure(scores, label, evidence.failed("utility."))._replace(doubt=doubt)


def _slope(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    scores = evidence.among("utility.", ".calibration_slope")
    if not scores:
        return FoundFigure(lacking="the slope of calibration was not measured")
    low, high = interval_limit(limit)
    far = max(scores, key=lambda s: max(s.high - high, low - s.low))
    return figure_of(far)


def _pairs(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    """What pairs of columns lack against a real holdout; of linked tables in the table that lacks most."""
    failures = evidence.failed(*(f"fidelity.{name}" for name in evidence.tables))
    failed = [why for why in failures if why.partition(":")[0].removeprefix("fidelity.") in evidence.tables]
    if failed:
        return FoundFigure(lacking=f"pairs of columns could not be measured: {failed[0]}")
    names = [f"fidelity.{name}.tv2" for name in evidence.tables] or ["fidelity.tv2"]
    found = [score for name in names if (score := evidence.score(name)) is not None and score.reference is not None]
    if not found:
        return FoundFigure(lacking="tables of two columns were not held against a real holdout")
    return max((_shortfall(score) for score in found), key=lambda figure: figure.high or 0.0)


def _shortfall(score: Score) -> FoundFigure:
    r = score.reference or 0.0
    return FoundFigure(r - score.value, r - score.high, r - score.low, about=score.metric)


def _rules(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    score = evidence.score("fidelity.integrity" if evidence.tables else "fidelity.rule_violations")
    return (
        FoundFigure(lacking="no declared rule was checked")
        if score is None
        else FoundFigure(score.value, about=score.metric)
    )


def _broken(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    """The share of units with something broken, and in which table most rows are."""
    failures, score = evidence.failed("fidelity.integrity"), evidence.score("fidelity.integrity")
    if failures or score is None:
        return FoundFigure(lacking="keys, links, order and rules were not measured" + _because(failures))
    worst = max(score.parts.items(), key=lambda part: part[1], default=("", 0.0))
    return FoundFigure(score.value, about=f"{score.metric}, {worst[0]}" if worst[1] > 0 else score.metric)


def _because(failures: Sequence[str]) -> str:
    return f": {failures[0]}" if failures else ""


def _controls(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    """As many as were asked, if there are: how many more is nobody's business to whom the gate is shown."""
    return FoundFigure(measured=float(min(evidence.controls, number_limit(limit))))


def _draws(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    return FoundFigure(measured=float(evidence.draws))


def _not_quick(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    return FoundFigure(measured=float(not evidence.evaluation.run.get("quick", True)))


def _age(evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    made = evidence.made
    if made is None:
        return FoundFigure(lacking="the evaluation does not say when it was made")
    if made > evidence.today:
        return FoundFigure(lacking="the evaluation says that it was made in the future")
    return FoundFigure(measured=float((evidence.today - made).days))


def _clause(
    path: str, item: str, sense: Sense, evidence: str, find: FigureSource, *, of_linked: bool = False
) -> PolicyClause:
    return PolicyClause(path=path, item=item, sense=sense, evidence=evidence, find=find, of_linked=of_linked)


CLAUSE_OF_TPR = "membership.tpr_at_fpr"
GAP_PRECONDITIONS = ("the split looks random", "the holdout was held out")  # of attacks on membership
MEASURED_CLAUSES = (
    "membership.",
    "attribute.",
    "identity.",
    "copying.",
    "utility.",
    "fidelity.",
    "evidence.min_control_units",
)
SIBLING_DOES_NOT_COUNT = (
    "what is released was fitted to all people after a sibling of it, fitted to a part of them, had been measured; "
    "`evidence.sibling_audit` of the policy does not let that count"
)
POLICY_CLAUSES: Sequence[PolicyClause] = (
    _clause("dp.required", "Privacy budget", "yes", "NIST SP 800-226", _required),
    _clause("dp.epsilon_max", "Epsilon spent", "most", "NIST SP 800-226", _promised),
    _clause("dp.end_to_end", "Everything that leaves is covered", "yes", "NIST SP 800-226", _whole),
    _clause(
        "releases.epsilon_max", "Epsilon of all releases of the table", "most", "NIST SP 800-226", _released("epsilon")
    ),
    _clause("releases.number_max", "Releases of the table", "most", "NIST SP 800-226", _released("number")),
    _clause("membership.eps_lb_max", "Epsilon shown to be lost", "proof", "ISO/IEC 27559 8.2.3", _lost),
    _clause(
        CLAUSE_OF_TPR,
        "Members found among few false alarms",
        "upper",
        "ISO/IEC 27559 8.2.3",
        lambda e, limit: FoundFigure(),
    ),
    _clause(
        "membership.generalisation_gap_max",
        "Nearer to the rows trained on than to rows held out",
        "upper",
        "ISO/IEC 27559 8.2.3",
        _learned_by_heart,
    ),
    _clause("attribute.excess_max_upper", "Secrets learned of members", "upper", "WP29 05/2014, inference", _secrets),
    _clause("identity.excess_max_upper", "Members found again", "upper", "WP29 05/2014, linkability", _found_again),
    _clause("identity.singling_p_min", "Singling out by chance alone", "least", "WP29 05/2014, singling out", _singled),
    _clause(
        "identity.meaningful_identity_max", "Meaningful identity disclosure", "upper", "EMA Policy 0070", _meaningful
    ),
    _clause("copying.people_max", "People trained on who are copied", "alarm", "WP29 05/2014, singling out", _copied),
    _clause("utility.margin", "Loss by training on synthetic rows", "upper", "ISO/IEC 5259-2", _loss),
    _clause("utility.calibration_slope", "Slope of calibration", "within", "ISO/IEC 5259-2", _slope),
    _clause("utility.subgroup_margin", "Loss in the worst group", "upper", "EU AI Act 10(5)", _groups),
    _clause(
        "fidelity.tv2_shortfall_max", "Tables of two columns, short of real rows", "upper", "ISO/IEC 5259-2", _pairs
    ),
    _clause("fidelity.constraint_violations_max", "Rows that break a rule", "most", "ISO/IEC 5259-2", _rules),
    _clause(
        "fidelity.broken_units_max",
        "Units with a broken key, link, order or rule",
        "most",
        "ISO/IEC 5259-2",
        _broken,
        of_linked=True,
    ),
    _clause(
        "evidence.min_control_units", "People not in the data, as controls", "least", "ISO/IEC 27559 8.2", _controls
    ),
    _clause("evidence.draws", "Draws that were measured", "least", "ISO/IEC 27559 8.2", _draws),
    _clause("evidence.whole", "A whole evaluation", "yes", "ISO/IEC 27559 8.2", _not_quick),
    _clause("evidence.review_within_days", "Days since the evaluation", "most", "ISO/IEC 27559 8.3.4", _age),
)


def asked_clauses(policy: Policy, *, linked: bool) -> Mapping[str, tuple[PolicyClause, PolicyLimit]]:
    """What a policy asks of one table or of linked ones: clause and limit by where they stand in the policy."""
    return {
        clause.path: (clause, limit)
        for clause in POLICY_CLAUSES
        if (linked or not clause.of_linked) and (limit := clause.limit(policy)) is not None
    }


def find_figure(clause: PolicyClause, policy: Policy, evidence: GateEvidence, limit: PolicyLimit) -> FoundFigure:
    """What a clause is held against; a measurement of a sibling counts only if the policy says so."""
    measured = clause.path.startswith(MEASURED_CLAUSES)
    if measured and evidence.of_sibling and not policy.evidence.sibling_audit:
        return FoundFigure(lacking=SIBLING_DOES_NOT_COUNT)
    return _caught(policy, evidence) if clause.path == CLAUSE_OF_TPR else clause.find(evidence, limit)
