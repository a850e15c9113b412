"""Which measurement is evidence for which instrument of law or standard; none of them is satisfied by a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthkit.report import privacy_claim
from synthkit.report.sections.facts import Section

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation

Item = tuple[str, str, str]  # what is measured, the section it stands in, how the names of its scores begin
MODEL, PROMISED = "model", "promise"  # in place of names: a model that is to be released was attacked; a budget
SINGLING: Item = ("singling out", "risk", "identity.singling_out")
LINKING: Item = ("linked records", "risk", "identity.linkability")
INFERRING: Item = ("secrets guessed", "risk", "attribute.")
FINDING: Item = ("people found again", "risk", "identity.replicated_uniques")
BELONGING: Item = ("membership", "risk", "membership.auc")
UNUSUAL: Item = ("unusual people", "risk", "membership.isolated.")
MATCHED: Item = ("meaningful identity disclosure", "risk", "identity.meaningful")
REPEATED: Item = ("values of one person", "copying", "copying.verbatim_values")
LIKENESS: Item = ("likeness", "fidelity", "fidelity.tv2")
PREDICTION: Item = ("prediction on real people", "utility", "utility.")
GROUPS: Item = ("groups of people", "subgroups", "fidelity.worst_group_tv")
DRAWN_OUT: Item = ("membership, by the model's own likelihood", "risk", MODEL)
PROMISE: Item = ("privacy statement and ledger", "privacy", PROMISED)
MADE: Item = ("scope", "scope", "")
SIGNED: Item = ("decision and places to sign", "decision", "")


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
    items: Sequence[Item]
    people: str


INSTRUMENTS = (
    Instrument(
        "HIPAA, 45 CFR 164.514(b)(1)",
        "Expert determination: a very small risk of identification, by documented methods",
        (FINDING, LINKING, INFERRING, UNUSUAL),
        "what risk is very small; the expert's signature",
    ),
    Instrument(
        "HIPAA, 45 CFR 164.514(b)(2)",
        "Safe harbour: none of eighteen kinds of identifiers",
        (REPEATED,),
        "warnings of the draft of the schema; actual knowledge",
    ),
    Instrument(
        "GDPR recital 26; WP29 opinion 05/2014",
        "Singling out, linkability, inference",
        (SINGLING, LINKING, INFERRING),
        "which means are reasonably likely to be used",
    ),
    Instrument(
        "EDPB opinion 28/2024",
        "Whether personal data can be drawn out of a model",
        (DRAWN_OUT,),
        "asked only if the model itself is released; all means reasonably likely",
    ),
    Instrument(
        "ICO guidance on anonymisation (2025)",
        "A motivated intruder; review",
        (MADE, FINDING, SIGNED),
        "who the recipients are and what else they hold",
    ),
    Instrument("EU AI Act, article 10(5)", "Detection of bias", (GROUPS,), "whether other data would do"),
    Instrument(
        "EU EHDS, regulation 2025/327",
        "Privacy risks of synthetic data assessed; no more data than needed",
        (BELONGING, INFERRING, MADE),
        "why each column is needed",
    ),
    Instrument(
        "EMA policy 0070; Health Canada PRCI",
        "Probability of identification of at most .09 is common for publication",
        (MATCHED,),
        "counts of the population, which must be given",
    ),
    Instrument(
        "ISO/IEC 27559:2022, clause 8",
        "Identifiability quantified and tested by adversaries; assessed again",
        (BELONGING, UNUSUAL, FINDING, SIGNED),
        "clauses 6, 7 and 9: context, data, governance",
    ),
    Instrument("ISO/IEC 5259-2", "Measures of data quality", (LIKENESS, PREDICTION), "which uses are intended"),
    Instrument(
        "NIST SP 800-226",
        "A differential privacy guarantee with its unit, its parameters and what it covers",
        (PROMISE,),
        "whether epsilon is small enough for the purpose",
    ),
    Instrument(
        "PDPC, proposed guide on synthetic data (2024)",
        "Know, prepare, generate, assess risk, manage what remains",
        (MADE, LIKENESS, BELONGING, SIGNED),
        "contracts and access of recipients",
    ),
)


def standards(evaluation: Evaluation, statement: Mapping[str, Any] | None) -> Section:
    """Instruments with what was measured for them and what was not."""
    measured = [score.metric for score in evaluation.scores]
    everybody = ((evaluation.panels.get("membership") or {}).get("strata") or {}).get("all") or {}
    known = {
        "": True,
        PROMISED: bool(privacy_claim.sentences(statement)),
        MODEL: "likelihood" in (everybody.get("attacks") or {}),
    }

    def item(label: str, anchor: str, start: str) -> dict[str, Any]:
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
