"""Whether a bundle is what it says: checked offline, by anybody, without the real rows."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthkit import folder
from synthkit.bundle import manifest as manifests
from synthkit.bundle.archive import unpack
from synthkit.bundle.numbers import different, shown
from synthkit.bundle.release import REPORT, TWIN
from synthkit.bundle.signature import public_key, signer
from synthkit.errors import SynthkitError

REQUIRED = (folder.SYNTHETIC, folder.SCHEMA, REPORT, TWIN, folder.STATEMENT, folder.LEDGER)
SIGNED = {
    "unsigned": (False, "nobody signed it: who made it is not known"),
    "forged": (False, "the signature is not one under this manifest"),
    "unknown": (True, "signed by the key {}; hold that against the custodian's own word, or give --public-key"),
    "known": (True, "signed by the key you gave, {}"),
    "another": (False, "signed by another key, {}, than the one you gave"),
}
EQUAL = 1e-9  # relative difference of two epsilons from the same charges


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        name: what.
        holds: whether it is as it should be.
        words: what was found.
    """

    name: str
    holds: bool
    words: str


def verify(bundle: str | Path, key: str | Path | None = None) -> list[Check]:
    """Look at everything; a check that cannot be made because a file is damaged does not hold.

    Args:
        bundle: the zip.
        key: the custodian's public key, if it came by another way than the bundle.

    Raises:
        ConfigError: the key cannot be read.
    """
    known = None if key is None else public_key(key)
    try:
        members = unpack(Path(bundle).read_bytes())
    except (OSError, SynthkitError) as error:
        return [Check("archive", False, str(error))]
    first = Check("archive", True, f"{len(members)} members, and not a byte besides")
    steps: tuple[tuple[str, Callable[[], tuple[bool, str]]], ...] = (
        ("members", lambda: _listed(members)),
        ("signature", lambda: _signed(members, known)),
        ("epsilon", lambda: _epsilon(members)),
        ("rows", lambda: _rows(members)),
        ("marks", lambda: _marks(members)),
        ("report", lambda: _report(members)),
        ("decision", lambda: _decision(members)),
    )
    return [first, *(_checked(name, step) for name, step in steps)]


def _checked(name: str, step: Callable[[], tuple[bool, str]]) -> Check:
    """A check; content that no version of ours would write is a fault of the bundle, not of the program."""
    try:
        holds, words = step()
    except SynthkitError as error:
        return Check(name, False, str(error))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as error:
        return Check(name, False, f"a member is not what synthkit writes ({type(error).__name__})")
    return Check(name, holds, words)


def _listed(members: Mapping[str, bytes]) -> tuple[bool, str]:
    said = json.loads(members[manifests.NAME])
    if said["format"] != manifests.FORMAT:
        return False, f"the manifest has another format than {manifests.FORMAT}"
    listed = {each["name"]: each for each in said["members"]}
    there = set(members) - {manifests.NAME, manifests.SIGNATURE}
    lacking = [name for name in (*REQUIRED, *listed) if name not in there]
    if lacking:
        return False, f"{lacking[0]} is missing"
    if there - set(listed):
        return False, f"{min(there - set(listed))} is not in the manifest"
    for name, each in listed.items():
        if each["sha256"] != hashlib.sha256(members[name]).hexdigest() or each["bytes"] != len(members[name]):
            return False, f"{name} is not the file that was listed: its digest differs"
    statement = json.loads(members[folder.STATEMENT])
    private = said["claim"]["epsilon"] is not None and bool(statement.get("end_to_end_dp"))
    again = json.loads(manifests.manifest(_content(members), facts={}, claim=said["claim"], private=private))
    if any(said.get(each) != again[each] for each in ("members", "sentence", "words", "end_to_end_dp")):
        return False, "the manifest does not say what the claim covers"
    return True, f"{len(listed)} files are those that the manifest lists, by SHA-256"


def _content(members: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: each for name, each in members.items() if name not in (manifests.NAME, manifests.SIGNATURE)}


def _signed(members: Mapping[str, bytes], known: bytes | None) -> tuple[bool, str]:
    who, print_ = signer(members[manifests.NAME], members.get(manifests.SIGNATURE), known)
    holds, words = SIGNED[who]
    return holds, words.format(print_)


