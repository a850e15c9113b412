"""A training that a kill cannot undo: its state beside the output, put in place whole, removed when all is done."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import ArtefactError, ConfigError, DocumentError, TableError
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import parse_json, read_json
from synthkit.io.json_types import JSONDict, JSONObject
from synthkit.synthesizer.model_files import read_tensors, write_tensors
from synthkit.training.state import State

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "synthkit-checkpoint/1"
CHECKPOINT_CARD, TRAINING_FILE, CHECKPOINT_ROLES = "checkpoint.json", "training.safetensors", "roles.parquet"
EVERY = 30.0  # seconds between two states, and at least twenty times what keeping one takes
SEED_ENTRY = "seed"


class Checkpoint:
    """The folder in which the state of one training is kept; INTERNAL, as a model is, and as roles are.

    It holds weights, moments, states of generators and the curve so far, the roles of a run, and what the training
    belongs to: version, settings, seed, number of rows, coding. Batches follow from the seed, so no row is in it. It
    appears when the first state is due; short trainings leave nothing.

    Args:
        folder: the place, beside the output.
        resume: whether to take up what is there; if nothing is, the training begins at the beginning.
        every: seconds between two states.
        replace: whether what is there may be replaced by a training that begins anew.

    Raises:
        ArtefactError: there is a checkpoint already, and neither may it be replaced nor is it taken up; or the one to
            be taken up is damaged.
    """

    def __init__(
        self, folder: str | Path, *, resume: bool = False, every: float = EVERY, replace: bool = False
    ) -> None:
        self.folder, self._every = Path(folder), every
        self._identity: JSONDict | None = None
        self._roles: pd.DataFrame | None = None
        self._last, self._cost = time.monotonic(), 0.0
        if self.exists and not (resume or replace):
            msg = (
                f"{self.folder} must not exist yet; however: a training that was stopped is kept there. Say --resume "
                "to go on with it, or --overwrite to begin anew"
            )
            raise ArtefactError(msg)
        self._card = self._read() if resume and self.exists else None

    @property
    def exists(self) -> bool:
        """Whether a training is kept here."""
        return (self.folder / CHECKPOINT_CARD).is_file()

    @property
    def taken_up(self) -> bool:
        """Whether a training is taken up rather than begun."""
        return self._card is not None

    @property
    def seed(self) -> int | None:
        """Root seed of the training that is taken up."""
        return None if self._card is None else int(self._card[SEED_ENTRY])

    def roles(self) -> pd.DataFrame | None:
        """Roles and coins of the run that is taken up; INTERNAL.

        Raises:
            ArtefactError: they are missing or damaged.
        """
        from synthkit.tables import table_files

        if self._card is None or not self._card["roles"]:
            return None
        try:
            return table_files.read(self.folder / CHECKPOINT_ROLES).frame()
        except TableError as error:
            raise ArtefactError(self._damaged(CHECKPOINT_ROLES)) from error

    def keep_roles(self, roles: pd.DataFrame) -> None:
        """Who is trained on, to be written with the first state."""
        self._roles = roles

    def begin(self, identity: JSONObject) -> None:
        """Say what the training belongs to, before it begins.

        Args:
            identity: plain data; `seed` among them.

        Raises:
            ConfigError: what is taken up belongs to something else.
        """
        self._identity = json.loads(json.dumps(identity))
        self._last = time.monotonic()
        if self._card is None:
            return
        other = [name for name in self._identity if self._card.get(name) != self._identity[name]]
        if other:
            msg = (
                f"`--resume` must go on with the same training; however: {', '.join(other)} "
                f"{'is' if len(other) == 1 else 'are'} not what {self.folder} was begun with. Repeat the command as it "
                "was, or say --overwrite without --resume to begin anew"
            )
            raise ConfigError(msg)
        self._identity = None  # it is on disk already

    def load(self) -> State | None:
        """The state to go on from; None if there is none.

        Raises:
            ArtefactError: it is damaged.
        """
        if self._card is None or not (self.folder / TRAINING_FILE).is_file():
            return None
        tensors, facts = read_tensors(self.folder / TRAINING_FILE)
        try:
            return State(tensors, parse_json(facts["facts"]))
        except (KeyError, DocumentError) as error:
            raise ArtefactError(self._damaged(TRAINING_FILE)) from error

    def due(self) -> bool:
        """Whether the last state is old enough."""
        return time.monotonic() - self._last >= max(self._every, 20 * self._cost)

    def save(self, state: State) -> None:
        """Keep a state in place of the one before.

        Raises:
            ArtefactError: it cannot be written.
        """
        since = time.monotonic()
        try:
            self._describe()
            with replacing(self.folder / TRAINING_FILE) as temporary:
                write_tensors(temporary, state.tensors, {"facts": json.dumps(state.facts)})
        except (OSError, TableError) as error:
            msg = f"{self.folder} must be writable; however: {error}"
            raise ArtefactError(msg) from error
        finally:
            self._last = time.monotonic()
            self._cost = self._last - since

    @classmethod
    def beside(cls, out: Path, *, resume: bool = False, replace: bool = False) -> Checkpoint:
        """The checkpoint of an output folder: `runs/icu.checkpoint` for `runs/icu`."""
        out = out if out.name else out.resolve()
        return cls(out.with_name(f"{out.name}.checkpoint"), resume=resume, replace=replace)

    def remove(self) -> None:
        """All is done: the folder goes, unless something else lies in it."""
        self._clear()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _clear(self) -> None:
        """Remove our files, and what a kill left of them; the card first, for without it there is no checkpoint."""
        for name in (CHECKPOINT_CARD, TRAINING_FILE, CHECKPOINT_ROLES):
            (self.folder / name).unlink(missing_ok=True)
            for partial in self.folder.glob(f".{name}.*.partial"):
                partial.unlink()

    def _describe(self) -> None:
        """What the training belongs to, and the roles; once, and before any state."""
        from synthkit.tables import table_files

        if self._identity is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear()  # what is left of a training that was not taken up
        if self._roles is not None:
            table_files.write(self._roles, self.folder / CHECKPOINT_ROLES)
        card = {"format": FORMAT, "roles": self._roles is not None, **self._identity}
        with replacing(self.folder / CHECKPOINT_CARD) as temporary:
            temporary.write_text(json.dumps(card), encoding="utf-8")
        self._identity = None

    def _read(self) -> JSONDict:
        try:
            card = read_json(self.folder / CHECKPOINT_CARD)
        except (OSError, DocumentError) as error:
            raise ArtefactError(self._damaged(CHECKPOINT_CARD)) from error
        said = card.get("format") if isinstance(card, dict) else None
        if said != FORMAT:
            msg = f"{self.folder} must have format {FORMAT}; however: {said!r}. Begin anew with --overwrite"
            raise ArtefactError(msg)
        if not {SEED_ENTRY, "roles"} <= set(card):
            raise ArtefactError(self._damaged(CHECKPOINT_CARD))
        return dict(card)

    def _damaged(self, name: str) -> str:
        return (
            f"{self.folder} must hold an undamaged checkpoint; however: {name} cannot be read. "
            "Begin anew with --overwrite"
        )
