"""Whether a bundle is what it says: checked offline, by anybody, without the real rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthkit.errors import ArtefactError, SynthkitError
from synthkit.io.documents import MALFORMED_DATA_ERRORS, content
from synthkit.release import run_folder
from synthkit.release.bundle.checks import CHECKS
from synthkit.release.bundle.finding import CheckResult, Outcome, broken
from synthkit.release.bundle.opened_bundle import MAX_CELLS, Opened
from synthkit.release.bundle.signature import public_key
from synthkit.release.bundle.table_members import linked_draws
from synthkit.release.bundle.withdrawal_notice import notices
from synthkit.release.bundle.zip_archive import MAX_BUNDLE_BYTES, unpack
from synthkit.runtime.resource_limits import DEFAULT_MEMORY_LIMIT, DEFAULT_TIME_LIMIT, Deadline, resource_limits


@dataclass(frozen=True)
class BundleCheck:
    """One thing that was looked at.

    Args:
        name: what.
        outcome: `holds`, `unvouched` or `broken`.
        words: what was found.
    """

    name: str
    outcome: Outcome
    words: str

    @property
    def holds(self) -> bool:
        """Whether it is as it should be."""
        return self.outcome == "holds"


def verify(
    bundle: str | Path,
    key: str | Path | None = None,
    *,
    on: dt.date | None = None,
    revocations: str | Path | None = None,
    cells: int = MAX_CELLS,
) -> list[BundleCheck]:
    """Look at everything; a check that cannot be made because a file is damaged does not hold.

    A stranger's bundle gets a minute and 2 GiB; more of both where more cells are allowed.

    Args:
        bundle: the zip.
        key: the custodian's public key, if it came by another way than the bundle.
        on: the day for which it is asked whether the release is still valid; today in UTC if not given.
        revocations: a file of notices of withdrawal.
        cells: most cells of all tables together that are read.

    Raises:
        ArtefactError: the file of notices holds something else.
        ConfigError: the key cannot be read.
    """
    known = None if key is None else public_key(key)
    known_notices = None if revocations is None else notices(revocations)
    more = max(1.0, cells / MAX_CELLS)
    with resource_limits(DEFAULT_TIME_LIMIT * more, round(DEFAULT_MEMORY_LIMIT * more)) as deadline:
        try:
            members = unpack(content(bundle, MAX_BUNDLE_BYTES))
        except (OSError, MemoryError, SynthkitError) as error:
            return [BundleCheck("archive", "broken", str(error) or "there is not enough memory to read it")]
        opened = Opened(members, known, on or dt.datetime.now(dt.UTC).date(), cells, known_notices)
        first = BundleCheck("archive", "holds", f"{len(members)} members, and not a byte besides")
        return [first, *(_checked(name, check, opened, deadline) for name, check in CHECKS.items())]


def sql(bundle: str | Path) -> str:
    """Keys and rules of the schema in a bundle as one query, to be run in DuckDB where the bundle was unpacked.

    Raises:
        ArtefactError: the bundle cannot be read, holds no schema, or lacks a table of it.
        SchemaError: its schema cannot be.
    """
    from synthkit.schema.linked.linked_schema import LinkedSchema
    from synthkit.schema.linked.linked_sql import linked_script
    from synthkit.schema.rules_sql import script

    opened = Opened(unpack(content(bundle, MAX_BUNDLE_BYTES)), None, dt.date.min)
    if run_folder.SCHEMA_FILE not in opened.members:
        msg = "a bundle must hold a schema; however: it holds none. It was altered"
        raise ArtefactError(msg)
    if isinstance(opened.schema, LinkedSchema):
        return linked_script(opened.schema, linked_draws(opened.members, opened.schema).values())
    return script(opened.schema, opened.tables)


def outcome(checks: Sequence[BundleCheck]) -> Outcome:
    """That of the whole: `broken` if one check is; else `unvouched` if one is; else it `holds`.

    Example:
        >>> outcome([BundleCheck("rows", "holds", ""), BundleCheck("signature", "unvouched", "")])
        'unvouched'
    """
    found = {check.outcome for check in checks}
    return "broken" if "broken" in found else "unvouched" if "unvouched" in found else "holds"


def conclusion(checks: Sequence[BundleCheck]) -> str:
    """What follows from the checks, in one sentence.

    Example:
        >>> conclusion([BundleCheck("rows", "holds", ""), BundleCheck("signature", "unvouched", "")])
        'NOT VOUCHED FOR: nothing speaks against the bundle, but nothing here vouches for: signature.'
    """
    found = outcome(checks)
    if found == "holds":
        return "HOLDS: every check holds, and the signer is the one whose key you gave."
    names = ", ".join(check.name for check in checks if check.outcome == found)
    if found == "unvouched":
        return f"NOT VOUCHED FOR: nothing speaks against the bundle, but nothing here vouches for: {names}."
    return f"DOES NOT HOLD: {names}. Do not rely on the bundle; ask the custodian for another."


def _checked(name: str, check: Callable[[Opened], CheckResult], bundle: Opened, deadline: Deadline) -> BundleCheck:
    """A check; content that no version of ours would write is a fault of the bundle, not of the program."""
    try:
        deadline.check()
        found = check(bundle)
    except SynthkitError as error:
        found = broken(str(error))
    except (MemoryError, RecursionError):
        found = broken("it takes more memory to look at than a bundle may ask for")
    except (*MALFORMED_DATA_ERRORS, OSError) as error:
        found = broken(f"a member is not what synthkit writes ({type(error).__name__})")
    return BundleCheck(name, found.outcome, found.words)
