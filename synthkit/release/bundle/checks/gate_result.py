"""Whether the verdict follows from the figures and the policy, and the report shows it."""

from __future__ import annotations

from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import TWIN
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened


def check(bundle: Opened) -> CheckResult:
    """The gate derived again from its own figures; then the first page of the report held against it."""
    from synthkit.release.policy.gate_decision import rederive
    from synthkit.release.policy.limits import Policy
    from synthkit.report.sections.decision import VERDICT_WORDS, judged

    decided = bundle.json(TWIN)["sections"][0]
    if run_folder.GATE not in bundle.members:
        if decided["verdict"] == "NO POLICY" and run_folder.POLICY not in bundle.members:
            return holds("no policy was applied")
        return broken("the report shows a verdict without a gate")
    gate = bundle.json(run_folder.GATE)
    with bundle.file(run_folder.POLICY) as path:
        faults = rederive(gate, Policy.load(path))
    if faults:
        return broken(faults[0])
    lines = {line["clause"]: judged(line) for line in gate["lines"]}
    told = ("item", "bound", "limit", "verdict")
    same = all(line[key] == lines[line["clause"]][key] for line in decided["lines"] for key in told)
    if not same or decided["verdict"] != gate["verdict"] or decided["valid_until"] != gate["valid_until"]:
        return broken("the report shows other verdicts or limits than the gate")
    if decided["words"] != VERDICT_WORDS[gate["verdict"]]:
        return broken("the report puts the verdict in other words")
    return holds(f"{gate['verdict']} follows from the figures and the policy {gate['policy']['id']}")
