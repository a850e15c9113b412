"""A table drawn in numbered parts, its shards: each follows from the model, the seed and its number alone.

Whoever draws a shard, and however often it was begun, the same bytes stand in its file. A run that was stopped goes on
with the shards that are missing.

| file | what |
|---|---|
| `part-00000.parquet` and so on | the shards; each appears whole |
| `_STARTED` | what the folder is of, while shards are missing |
| `_SUCCESS` | the same and the digest of each shard, once all are there |
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit._version import __version__
from synthkit.engine.engine import InProcess
from synthkit.errors import ArtefactError, ConfigError
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import read_json
from synthkit.io.json_types import JSONObject
from synthkit.runtime.seeds import Seeds

if TYPE_CHECKING:
    from synthkit.engine.engine import Engine

FORMAT = "synthkit-shards/1"
SHARD_ROWS = 100_000
STARTED, SUCCESS = "_STARTED", "_SUCCESS"
SHARD_WORKER = "synthkit.synthesizer.shard_worker"
MOST_SHARDS = 100_000  # so that names of files have five digits


@dataclass(frozen=True, kw_only=True)
class ShardPlan:
    """What a folder of shards holds.

    Args:
        rows: of all shards together.
        shard_rows: of each but the last.
        seed: of all of them.
        model: digest of the saved model.
        rake: which tables rows are raked to; none if empty.
        watermark: name of the key that chooses rows; none if empty.
        version: of synthkit.
    """

    rows: int
    shard_rows: int
    seed: int
    model: str
    rake: str = ""
    watermark: str = ""
    version: str = __version__

    def __post_init__(self) -> None:
        if self.shard_rows < 1 or self.rows < 0 or self.shards > MOST_SHARDS:
            msg = (
                f"a table is drawn in at most {MOST_SHARDS:,} shards of at least one row; however: {self.rows:,} rows "
                f"in shards of {self.shard_rows:,}. Give another `shard_rows`"
            )
            raise ConfigError(msg)

    @property
    def shards(self) -> int:
        """How many there are."""
        return -(-self.rows // self.shard_rows)

    def rows_of(self, number: int) -> range:
        """Numbers of the rows of a shard.

        Example:
            >>> ShardPlan(rows=25, shard_rows=10, seed=1, model="").rows_of(2)
            range(20, 25)
        """
        return range(number * self.shard_rows, min((number + 1) * self.shard_rows, self.rows))

    def seed_of(self, number: int) -> int:
        """Seed of a shard."""
        return Seeds(self.seed).of(f"shard/{number}")


def plan_of(
    model: Path, out: Path, rows: int, shard_rows: int, seed: int | None, rake: str | bool, watermark: Path | None
) -> ShardPlan:
    """The plan of a folder; a seed that nobody names is the one it was begun with, or a new one.

    Args:
        model: folder of the saved model.
        out: folder of the shards, which may be begun.
        rows: of all shards together.
        shard_rows: of each but the last.
        seed: of all of them.
        rake: which tables rows are raked to; False for none.
        watermark: file of the key, if there is one.

    Raises:
        ConfigError: there are too many shards, or rows cannot be drawn so.
        ArtefactError: the folder, the key or the model cannot be read.
    """
    known = _known(out)
    if seed is None:
        seed = secrets.randbits(31) if known is None else int(known["seed"])
    name = ""
    if watermark is not None:
        from synthkit.watermark import WatermarkKey

        name = WatermarkKey.load(watermark).name
    return ShardPlan(
        rows=rows, shard_rows=shard_rows, seed=seed, model=model_digest(model), rake=str(rake or ""), watermark=name
    )


def shard_name(number: int) -> str:
    """Name of the file of a shard.

    Example:
        >>> shard_name(7)
        'part-00007.parquet'
    """
    return f"part-{number:05d}.parquet"


def model_digest(folder: Path) -> str:
    """SHA-256 over the files of a saved model, their names among them."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\n{_digest(path)}\n".encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def draw_shards(
    model: Path,
    out: Path,
    plan: ShardPlan,
    *,
    engine: Engine | None = None,
    watermark: Path | None = None,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw what is missing of a table into its folder; `_SUCCESS` is written last.

    Args:
        model: folder of the saved model; all workers must see it.
        out: folder of the shards, which all workers must see too; made if it is not there.
        plan: what it is to hold.
        engine: who draws; this process if not given.
        watermark: file of the key, if there is one.
        device: where to compute.
        progress: called with shards that are there, and how many there are to be.

    Raises:
        ArtefactError: the folder was begun with other settings or another model, or holds other files.
        WorkerError: a worker was lost too often; shards that are there stay.
        TableError: the disk is full.
    """
    missing = list(_begun(out, plan))
    told = progress or (lambda done, of: None)
    told(plan.shards - len(missing), plan.shards)
    card = {
        "plan": asdict(plan),
        "model": str(model.resolve()),
        "out": str(out.resolve()),
        "watermark": None if watermark is None else str(watermark.resolve()),
        "device": device,
    }
    for done, _ in enumerate((engine or InProcess()).map(SHARD_WORKER, card, missing), plan.shards - len(missing) + 1):
        told(done, plan.shards)
    parts = {shard_name(k): _digest(out / shard_name(k)) for k in range(plan.shards)}
    _write(out / SUCCESS, {"format": FORMAT, **asdict(plan), "parts": parts})
    (out / STARTED).unlink(missing_ok=True)
    return out


def _begun(out: Path, plan: ShardPlan) -> Iterator[int]:
    """Numbers of the shards that are missing, once it is clear that the folder is one of this plan.

    Raises:
        ArtefactError: it is not.
    """
    known = _known(out)
    if known is not None and known != asdict(plan):
        other = ", ".join(sorted(name for name, value in asdict(plan).items() if known.get(name) != value))
        msg = f"{out} goes on with what it was begun with; however: another `{other}` is asked. Name another folder"
        raise ArtefactError(msg)
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    ours = {STARTED, SUCCESS, *(shard_name(k) for k in range(plan.shards))}
    foreign = sorted(name for name in names - ours if not name.endswith(".partial"))
    if out.exists() and (foreign or not out.is_dir() or (known is None and names)):
        msg = (
            f"{out} is a folder of shards alone; however: there is something else in it. Name an empty or a new folder"
        )
        raise ArtefactError(msg)
    if known is None:
        out.mkdir(parents=True, exist_ok=True)
        _write(out / STARTED, {"format": FORMAT, **asdict(plan)})
    yield from (k for k in range(plan.shards) if shard_name(k) not in names)


def _known(out: Path) -> dict[str, Any] | None:
    """What a folder says it is of, None if it says nothing.

    Raises:
        ArtefactError: it is of another format.
    """
    for name in (SUCCESS, STARTED):
        if (out / name).is_file():
            said = dict(read_json(out / name))
            if said.pop("format", None) != FORMAT:
                msg = f"{out / name} must have format {FORMAT}; however: it has another. Name another folder"
                raise ArtefactError(msg)
            said.pop("parts", None)
            return said
    return None


def _write(path: Path, content: JSONObject) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
