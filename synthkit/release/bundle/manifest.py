"""What a bundle holds: every member with its digest, and whether the privacy claim covers it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Literal

from synthkit._version import __version__
from synthkit.io.arrow_files import arrow_extent
from synthkit.io.json_types import JSON

FORMAT = "synthkit-bundle/1"
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
DRAWN_BY = "drawn_by"  # versions under which report.html is what report.json draws
GENERATOR = f"synthkit {__version__}"
FACT_KEYS = (
    "generator",
    "made",
    "recipient",
    "commitments",
    DRAWN_BY,
    "although",
)  # facts, by the word of whoever released it
CoveredBy = Literal["charged", "public", "exact"]
COVERED_WORDS: Mapping[CoveredBy, str] = {
    "charged": "computed from real rows with noise; paid for from the budget",
    "public": "known without the table",
    "exact": "computed from real rows without noise: no epsilon covers it",
}
TABLE_ENDING = ".parquet"
ROW_MEMBERS = ("synthetic.parquet", "synthetic/", "draws/")
EXACT_MEMBERS = ("report.html", "report.json", "gate.json")  # what was measured on real rows


def covered(name: str, *, private: bool, public: Collection[str] = ()) -> CoveredBy:
    """Whether a claim covers a member; without one the rows are as exact as the model that made them.

    Args:
        name: of the member.
        private: whether there is a claim that covers all but what is measured afterwards.
        public: members that hold public catalogues.
    """
    if name in EXACT_MEMBERS:
        return "exact"
    if name in public:
        return "public"
    if name.startswith(ROW_MEMBERS) or name == "schema.yaml":
        return "charged" if private else "exact"
    return "public"


def manifest(
    members: Mapping[str, bytes],
    *,
    facts: Mapping[str, JSON],
    claim: Mapping[str, JSON],
    private: bool,
    public: Collection[str] = (),
) -> bytes:
    """The manifest of members as JSON; tables are listed with their rows and columns.

    Args:
        members: content by name.
        facts: who released what to whom and when.
        claim: epsilon and delta, None for no claim.
        private: whether the claim covers everything but what is measured afterwards.
        public: members that hold public catalogues.
    """
    listed = [
        {
            "name": name,
            "bytes": len(members[name]),
            "sha256": hashlib.sha256(members[name]).hexdigest(),
            **(asdict(arrow_extent(members[name], name)) if name.endswith(TABLE_ENDING) else {}),
            "covered": covered(name, private=private, public=public),
        }
        for name in sorted(members)
    ]
    kinds = {each["covered"] for each in listed}
    said = {
        "format": FORMAT,
        **facts,
        "claim": dict(claim),
        "end_to_end_dp": private and "exact" not in kinds,
        "sentence": sentence(private=private),
        "words": {kind: words for kind, words in COVERED_WORDS.items() if kind in kinds},
        "members": listed,
    }
    return json.dumps(said, indent=1, ensure_ascii=False, sort_keys=False).encode() + b"\n"


def sentence(*, private: bool) -> str:
    """What the claim covers, in one sentence."""
    if private:
        return (
            "The rows, the schema and the ledger hold only charged or public values; the report, rounded and without "
            "small counts, and the figures of the gate were computed from real rows afterwards, and no epsilon covers "
            "them."
        )
    return "No privacy claim is made: nothing but the attacks in the report says what the rows reveal of a person."
