"""The register of releases: what left of which table, for whom, and what all of it together costs."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal, get_args

from synthkit.errors import ArtefactError, TableError
from synthkit.io.atomic_files import replacing
from synthkit.io.folder_lock import held, sync_folder
from synthkit.io.json_types import JSONObject
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.release import run_folder

FORMAT = "synthkit-releases/1"
REGISTER_FILE = "releases.json"
ReleaseState = Literal["intended", "released", "withdrawn"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One release. INTERNAL: digests of a model and of rows say something of them to whoever can guess them.

    Args:
        table: name of the table, as its schema says.
        recipient: for whom it is, None if nobody said.
        date: the day, in UTC.
        state: `intended` before the bundle is written, `released` once it is; `withdrawn` after a notice. Every one
            counts: what was intended may have left, and what left cannot be called back.
        manifest: SHA-256 of the bundle's manifest.
        bundle: SHA-256 of the bundle.
        rows: SHA-256 over the digests of its tables.
        model: SHA-256 of the files of the model the rows were drawn from, None if it is not there any more.
        ledger: where the table's ledger lies, seen from the register; None if it is not known.
        epsilon: what the bundle claims for everything its ledger ever paid for; None for no bound.
        delta: its probability of failure.
        withdrawn: the day of the notice.
    """

    table: str
    recipient: str | None
    date: str
    state: ReleaseState
    manifest: str
    bundle: str
    rows: str
    model: str | None
    ledger: str | None
    epsilon: float | None
    delta: float | None
    withdrawn: str | None = None

    @property
    def marks(self) -> frozenset[tuple[str, str]]:
        """What shows that two releases were paid for together: one ledger, or one model."""
        return frozenset((name, said) for name in ("ledger", "model") if (said := getattr(self, name)) is not None)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What releases cost together.

    Args:
        number: how many there are; the same rows for the same recipient are one.
        epsilon: at most, infinity for no bound.
        delta: at most.
    """

    number: int
    epsilon: float
    delta: float


def total_spent(entries: Sequence[Entry]) -> Spent:
    r"""What somebody who has all of them learns at most.

    Releases from one model are draws from what was paid for once, and the claim of a release is the total of its
    ledger. So of those that share a model or a ledger the largest claim counts; the groups add up:
    $\epsilon = \sum_g \max_{i \in g} \epsilon_i$, and delta alike.

    References:
        Dwork, Roth: The algorithmic foundations of differential privacy (2014), 2.1 (post-processing) and 3.5
        (composition).

    Example:
        >>> one = Entry(table="icu", recipient="B", date="2026-01-31", state="released", manifest="1", bundle="1",
        ...     rows="1", model="m", ledger=None, epsilon=1.0, delta=1e-6)
        >>> total_spent([one, replace(one, recipient="C", rows="2"), replace(one, model="n", rows="3")]).epsilon
        2.0
    """
    named = {(each.rows, each.recipient) for each in entries if each.recipient is not None}
    groups = _groups(entries)
    return Spent(
        number=len(named) + sum(each.recipient is None for each in entries),
        epsilon=math.fsum(max(_or_infinite(each.epsilon) for each in group) for group in groups),
        delta=math.fsum(max(each.delta or 0.0 for each in group) for group in groups),
    )


def _groups(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Entries that share a mark, or share one with an entry that does."""
    groups: list[tuple[set[tuple[str, str]], list[Entry]]] = []
    for entry in entries:
        marks, members = set(entry.marks), [entry]
        apart = []
        for known, others in groups:
            if known & marks:
                marks, members = known | marks, [*others, *members]
            else:
                apart.append((known, others))
        groups = [*apart, (marks, members)]
    return [members for _, members in groups]


def _or_infinite(x: float | None) -> float:
    return math.inf if x is None else x


