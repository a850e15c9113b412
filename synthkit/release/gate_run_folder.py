"""The folder of a run held against a policy: the decision and a copy of the policy beside it, the page drawn again."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping
from pathlib import Path

from synthkit.io.atomic_files import replacing
from synthkit.release import run_folder
from synthkit.release.bundle.release_register import Register, default_register, entry_of, total_spent
from synthkit.release.policy.gate_decision import Gate, judge
from synthkit.release.policy.gate_evidence import GateEvidence
from synthkit.release.policy.limits import Policy


def apply_policy(place: Path, against: Path, *, register: Path | None = None) -> tuple[Policy, Gate]:
    """Hold what a folder's evaluation measured against a policy; gate.json, policy.yaml and the page follow.

    Args:
        place: folder of a run or an evaluation.
        against: file of the policy.
        register: the register of releases; `releases.json` beside the folder if not given. Only looked at if the policy
            limits releases.

    Raises:
        ConfigError: the policy cannot be read, or says what no policy says.
        ArtefactError: the folder holds no evaluation, or it is damaged; or the register is none.
    """
    policy = Policy.load(against)
    known = {
        name: run_folder.plain_data(place / file) if (place / file).exists() else None
        for name, file in (("statement", run_folder.STATEMENT), ("ledger", run_folder.LEDGER))
    }
    with run_folder.unaltered(place):
        evidence = GateEvidence(
            evaluation=run_folder.evaluation(place),
            today=dt.datetime.now(dt.UTC).date(),
            releases=_released(place, register or default_register(place)) if policy.releases.has_limits else None,
            **known,
        )
        made = judge(policy, evidence)
    if against.resolve() != (place / run_folder.POLICY_FILE).resolve():
        with replacing(place / run_folder.POLICY_FILE) as temporary:
            shutil.copyfile(against, temporary)
    with replacing(place / run_folder.GATE) as temporary:
        temporary.write_text(made.to_json(), encoding="utf-8")
    run_folder.save_page(run_folder.redraw(place), place)
    return policy, made


def _released(place: Path, register: Path) -> Mapping[str, float] | None:
    """Number and epsilon of all releases of a table if this run becomes one of them; None without a register."""
    kept = Register.read(register)
    if kept is None:
        return None
    entry = entry_of(place, kept.path)
    spent = total_spent((*kept.of(entry.table), entry))
    return {"number": spent.number, "epsilon": spent.epsilon}
