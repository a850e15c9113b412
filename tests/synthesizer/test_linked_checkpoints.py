"""A training of linked tables killed for real, in either of its stages, goes on to the same model and people."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from small_hospital import SMALL, small_hospital

from synthkit.errors import ConfigError, TableError
from synthkit.pipeline.linked.synthesize_linked import fit_linked, synthesize_linked
from synthkit.pipeline.run_config import RunConfig
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.checkpoints import CHECKPOINT_CARD, CHECKPOINT_ROLES, TRAINING_FILE, Checkpoint
from synthkit.synthesizer.model_files import read_tensors

SCHEMA = LinkedSchema.parse(SMALL)
FEW = {"steps": 9, "root_steps": 6, "width": 16, "hidden": 8, "mixed": 8}
SEED = 4

KILLED = """
import os, signal, sys
from synthkit.pipeline.linked.synthesize_linked import fit_linked, synthesize_linked
from synthkit.pipeline.run_config import RunConfig
from synthkit.synthesizer.checkpoints import Checkpoint

class Dying(Checkpoint):
    left = int(sys.argv[5])

    def due(self):
        return True

    def save(self, state):
        super().save(state)
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

what = {"fit": fit_linked, "run": synthesize_linked}[sys.argv[6]]
what(sys.argv[1], sys.argv[2], config=RunConfig.of(None, **eval(sys.argv[4])), checkpoint=Dying(sys.argv[3]))
"""


@dataclass(frozen=True)
class Hospital:
    """A folder of Parquet files, and its schema."""

    folder: Path
    yaml: Path


@pytest.fixture(scope="module")
def hospital(tmp_path_factory) -> Hospital:
    place = tmp_path_factory.mktemp("hospital")
    made = Hospital(place / "hospital", place / "hospital.yaml")
    made.folder.mkdir()
    for name, frame in small_hospital().items():
        frame.to_parquet(made.folder / f"{name}.parquet")
    SCHEMA.save(made.yaml)
    return made


def kill(hospital: Hospital, checkpoint: Path, config: dict[str, object], what: str, *, saves: int) -> None:
    """Begin in another process, which ends by a signal once it has kept so many states."""
    words = [str(hospital.folder), str(hospital.yaml), str(checkpoint), repr(config), str(saves), what]
    done = subprocess.run([sys.executable, "-c", KILLED, *words], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def config(**more: object) -> RunConfig:
    return RunConfig.of(None, **{"settings": FEW, "device": "cpu", **more})


@pytest.fixture(scope="module")
def whole(hospital, tmp_path_factory) -> Path:
    """A fit that nobody disturbed."""
    made = fit_linked(hospital.folder, hospital.yaml, config=config(seed=SEED))
    return made.save(tmp_path_factory.mktemp("whole") / "fit")


@pytest.fixture(scope="module")
def stopped(hospital, tmp_path_factory) -> Path:
    """The checkpoint of a fit that was killed among the rows below the units."""
    folder = tmp_path_factory.mktemp("stopped") / "out.checkpoint"
    kill(hospital, folder, {"settings": FEW, "device": "cpu", "seed": SEED}, "fit", saves=8)
    return folder


@pytest.mark.parametrize(
    ("saves", "stage", "at"), [(3, "root", "3 of 6"), (5, "root", "5 of 6"), (8, "below", "3 of 9")]
)
def test_a_killed_fit_goes_on_to_the_bit_identical_model(hospital, whole, tmp_path, saves, stage, at):
    """Killed while the units themselves are learned, after the last state of these, and below them."""
    folder = tmp_path / "out.checkpoint"
    kill(hospital, folder, {"settings": FEW, "device": "cpu", "seed": SEED}, "fit", saves=saves)
    _, facts = read_tensors(folder / TRAINING_FILE)
    assert json.loads(facts["facts"])["stage"] == {"name": stage}
    again = fit_linked(hospital.folder, hospital.yaml, config=config(), checkpoint=Checkpoint(folder, resume=True))
    assert again.facts["notes"] == [f"training goes on after step {at}"]
    assert again.synthesizer.seed == SEED
    again.save(tmp_path / "again")
    one, two = (side / "model" / "model.safetensors" for side in (whole, tmp_path / "again"))
    assert one.read_bytes() == two.read_bytes()
    cards = [json.loads((side / "model" / "synthesizer.json").read_text()) for side in (whole, tmp_path / "again")]
    assert cards[0]["settings"] == cards[1]["settings"]
    assert {k: v for k, v in cards[0]["log"].items() if k not in {"seconds", "memory"}} == {
        k: v for k, v in cards[1]["log"].items() if k not in {"seconds", "memory"}
    }
    charged = [json.loads((side / "ledger.json").read_text()) for side in (whole, tmp_path / "again")]
    assert [c["what"] for c in charged[0]["charges"]] == [c["what"] for c in charged[1]["charges"]]


def test_a_killed_run_goes_on_by_the_command_with_the_same_people_held_out(hospital, tmp_path, command):
    """Roles come from the system: without those that are kept, other people would be trained on."""
    kill(hospital, tmp_path / "out.checkpoint", {"settings": FEW, "device": "cpu", "quick": True}, "run", saves=9)
    kept = pd.read_parquet(tmp_path / "out.checkpoint" / CHECKPOINT_ROLES)
    seed = json.loads((tmp_path / "out.checkpoint" / CHECKPOINT_CARD).read_text())["seed"]
    out = tmp_path / "out"
    words = ["run", hospital.folder, "--schema", hospital.yaml, "--out", out, "--quick", "--device", "cpu"]
    words += [word for name, value in FEW.items() for word in ("--set", f"{name}={value}")]
    refused = command(*words)
    assert refused.code == 2
    assert "must not exist yet; however: a training that was stopped is kept there" in refused.err
    said = command(*words, "--resume")
    assert said.code == 0, said.err
    assert "training goes on after step 4 of 9" in said.err
    pd.testing.assert_frame_equal(pd.read_parquet(out / "internal" / "roles.parquet"), kept)
    assert json.loads((out / "run.json").read_text())["seed"] == seed
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_no_row_and_no_pickle_is_kept(stopped):
    """Weights, moments and generators by name; all else is plain."""
    assert sorted(p.name for p in stopped.iterdir()) == [CHECKPOINT_CARD, TRAINING_FILE]
    tensors, facts = read_tensors(stopped / TRAINING_FILE)
    assert {name.split("/")[0] for name in tensors} == {"training", "made"}
    assert set(json.loads(facts["facts"])) == {"stage", "training", "made"}
    card = json.loads((stopped / CHECKPOINT_CARD).read_text())
    assert card["rows"]["patients"] == 60


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"settings": FEW | {"steps": 61}}, "settings is"),
        ({"seed": SEED + 1}, "seed is"),
        ({"model": "independent", "settings": {}}, "model, settings are"),
    ],
)
def test_another_training_is_refused(hospital, stopped, changed, named):
    asked = config(seed=SEED).model_copy(update=changed)
    with pytest.raises(ConfigError, match=f"must go on with the same training; however: {named} not what .* Repeat"):
        fit_linked(hospital.folder, hospital.yaml, config=asked, checkpoint=Checkpoint(stopped, resume=True))


def test_other_tables_are_refused(stopped, tmp_path, hospital):
    with pytest.raises(ConfigError, match="however: rows, coding are not what"):
        fit_linked(small_hospital(50), SCHEMA, config=config(), checkpoint=Checkpoint(stopped, resume=True))
    place = tmp_path / "run.checkpoint"
    kill(hospital, place, {"settings": FEW, "device": "cpu", "quick": True}, "run", saves=1)
    with pytest.raises(TableError, match="roles must belong to the table they were drawn for"):
        synthesize_linked(small_hospital(50), SCHEMA, config=config(), checkpoint=Checkpoint(place, resume=True))


def test_the_baseline_has_nothing_to_keep(hospital, tmp_path, command):
    words = ("fit", hospital.folder, "--schema", hospital.yaml, "--out", tmp_path / "out", "--model", "independent")
    said = command(*words, "--resume")
    assert said.code == 0, said.err
    assert "no training is kept" in said.err
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