def _epsilon(members: Mapping[str, bytes]) -> tuple[bool, str]:
    """Recomputed from the charges; ledger, statement and manifest must say the same."""
    from synthkit.privacy.archive import recompute

    with _unpacked(members, folder.LEDGER) as path:
        epsilon, delta = recompute(path)
    statement = json.loads(members[folder.STATEMENT])["privacy_loss"]["privacy_parameters"]
    ledger, claim = json.loads(members[folder.LEDGER]), json.loads(members[manifests.NAME])["claim"]
    for where, told in (("statement", statement), ("ledger", ledger), ("manifest", claim)):
        if not _same(math.inf if told["epsilon"] is None else told["epsilon"], epsilon):
            return False, f"the {where} does not say the epsilon that the charges of the ledger come to, {epsilon:.4g}"
    if math.isinf(epsilon):
        return True, "no promise is made, and the ledger says so"
    return True, f"the charges of the ledger come to epsilon {epsilon:.4g} at delta {delta:.2g}, as is stated"


def _same(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=EQUAL)


def _rows(members: Mapping[str, bytes]) -> tuple[bool, str]:
    from synthkit import tables
    from synthkit.schema import Schema
    from synthkit.schema.expectations import validate

    rows = 0
    with _unpacked(members, folder.SCHEMA) as path:
        schema = Schema.load(path)
    for name in _tables(members):
        with _unpacked(members, name) as path:
            frame = tables.read(path).frame()
        found = validate(frame, schema)
        if not found.success:
            return False, f"{name} breaks its schema: {found}"
        rows += len(frame)
    return True, f"every one of {rows:,} rows keeps the schema and its rules"


def _marks(members: Mapping[str, bytes]) -> tuple[bool, str]:
    from synthkit.marking import read_mark

    for name in _tables(members):
        with _unpacked(members, name) as path:
            said = read_mark(path)
        if (said or {}).get("content") != "synthetic":
            return False, f"{name} does not say that it is synthetic"
    return True, "the tables say that they are synthetic"


def _report(members: Mapping[str, bytes]) -> tuple[bool, str]:
    twin = json.loads(members[TWIN])
    page = members[REPORT].decode()
    wrong = different(page, twin)
    if wrong:
        return False, f"report.html shows something else than report.json at {wrong[0]}"
    hidden = _decided(twin) - set(shown(page))
    if hidden:
        return False, f"report.html does not show what report.json says at {min(hidden)}"
    if twin["tier"] != "shareable":
        return False, "the report is not the shareable edition"
    hashes = twin["sections"][0]["hashes"]
    for name in _tables(members):
        if hashes.get(name) != hashlib.sha256(members[name]).hexdigest():
            return False, f"the report is about another {name}"
    return True, "figures and verdicts of report.html are those of report.json, and the report is about these rows"


def _decided(twin: Mapping[str, Any]) -> set[str]:
    """Places of what is decided on, which a page must show."""
    first = twin["sections"][0]
    told = ("item", "bound", "limit", *(["verdict"] if first["policy"] else []))
    lines = {f"/sections/0/lines/{k}/{key}" for k in range(len(first["lines"])) for key in told}
    lines |= {f"/sections/0/lines/{k}/measured" for k, each in enumerate(first["lines"]) if each["measured"] != "—"}
    return lines | {"/sections/0/words"} | ({"/sections/0/valid_until"} if first["valid_until"] else set())


def _decision(members: Mapping[str, bytes]) -> tuple[bool, str]:
    """The verdict follows from the figures and the policy, and the report shows it."""
    from synthkit.policy.gate import rederive
    from synthkit.policy.policy import Policy
    from synthkit.report.decision import OVERALL, judged

    decided = json.loads(members[TWIN])["sections"][0]
    if folder.GATE not in members:
        none = decided["verdict"] == "NO POLICY" and folder.POLICY not in members
        return none, "no policy was applied" if none else "the report shows a verdict without a gate"
    gate = json.loads(members[folder.GATE])
    with _unpacked(members, folder.POLICY) as path:
        faults = rederive(gate, Policy.load(path))
    if faults:
        return False, faults[0]
    lines = {line["clause"]: judged(line) for line in gate["lines"]}
    told = ("item", "bound", "limit", "verdict")
    same = all(line[key] == lines[line["clause"]][key] for line in decided["lines"] for key in told)
    if not same or decided["verdict"] != gate["verdict"] or decided["valid_until"] != gate["valid_until"]:
        return False, "the report shows other verdicts or limits than the gate"
    if decided["words"] != OVERALL[gate["verdict"]]:
        return False, "the report puts the verdict in other words"
    return True, f"{gate['verdict']} follows from the figures and the policy {gate['policy']['id']}"


def _tables(members: Mapping[str, bytes]) -> list[str]:
    return [name for name in sorted(members) if name.endswith(".parquet")]


@contextmanager
def _unpacked(members: Mapping[str, bytes], name: str) -> Iterator[Path]:
    """A member as a file of its own, for readers that want a path; gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / Path(name).name
        path.write_bytes(members[name])
        yield path
