"""Whether the verdict follows from the figures and the policy, and the report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.release import run_folder
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.run_folder import REPORT_JSON_FILE
from synthkit.schema.linked.linked_schema import LinkedSchema

if TYPE_CHECKING:
    from synthkit.io.json_types import JSONObject
    from synthkit.report.sections.decision import DecisionLine


def check(bundle: Opened) -> CheckResult:
    """The gate derived again from its own figures; then the first page of the report held against it."""
    from synthkit.release.policy.gate_decision import rederive
    from synthkit.release.policy.limits import Policy
    from synthkit.report.sections.decision import VERDICT_WORDS, judged_line

    decided = bundle.json(REPORT_JSON_FILE)["sections"][0]
    if run_folder.GATE not in bundle.members:
        if decided["verdict"] == "NO POLICY" and run_folder.POLICY_FILE not in bundle.members:
            return holds("no policy was applied")
        return broken("the report shows a verdict without a gate")
    gate = bundle.json(run_folder.GATE)
    with bundle.file(run_folder.POLICY_FILE) as path:
        faults = rederive(gate, Policy.load(path), linked=isinstance(bundle.schema, LinkedSchema))
    if faults:
        return broken(faults[0])
    lines = {line["clause"]: judged_line(line) for line in gate["lines"]}
    same = all(_shown(line) == _shown(lines[line["clause"]]) for line in decided["lines"])
    if not same or decided["verdict"] != gate["verdict"] or decided["valid_until"] != gate["valid_until"]:
        return broken("the report shows other verdicts or limits than the gate")
    if decided["words"] != VERDICT_WORDS[gate["verdict"]]:
        return broken("the report puts the verdict in other words")
    return holds(f"{gate['verdict']} follows from the figures and the policy {gate['policy']['id']}")


def _shown(line: JSONObject | DecisionLine) -> tuple[str, str, str, str]:
    """What of a line must be the gate's."""
    return line["item"], line["bound"], line["limit"], line["verdict"]
