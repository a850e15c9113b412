"""A table drawn in shards: the same bytes whoever draws them, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import psutil
import pytest

from synthkit.data import support2, support2_schema
from synthkit.engine.local_engine import LocalEngine
from synthkit.engine.ray_engine import RayEngine, connected, is_loopback, open_sockets
from synthkit.errors import ArtefactError, ConfigError, SchemaError, UnsupportedError, WorkerError
from synthkit.pipeline.engines import engine_of
from synthkit.schema import Schema
from synthkit.synthesizer.shards import STARTED, SUCCESS, ShardPlan, draw_shards, model_digest, plan_of, shard_name
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.watermark import WatermarkKey, detect

COLUMNS = ["age", "sex", "dzgroup", "hospdead", "charges"]


def small_schema() -> Schema:
    known = support2_schema()
    columns = {"mrn": {"kind": "identifier", "pattern": "P[0-9]{4}", "unique": True}}
    return Schema.model_validate(
        {"columns": columns | {n: known.columns[n].model_dump(by_alias=True, exclude_none=True) for n in COLUMNS}}
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    frame = support2()[COLUMNS].head(1500).assign(mrn=[f"Q{k}" for k in range(1500)])
    folder = tmp_path_factory.mktemp("model") / "m"
    schema = small_schema().model_copy(
        update={"columns": {**small_schema().columns, "mrn": small_schema().columns["mrn"]}}
    )
    Synthesizer(schema, "independent").fit(frame, seed=1).save(folder)
    return folder


@pytest.fixture(scope="module")
def plan(model):
    return ShardPlan(rows=2_250, shard_rows=500, seed=7, model=model_digest(model))


@pytest.fixture(scope="module")
def drawn(model, plan, tmp_path_factory):
    return draw_shards(model, tmp_path_factory.mktemp("drawn") / "in process", plan)


def parts(folder) -> dict[str, str]:
    return json.loads((folder / SUCCESS).read_text())["parts"]


def test_all_rows_are_there_and_no_identifier_comes_twice(drawn, model):
    rows = pd.concat([pd.read_parquet(drawn / shard_name(k)) for k in range(5)])
    assert len(rows) == 2_250
    assert len(pd.read_parquet(drawn / shard_name(4))) == 250
    assert rows["mrn"].is_unique
    assert rows["mrn"].str.fullmatch("P[0-9]{4}").all()
    assert set(os.listdir(drawn)) == {SUCCESS, *(shard_name(k) for k in range(5))}
    plain = Synthesizer.load(model).sample(2_250, seed=7)
    assert abs(rows["age"].mean() - plain["age"].mean()) < 6 * plain["age"].std() / 2_250**0.5


def test_several_processes_write_the_same_bytes(model, plan, drawn, tmp_path):
    told = []
    draw_shards(model, tmp_path / "s", plan, engine=LocalEngine(2), progress=lambda *far: told.append(far))
    assert parts(tmp_path / "s") == parts(drawn)
    assert told[0] == (0, 5)
    assert told[-1] == (5, 5)


def test_a_process_that_is_killed_changes_no_byte(model, plan, drawn, tmp_path):
    killed = []

    def kill() -> None:
        end = time.monotonic() + 60
        while not killed and time.monotonic() < end:
            for child in psutil.Process().children(recursive=True):
                if any("piece_worker" in word for word in child.cmdline()):
                    child.kill()
                    killed.append(child.pid)
                    return
            time.sleep(0.01)

    threading.Thread(target=kill).start()
    draw_shards(model, tmp_path / "s", plan, engine=LocalEngine(2))
    assert killed
    assert parts(tmp_path / "s") == parts(drawn)


def test_workers_that_are_always_lost_end_the_work(model, plan, tmp_path, monkeypatch):
    monkeypatch.setattr("synthkit.engine.local_engine.PIECE_WORKER", "synthkit.no_such_module")
    with pytest.raises(WorkerError, match="may be lost 1 times"):
        draw_shards(model, tmp_path / "s", plan, engine=LocalEngine(2, most_lost=1))
    assert (tmp_path / "s" / STARTED).exists()
    monkeypatch.undo()
    draw_shards(model, tmp_path / "s", plan)
    assert not (tmp_path / "s" / STARTED).exists()


def test_what_is_missing_is_drawn_and_nothing_else(model, plan, drawn, tmp_path):
    out = tmp_path / "s"
    shutil.copytree(drawn, out)
    (out / SUCCESS).rename(out / STARTED)
    (out / shard_name(2)).unlink()
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}
    draw_shards(model, out, plan)
    assert parts(out) == parts(drawn)
    assert all((out / name).stat().st_mtime_ns == when for name, when in before.items())


def test_a_stopped_command_goes_on(model, tmp_path, drawn):
    out = tmp_path / "s"
    words = [sys.executable, "-m", "synthkit", "sample", str(model), "--rows", "2250", "--shard-rows", "500"]
    words += ["--seed", "7", "--out", f"{out}/", "--quiet"]
    first = subprocess.Popen(words)
    end = time.monotonic() + 60
    while not (out / shard_name(0)).exists() and time.monotonic() < end:
        time.sleep(0.005)
    first.send_signal(signal.SIGINT)
    first.wait()
    assert subprocess.run(words, check=False).returncode == 0
    assert parts(out) == parts(drawn)


def test_a_watermark_is_found_in_all_shards_together(model, tmp_path):
    key = WatermarkKey.new(small_schema())
    key.save(tmp_path / "key.json")
    plan = plan_of(model, tmp_path / "s", 1_000, 250, 1, False, tmp_path / "key.json")
    draw_shards(model, tmp_path / "s", plan, watermark=tmp_path / "key.json")
    rows = pd.concat([pd.read_parquet(tmp_path / "s" / name) for name in parts(tmp_path / "s")])
    assert detect(rows, key.of(small_schema())).p < 1e-4


def test_a_folder_goes_on_with_what_it_was_begun_with(model, plan, drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "s")
    other = ShardPlan(rows=2_250, shard_rows=500, seed=8, model=plan.model)
    with pytest.raises(ArtefactError, match="another `seed`"):
        draw_shards(model, tmp_path / "s", other)
    assert plan_of(model, tmp_path / "s", 2_250, 500, None, False, None) == plan
    (tmp_path / "s" / "notes.txt").write_text("mine")
    with pytest.raises(ArtefactError, match="something else in it"):
        draw_shards(model, tmp_path / "s", plan)
    (tmp_path / "s" / SUCCESS).write_text('{"format": "synthkit-shards/9"}')
    with pytest.raises(ArtefactError, match="synthkit-shards/1"):
        draw_shards(model, tmp_path / "s", plan)


def test_too_many_shards_are_refused():
    with pytest.raises(ConfigError, match="at most 100,000 shards"):
        ShardPlan(rows=10**9, shard_rows=10, seed=1, model="")


def test_a_pattern_with_too_few_values_is_refused(model, tmp_path):
    plan = ShardPlan(rows=20_000, shard_rows=10_000, seed=1, model=model_digest(model))
    with pytest.raises(SchemaError, match="10,000 and 20,000 are needed"):
        draw_shards(model, tmp_path / "s", plan, engine=LocalEngine(2))


def test_engines_by_name():
    assert engine_of("local", 3) == LocalEngine(3)
    assert engine_of("ray", None) == RayEngine(2)
    assert engine_of("ray://head:10001", 8).address == "ray://head:10001"
    assert engine_of("ray:10.0.0.1:6379", 8).address == "10.0.0.1:6379"
    with pytest.raises(ConfigError, match="`workers` must be 1 or more"):
        engine_of("local", 0)
    with pytest.raises(ConfigError, match="`engine` must be local, ray"):
        engine_of("spark", 1)
    with pytest.raises(ConfigError, match="`memory` is enough for"):
        engine_of("local", 9, "4GB")


def test_a_cluster_of_strangers_is_joined_only_if_nobody_listens(model, plan, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_USE_TLS", raising=False)
    with pytest.raises(ConfigError, match="RAY_USE_TLS is not 1"):
        draw_shards(model, tmp_path / "s", plan, engine=RayEngine(2, address="ray://127.0.0.1:1"))


def test_ray_that_is_not_installed_is_said_so(model, plan, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UnsupportedError, match=r"Install synthkit\[ray\]"):
        draw_shards(model, tmp_path / "s", plan, engine=RayEngine(2))


def test_addresses():
    assert is_loopback("127.0.0.1")
    assert not is_loopback("10.0.0.1")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cluster_of_this_machine_with_a_worker_killed(model, plan, drawn, tmp_path):
    """Real workers, one of them killed; nobody beyond this machine is listened to, and nothing is told to anybody."""
    before = set(psutil.pids())
    killed, heard = [], []

    def kill(done: int, of: int) -> None:
        if done and not killed:
            heard.extend(open_sockets(os.getpid()))
            for child in psutil.Process().children(recursive=True):
                if child.name().startswith("ray::") and "_made" in " ".join([child.name(), *child.cmdline()]):
                    child.kill()
                    killed.append(child.pid)
                    return

    draw_shards(model, tmp_path / "s", plan, engine=RayEngine(2), progress=kill)
    assert parts(tmp_path / "s") == parts(drawn)
    assert not heard
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    left = [
        p for p in psutil.process_iter(["pid", "name"]) if p.pid not in before and "raylet" in (p.info["name"] or "")
    ]
    assert not left


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_without_the_token_nobody_joins():
    with connected(RayEngine(1)) as ray:
        address = ray.get_runtime_context().gcs_address
        asked = f"import ray; ray.init(address={address!r}, log_to_driver=False); print(ray.nodes())"
        env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH_TOKEN")}
        env |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
        stranger = subprocess.run([sys.executable, "-c", asked], env=env, capture_output=True, check=False, timeout=120)
        assert stranger.returncode != 0
