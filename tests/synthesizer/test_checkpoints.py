"""A training killed for real goes on to the same model, in a run with the same roles; anything else is refused."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from synthkit.errors import ArtefactError, ConfigError
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit, synthesize
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.synthesizer.checkpoints import CHECKPOINT_CARD, CHECKPOINT_ROLES, TRAINING_FILE, Checkpoint
from synthkit.synthesizer.model_files import read_tensors, write_tensors
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.training.state import State

SMALL = {"width": 16, "hidden": 8, "batch_size": 32, "steps": 60}
SEED = 4
STATE = State({"w": torch.arange(3.0)}, {"done": 5})
IDENTITY = {"seed": 7, "rows": 80.0, "model": "autoregressive", "settings": {"steps": 60}}

KILLED = """
import sys
from synthkit.synthesizer.checkpoints import Checkpoint
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit, synthesize
from synthkit.runtime.progress import Silent

class Teller(Silent):
    def advance(self, done, total, note=""):
        print(done, flush=True)

class Always(Checkpoint):
    def due(self):
        return True

config = RunConfig.of(None, **eval(sys.argv[4]))
what = {"fit": fit, "run": synthesize}[sys.argv[5]]
what(sys.argv[1], sys.argv[2], config=config, checkpoint=Always(sys.argv[3]), progress=Teller())
"""


def kill(toy, checkpoint: Path, config: dict, what: str, at: int = 23) -> None:
    """Begin a command in another process and kill it after step `at`; nothing of it can be tidied up."""
    words = [str(toy.csv), str(toy.yaml), str(checkpoint), repr(config), what]
    process = subprocess.Popen([sys.executable, "-c", KILLED, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= at:
            break
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    assert process.wait(60) == -signal.SIGKILL


@pytest.fixture(scope="module")
def stopped(toy, tmp_path_factory) -> Path:
    """The checkpoint of a fit that was killed between steps 22 and 60."""
    folder = tmp_path_factory.mktemp("stopped") / "out.checkpoint"
    kill(toy, folder, {"settings": SMALL, "seed": SEED}, "fit")
    return folder


def copy(stopped: Path, to: Path) -> Path:
    to.mkdir()
    for file in stopped.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_a_killed_fit_goes_on_to_the_bit_identical_model(toy, stopped, tmp_path):
    folder = copy(stopped, tmp_path / "c")
    whole = fit(toy.csv, toy.yaml, config=RunConfig(settings=SMALL, seed=SEED))
    checkpoint = Checkpoint(folder, resume=True)
    again = fit(toy.csv, toy.yaml, config=RunConfig(settings=SMALL), checkpoint=checkpoint)
    (note,) = again.facts["notes"]
    assert 22 <= int(re.fullmatch(r"training goes on after step (\d+) of 60", note)[1]) < 60
    assert again.facts["seed"] == again.synthesizer.seed == SEED
    whole.save(tmp_path / "whole")
    again.save(tmp_path / "again")
    one, two = ((tmp_path / side / "model" / "model.safetensors").read_bytes() for side in ("whole", "again"))
    assert one == two
    one, two = whole.synthesizer.log, again.synthesizer.log
    assert (one.at, one.train, one.validation, one.best_step) == (two.at, two.train, two.validation, two.best_step)


def test_what_is_kept_is_json_and_tensors_and_no_row(stopped):
    """Two files, no pickle; what is not a weight, a moment or a generator is plain.

    A process that was killed while it wrote leaves a part of one of them under a temporary name.
    """
    names = sorted(p.name for p in stopped.iterdir())
    assert [name for name in names if not name.endswith(".partial")] == [CHECKPOINT_CARD, TRAINING_FILE]
    assert all(name.startswith((f".{CHECKPOINT_CARD}.", f".{TRAINING_FILE}.")) for name in names[: len(names) - 2])
    assert stopped.stat().st_mode & 0o077 == 0
    card = json.loads((stopped / CHECKPOINT_CARD).read_text())
    assert (card["format"], card["seed"], card["model"]) == ("synthkit-checkpoint/1", SEED, "autoregressive")
    tensors, facts = read_tensors(stopped / TRAINING_FILE)
    heads = {name.rsplit("/", 1)[-1].split(".")[0] for name in tensors if "part 0" not in name}
    assert heads == {"module", "optimizer", "torch"}
    assert set(json.loads(facts["facts"])["course"]) == {"steps", "done", "loss", "seconds"}


def test_a_killed_run_goes_on_by_the_command_with_the_same_people_held_out(toy, tmp_path, command):
    """Roles come from the system: without those that are kept, other rows would be trained on."""
    out = tmp_path / "out"
    kill(toy, tmp_path / "out.checkpoint", {"settings": SMALL, "quick": True}, "run")
    kept = pd.read_parquet(tmp_path / "out.checkpoint" / CHECKPOINT_ROLES)
    seed = json.loads((tmp_path / "out.checkpoint" / CHECKPOINT_CARD).read_text())["seed"]
    words = ["run", toy.csv, "--schema", toy.yaml, "--out", out, "--quick", "--steps", 60]
    words += [word for key in ("width", "hidden", "batch_size") for word in ("--set", f"{key}={SMALL[key]}")]
    refused = command(*words)
    assert refused.code == 2
    assert "must not exist yet; however: a training that was stopped is kept there" in refused.err
    said = command(*words, "--resume")
    assert said.code == 0, said.err
    assert re.search(r"^  training goes on after step \d+ of 60$", said.err, flags=re.MULTILINE)
    pd.testing.assert_frame_equal(pd.read_parquet(out / "internal" / "roles.parquet"), kept)
    assert json.loads((out / "run.json").read_text())["seed"] == seed
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_roles_taken_up_are_the_roles_drawn(toy, tmp_path):
    made = synthesize(
        toy.frame, toy.schema, config=RunConfig(settings=SMALL | {"steps": 3}, quick=True), checkpoint=begun(tmp_path)
    )
    pd.testing.assert_frame_equal(Checkpoint(tmp_path / "c", resume=True).roles(), made.roles)


def begun(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "c", every=0.0)


def test_resume_without_a_checkpoint_begins_and_says_so(toy, tmp_path, command):
    out = tmp_path / "out"
    said = command("fit", toy.csv, "--schema", toy.yaml, "--out", out, "--model", "independent", "--resume")
    assert said.code == 0
    assert f"no training is kept in {out}.checkpoint: it begins at the beginning" in said.err
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_ctrl_c_says_how_to_go_on(toy, stopped, tmp_path):
    """A real signal to a training that was taken up: the checkpoint stays."""
    copy(stopped, tmp_path / "out.checkpoint")
    card = json.loads((tmp_path / "out.checkpoint" / CHECKPOINT_CARD).read_text())
    card["settings"]["steps"] = 10**6  # far enough away
    (tmp_path / "out.checkpoint" / CHECKPOINT_CARD).write_text(json.dumps(card))
    tensors, facts = read_tensors(stopped / TRAINING_FILE)
    plain = json.loads(facts["facts"])
    plain["course"]["steps"] = 10**6
    write_tensors(tmp_path / "out.checkpoint" / TRAINING_FILE, tensors, {"facts": json.dumps(plain)})
    words = ["fit", str(toy.csv), "--schema", str(toy.yaml), "--out", str(tmp_path / "out"), "--resume"]
    words += ["--steps", "1000000", "--seed", str(SEED)]
    words += [w for key in ("width", "hidden", "batch_size") for w in ("--set", f"{key}={SMALL[key]}")]
    program = "import sys; from synthkit.cli.app import main; sys.argv[0] = 'synthkit'; main()"
    process = subprocess.Popen([sys.executable, "-c", program, *words], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "training goes on" in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=500)
    assert process.returncode == 130
    kept = tmp_path / "out.checkpoint"
    assert err.strip().endswith(f"stopped; the training is kept in {kept}, and --resume goes on with it")
    assert [p.name for p in tmp_path.iterdir()] == ["out.checkpoint"]


# ---- what does not belong together ----


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"settings": SMALL | {"steps": 61}}, "settings is"),
        ({"seed": SEED + 1}, "seed is"),
        ({"model": "independent", "settings": {}}, "model, settings are"),
    ],
)
def test_another_training_is_refused(toy, stopped, changed, named):
    config = RunConfig.of(None, **{"settings": SMALL, "seed": SEED})
    config = config.model_copy(update=changed)
    with pytest.raises(ConfigError, match=f"must go on with the same training; however: {named} not what .* Repeat"):
        fit(toy.frame, toy.schema, config=config, checkpoint=Checkpoint(stopped, resume=True))


def test_another_table_is_refused(toy, stopped):
    changed = toy.frame.assign(age=toy.frame["age"].iloc[::-1].to_numpy() + 1)
    for table, named in ((toy.frame.head(79), "rows, coding are"), (changed, "coding is")):
        with pytest.raises(ConfigError, match=f"however: {named} not what"):
            fit(table, toy.schema, config=RunConfig(settings=SMALL), checkpoint=Checkpoint(stopped, resume=True))


def test_another_version_or_device_is_refused(toy, stopped, tmp_path):
    for key, value in (("version", "0.0.1, torch 1.0"), ("device", "cuda")):
        folder = copy(stopped, tmp_path / key)
        card = json.loads((folder / CHECKPOINT_CARD).read_text())
        (folder / CHECKPOINT_CARD).write_text(json.dumps(card | {key: value}))
        with pytest.raises(ConfigError, match=f"however: {key} is not what"):
            fit(
                toy.frame,
                toy.schema,
                config=RunConfig(settings=SMALL, device="cpu"),
                checkpoint=Checkpoint(folder, resume=True),
            )


def test_a_run_is_not_taken_up_as_a_fit_nor_a_fit_as_a_run(toy, stopped):
    """Other rows are trained on."""
    with pytest.raises(ConfigError, match="however: rows, coding are not what"):
        synthesize(toy.frame, toy.schema, config=RunConfig(settings=SMALL), checkpoint=Checkpoint(stopped, resume=True))


def test_no_checkpoint_under_a_budget(toy, tmp_path):
    """The state of a training would be released for nothing; the refusal comes before anything is charged."""
    book = Ledger.new(tmp_path / "ledger.json", Budget(epsilon=1.0, delta=1e-6))
    checkpoint = Checkpoint(tmp_path / "checkpoint")
    with pytest.raises(ConfigError, match="a checkpoint needs a training without a budget; however: there is one"):
        Synthesizer(toy.schema, "marginal").fit(toy.frame, seed=1, ledger=book, checkpoint=checkpoint)
    assert book.charges == ()


# ---- the folder ----


def test_a_state_comes_back_as_it_was(tmp_path):
    checkpoint = begun(tmp_path)
    checkpoint.begin(IDENTITY)
    assert (checkpoint.exists, checkpoint.taken_up, checkpoint.seed, checkpoint.load()) == (False, False, None, None)
    checkpoint.save(STATE)
    again = Checkpoint(tmp_path / "c", resume=True)
    again.begin(IDENTITY)
    assert (again.exists, again.taken_up, again.seed, again.roles()) == (True, True, 7, None)
    assert torch.equal(again.load().tensors["w"], STATE.tensors["w"])
    assert again.load().facts == STATE.facts
    again.save(State({"w": torch.zeros(1)}, {"done": 6}))
    assert Checkpoint(tmp_path / "c", resume=True).load().facts == {"done": 6}


def test_a_state_is_due_after_a_while_and_never_costs_a_twentieth(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    checkpoint = Checkpoint(tmp_path / "c", every=30.0)
    checkpoint.begin(IDENTITY)
    clock[0] = 29.0
    assert not checkpoint.due()
    clock[0] = 30.0
    assert checkpoint.due()
    monkeypatch.setattr(
        "synthkit.synthesizer.checkpoints.write_tensors", lambda *_: clock.__setitem__(0, clock[0] + 4.0)
    )
    checkpoint.save(STATE)
    clock[0] = 34.0 + 79.0
    assert not checkpoint.due()
    clock[0] = 34.0 + 80.0
    assert checkpoint.due()


def test_beginning_anew_leaves_nothing_of_the_old(tmp_path):
    first = begun(tmp_path)
    first.keep_roles(pd.DataFrame({"unit": [1]}))
    first.begin(IDENTITY)
    first.save(STATE)
    second = Checkpoint(tmp_path / "c", replace=True)
    second.begin(IDENTITY | {"seed": 8})
    assert second.load() is None
    second.save(STATE)
    assert Checkpoint(tmp_path / "c", resume=True).seed == 8
    assert not (tmp_path / "c" / CHECKPOINT_ROLES).exists()


def test_removing_spares_what_is_not_ours(tmp_path):
    checkpoint = begun(tmp_path)
    checkpoint.begin(IDENTITY)
    checkpoint.save(STATE)
    (tmp_path / "c" / "mine.txt").touch()
    (tmp_path / "c" / f".{TRAINING_FILE}.x1.partial").touch()  # a kill while a state was written
    checkpoint.remove()
    assert [p.name for p in (tmp_path / "c").iterdir()] == ["mine.txt"]
    begun(tmp_path / "nothing").remove()


def test_beside_the_output(tmp_path, monkeypatch):
    assert Checkpoint.beside(Path("runs/icu")).folder == Path("runs/icu.checkpoint")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert Checkpoint.beside(Path()).folder == tmp_path / "here.checkpoint"


def kept(tmp_path: Path) -> Path:
    checkpoint = begun(tmp_path)
    checkpoint.keep_roles(pd.DataFrame({"unit": [1]}))
    checkpoint.begin(IDENTITY)
    checkpoint.save(STATE)
    return tmp_path / "c"


def test_a_checkpoint_is_neither_lost_nor_taken_up_by_accident(tmp_path):
    with pytest.raises(ArtefactError, match=r"must not exist yet; however: a training that was stopped .* --resume"):
        Checkpoint(kept(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"however: checkpoint\.json cannot be read"),
        ("[]", "must have format synthkit-checkpoint/1; however: None"),
        ('{"format": "synthkit-checkpoint/9"}', "however: 'synthkit-checkpoint/9'. Begin anew"),
        ('{"format": "synthkit-checkpoint/1"}', r"however: checkpoint\.json cannot be read"),
    ],
)
def test_a_damaged_card_is_refused(tmp_path, text, message):
    (kept(tmp_path) / CHECKPOINT_CARD).write_text(text)
    with pytest.raises(ArtefactError, match=message):
        Checkpoint(tmp_path / "c", resume=True)


def test_damaged_states_and_roles_are_refused(tmp_path):
    folder = kept(tmp_path)
    checkpoint = Checkpoint(folder, resume=True)
    write_tensors(folder / TRAINING_FILE, STATE.tensors)
    with pytest.raises(ArtefactError, match=r"however: training\.safetensors cannot be read. Begin anew"):
        checkpoint.load()
    (folder / TRAINING_FILE).write_bytes(b"\0" * 9)
    with pytest.raises(ArtefactError, match="SafetensorError"):
        checkpoint.load()
    (folder / CHECKPOINT_ROLES).unlink()
    with pytest.raises(ArtefactError, match=r"however: roles\.parquet cannot be read"):
        checkpoint.roles()
    (folder / TRAINING_FILE).unlink()
    assert checkpoint.load() is None  # killed before the first state: the roles are kept, the training begins


def test_a_place_that_cannot_be_written_is_said_and_the_training_goes_on(toy, tmp_path):
    (tmp_path / "file").touch()
    config = RunConfig(settings=SMALL | {"steps": 3}, seed=1)
    made = fit(toy.frame, toy.schema, config=config, checkpoint=Checkpoint(tmp_path / "file" / "c", every=0.0))
    assert made.synthesizer.log.steps == 3
    assert "the state of the training could not be kept" in made.facts["notes"][0]
    assert "must be writable; however" in made.facts["notes"][0]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_it_is_the_owners_alone(tmp_path):
    assert kept(tmp_path).stat().st_mode & 0o077 == 0