@dataclass(frozen=True)
class Register:
    """All releases of a folder of tables, in order.

    Args:
        path: the file.
        entries: what is in it.
    """

    path: Path
    entries: tuple[Entry, ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> Register | None:
        """The register in a file, None if there is no such file.

        Raises:
            ArtefactError: the file holds no register.
        """
        path = Path(path)
        if not path.exists():
            return None
        data = run_folder.plain_data(path)
        try:
            return cls(path, _entries(data))
        except (KeyError, TypeError, ValueError) as error:
            msg = (
                f"{path} must be a register of releases in the format {FORMAT}; however: it is not. "
                "Bring it back from a copy, or name another with --register"
            )
            raise ArtefactError(msg) from error

    def of(self, table: str) -> tuple[Entry, ...]:
        """Releases of one table."""
        return tuple(each for each in self.entries if each.table == table)

    def with_entry(self, entry: Entry) -> Register:
        """The register after an entry, which takes the place of the one on the same bundle if there is one."""
        known = [each.manifest == entry.manifest for each in self.entries]
        if any(known):
            return replace(
                self, entries=tuple(entry if same else e for same, e in zip(known, self.entries, strict=True))
            )
        return replace(self, entries=(*self.entries, entry))

    def to_json(self) -> str:
        """JSON text in the format `synthkit-releases/1`."""
        said = {"format": FORMAT, "releases": [asdict(each) for each in self.entries]}
        return json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


@contextmanager
def open_register(path: str | Path) -> Iterator[Register]:
    """The register in a file, begun if there is none, held until the block ends so that nobody else adds to it.

    Raises:
        ArtefactError: its folder does not exist, or the file holds no register.
    """
    path = Path(path)
    with held(path, what="a register of releases"):
        yield Register.read(path) or Register(path)


def write_register(register: Register) -> None:
    """Put a register on disk, its entry in the folder too; to be called while it is held.

    Raises:
        TableError: it cannot be written.
    """
    with replacing(register.path) as temporary:
        temporary.write_text(register.to_json(), encoding="utf-8")
    try:
        sync_folder(register.path.parent)
    except OSError as error:
        msg = f"{register.path} must reach the disk; however: {error.strerror}. Nothing was released; see to the disk"
        raise TableError(msg) from error


def mark_withdrawn(path: str | Path, manifest: str, day: str) -> None:
    """Say in a register that a release was withdrawn; it counts as before.

    Args:
        path: the register.
        manifest: SHA-256 of the manifest of its bundle.
        day: of the notice.

    Raises:
        ArtefactError: the register does not hold the release.
        TableError: it cannot be written.
    """
    with open_register(path) as register:
        entry = next((each for each in register.entries if each.manifest == manifest), None)
        if entry is None:
            msg = (
                f"{path} must hold the release that is withdrawn; however: it does not. The notice is signed; name the "
                "register in which the release was entered"
            )
            raise ArtefactError(msg)
        write_register(register.with_entry(replace(entry, state="withdrawn", withdrawn=day)))


def default_register(source: Path) -> Path:
    """Where the register of a run lies if nobody names another: beside its folder, as its ledger does."""
    return source.resolve().parent / REGISTER_FILE


def entry_of(source: Path, register: Path, *, recipient: str | None = None) -> Entry:
    """What a run would be in a register if it were released today; digests of the bundle are filled in later.

    Raises:
        ArtefactError: the folder holds no rows, or a file in it is damaged.
        SchemaError: its schema is damaged.
    """
    from synthkit.schema.linked.either_schema import load_either

    statement = run_folder.plain_data(source / run_folder.STATEMENT) if (source / run_folder.STATEMENT).exists() else {}
    parameters = (statement.get("privacy_loss") or {}).get("privacy_parameters") or {}
    covered = bool(statement.get("end_to_end_dp"))
    rows = json.dumps(run_folder.table_hashes(source), sort_keys=True).encode()
    return Entry(
        table=load_either(source / run_folder.SCHEMA_FILE).name,
        recipient=recipient,
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        state="intended",
        manifest="",
        bundle="",
        rows=hashlib.sha256(rows).hexdigest(),
        model=_model(source),
        ledger=_ledger(source, register),
        epsilon=parameters.get("epsilon") if covered else None,
        delta=parameters.get("delta") if covered else None,
    )


def _model(source: Path) -> str | None:
    """SHA-256 over the files of the model of a run, None without one."""
    files = sorted(file for file in (source / run_folder.MODEL).rglob("*") if file.is_file())
    if not files:
        return None
    each = [(file.relative_to(source).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
    return hashlib.sha256(json.dumps(each).encode()).hexdigest()


def _ledger(source: Path, register: Path) -> str | None:
    """The file beside the run's folder that holds all the run charged, as a path from the register's folder."""
    if not (source / run_folder.LEDGER).exists():
        return None
    settings = (
        run_folder.plain_data(source / run_folder.RUN).get("config") or {} if (source / run_folder.RUN).exists() else {}
    )
    path = source.resolve().parent / str(settings.get("ledger") or f"{source.resolve().name}.ledger.json")
    if not path.is_file():
        return None
    mine, kept = LedgerFile.read(source / run_folder.LEDGER), LedgerFile.read(path)
    if [part.charges for part in kept.parts[: len(mine.parts)]] != [part.charges for part in mine.parts]:
        return None
    return Path(os.path.relpath(path, register.resolve().parent)).as_posix()


def _entries(data: JSONObject) -> tuple[Entry, ...]:
    """The entries of a register, in order."""
    if data["format"] != FORMAT:
        raise ValueError(data["format"])
    return tuple(_entry(each) for each in data["releases"])


def _entry(data: JSONObject) -> Entry:
    """An entry from plain data; whatever it does not know is refused."""
    entry = Entry(**data)
    if set(data) != {each.name for each in fields(Entry)} or entry.state not in get_args(ReleaseState):
        raise ValueError(entry.state)
    texts = ("table", "date", "manifest", "bundle", "rows")
    maybe = ("recipient", "model", "ledger", "withdrawn")
    if not all(isinstance(getattr(entry, name), str) for name in texts):
        raise TypeError
    if not all(getattr(entry, name) is None or isinstance(getattr(entry, name), str) for name in maybe):
        raise TypeError
    for x in (entry.epsilon, entry.delta):
        if x is not None and (isinstance(x, bool) or not isinstance(x, int | float) or not 0 <= x < math.inf):
            raise ValueError
    return entry
