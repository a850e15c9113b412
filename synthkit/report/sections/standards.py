"""The section on law and standards: which measurement is evidence for which; no figure satisfies one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from synthkit.report import privacy_claim
from synthkit.report.context import ReportContext
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.attack_risks import ATTACK_RISKS
from synthkit.report.sections.copying_diagnostics import COPYING_DIAGNOSTICS
from synthkit.report.sections.decision import DECISION
from synthkit.report.sections.fidelity_scores import FIDELITY_SCORES
from synthkit.report.sections.group_results import GROUP_RESULTS
from synthkit.report.sections.predictive_utility import PREDICTIVE_UTILITY
from synthkit.report.sections.privacy_terms_section import PRIVACY_TERMS
from synthkit.report.sections.scope import SCOPE

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation
    from synthkit.report.inputs import StatementJson

LINKED_SECTIONS = {
    spec.id: spec.shareable is not None
    for spec in (
        *(DECISION, SCOPE, ATTACK_RISKS, PRIVACY_TERMS),
        *(FIDELITY_SCORES, PREDICTIVE_UTILITY, GROUP_RESULTS, COPYING_DIAGNOSTICS),
    )
}  # by id, whether outsiders see them
EvidenceItem = tuple[str, str, str]  # what is measured, the section it stands in, how the names of its scores begin
ATTACKED_MODEL, HAS_BUDGET = (
    "model",
    "promise",
)  # in place of names: a model that is to be released was attacked; a budget
SINGLING_OUT: EvidenceItem = ("singling out", "risk", "identity.singling_out")
LINKED_RECORDS: EvidenceItem = ("linked records", "risk", "identity.linkability")
SECRETS_GUESSED: EvidenceItem = ("secrets guessed", "risk", "attribute.")
FOUND_AGAIN: EvidenceItem = ("people found again", "risk", "identity.replicated_uniques")
MEMBERSHIP_AUC: EvidenceItem = ("membership", "risk", "membership.auc")
UNUSUAL_PEOPLE: EvidenceItem = ("unusual people", "risk", "membership.isolated.")
IDENTITY_DISCLOSURE: EvidenceItem = ("meaningful identity disclosure", "risk", "identity.meaningful")
REPEATED_VALUES: EvidenceItem = ("values of one person", "copying", "copying.verbatim_values")
PAIR_LIKENESS: EvidenceItem = ("likeness", "fidelity", "fidelity.tv2")
REAL_PREDICTION: EvidenceItem = ("prediction on real people", "utility", "utility.")
GROUP_LIKENESS: EvidenceItem = ("groups of people", "subgroups", "fidelity.worst_group_tv")
MODEL_MEMBERSHIP: EvidenceItem = ("membership, by the model's own likelihood", "risk", ATTACKED_MODEL)
STATEMENT_AND_LEDGER: EvidenceItem = ("privacy statement and ledger", "privacy", HAS_BUDGET)
STATED_SCOPE: EvidenceItem = ("scope", "scope", "")
SIGNED_DECISION: EvidenceItem = ("decision and places to sign", "decision", "")


@dataclass(frozen=True)
class Instrument:
    """A law, a guidance or a standard.

    Args:
        name: as it is cited.
        asks: what of it can be measured, in a few words of ours.
        items: what here is evidence for that.
        people: what no program can answer.
    """

    name: str
    asks: str
    items: Sequence[EvidenceItem]
    people: str


INSTRUMENTS = (
    Instrument(
        "HIPAA, 45 CFR 164.514(b)(1)",
        "Expert determination: a very small risk of identification, by documented methods",
        (FOUND_AGAIN, LINKED_RECORDS, SECRETS_GUESSED, UNUSUAL_PEOPLE),
        "what risk is very small; the expert's signature",
    ),
    Instrument(
        "HIPAA, 45 CFR 164.514(b)(2)",
        "Safe harbour: none of eighteen kinds of identifiers",
        (REPEATED_VALUES,),
        "warnings of the draft of the schema; actual knowledge",
    ),
    Instrument(
        "GDPR recital 26; WP29 opinion 05/2014",
        "Singling out, linkability, inference",
        (SINGLING_OUT, LINKED_RECORDS, SECRETS_GUESSED),
        "which means are reasonably likely to be used",
    ),
    Instrument(
        "EDPB opinion 28/2024",
        "Whether personal data can be drawn out of a model",
        (MODEL_MEMBERSHIP,),
        "asked only if the model itself is released; all means reasonably likely",
    ),
    Instrument(
        "ICO guidance on anonymisation (2025)",
        "A motivated intruder; review",
        (STATED_SCOPE, FOUND_AGAIN, SIGNED_DECISION),
        "who the recipients are and what else they hold",
    ),
    Instrument("EU AI Act, article 10(5)", "Detection of bias", (GROUP_LIKENESS,), "whether other data would do"),
    Instrument(
        "EU EHDS, regulation 2025/327",
        "Privacy risks of synthetic data assessed; no more data than needed",
        (MEMBERSHIP_AUC, SECRETS_GUESSED, STATED_SCOPE),
        "why each column is needed",
    ),
    Instrument(
        "EMA policy 0070; Health Canada PRCI",
        "Probability of identification of at most .09 is common for publication",
        (IDENTITY_DISCLOSURE,),
        "counts of the population, which must be given",
    ),
    Instrument(
        "ISO/IEC 27559:2022, clause 8",
        "Identifiability quantified and tested by adversaries; assessed again",
        (MEMBERSHIP_AUC, UNUSUAL_PEOPLE, FOUND_AGAIN, SIGNED_DECISION),
        "clauses 6, 7 and 9: context, data, governance",
    ),
    Instrument(
        "ISO/IEC 5259-2", "Measures of data quality", (PAIR_LIKENESS, REAL_PREDICTION), "which uses are intended"
    ),
    Instrument(
        "NIST SP 800-226",
        "A differential privacy guarantee with its unit, its parameters and what it covers",
        (STATEMENT_AND_LEDGER,),
        "whether epsilon is small enough for the purpose",
    ),
    Instrument(
        "PDPC, proposed guide on synthetic data (2024)",
        "Know, prepare, generate, assess risk, manage what remains",
        (STATED_SCOPE, PAIR_LIKENESS, MEMBERSHIP_AUC, SIGNED_DECISION),
        "contracts and access of recipients",
    ),
)


class EvidenceLink(TypedDict):
    """One measurement, the section it stands in, and whether it was made."""

    label: str
    anchor: str | None
    there: bool


class InstrumentRow(TypedDict):
    """An instrument with the evidence for it."""

    name: str
    asks: str
    items: list[EvidenceLink]
    people: str


class StandardsData(TypedDict):
    """All instruments."""

    instruments: list[InstrumentRow]


def standards(evaluation: Evaluation, statement: StatementJson | None) -> StandardsData:
    """Instruments with what was measured for them and what was not."""
    measured = [score.metric for score in evaluation.scores]
    everybody = ((evaluation.panels.get("membership") or {}).get("strata") or {}).get("all") or {}
    known = {
        "": True,
        HAS_BUDGET: bool(privacy_claim.sentences(statement)),
        ATTACKED_MODEL: "likelihood" in (everybody.get("attacks") or {}),
    }

    def item(label: str, anchor: str, start: str) -> EvidenceLink:
        there = known[start] if start in known else any(metric.startswith(start) for metric in measured)
        return {"label": label, "anchor": anchor, "there": there}

    return {
        "instruments": [
            {
                "name": each.name,
                "asks": each.asks,
                "items": [item(*one) for one in each.items],
                "people": each.people,
            }
            for each in INSTRUMENTS
        ]
    }


def _data(context: ReportContext) -> StandardsData:
    return standards(context.evaluation, context.statement)


def _shareable(data: StandardsData) -> StandardsData:
    """No link to a section that is left out."""
    return {
        "instruments": [{**each, "items": [_linked(item) for item in each["items"]]} for each in data["instruments"]]
    }


def _linked(item: EvidenceLink) -> EvidenceLink:
    anchor = item["anchor"]
    return {**item, "anchor": anchor if anchor is not None and LINKED_SECTIONS[anchor] else None}


STANDARDS = SectionSpec(
    id="standards",
    title="Law and standards: what this is evidence for",
    data=_data,
    tag="public",
    shareable=_shareable,
)
