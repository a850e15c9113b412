"""The folder of a run held against a policy: the decision and a copy of the policy beside it, the page drawn again."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from synthkit import folder
from synthkit.files import replacing
from synthkit.policy.evidence import Evidence
from synthkit.policy.gate import Gate, judge
from synthkit.policy.policy import Policy


def hold(place: Path, against: Path) -> tuple[Policy, Gate]:
    """Hold what a folder's evaluation measured against a policy; gate.json, policy.yaml and the page follow.

    Args:
        place: folder of a run or an evaluation.
        against: file of the policy.

    Raises:
        ConfigError: the policy cannot be read, or says what no policy says.
        ArtefactError: the folder holds no evaluation, or it is damaged.
    """
    policy = Policy.load(against)
    known = {
        name: folder.plain_data(place / file) if (place / file).exists() else None
        for name, file in (("statement", folder.STATEMENT), ("ledger", folder.LEDGER))
    }
    evidence = Evidence(evaluation=folder.evaluation(place), today=dt.datetime.now(dt.UTC).date(), **known)
    made = judge(policy, evidence)
    if against.resolve() != (place / folder.POLICY).resolve():
        with replacing(place / folder.POLICY) as temporary:
            shutil.copyfile(against, temporary)
    with replacing(place / folder.GATE) as temporary:
        temporary.write_text(made.to_json(), encoding="utf-8")
    folder.save_page(folder.redraw(place), place)
    return policy, made
