"""A saved synthesizer: two files and no row, the same rows from them elsewhere, damage named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from synthkit.errors import ArtefactError
from synthkit.schema import Schema
from synthkit.synthesizer import model_files
from synthkit.synthesizer.model_files import MODEL_CARD, TENSORS, lawful, read_tensors, write_tensors
from synthkit.synthesizer.synthesizer import Synthesizer


def test_a_saved_folder_is_small_json_and_tensors_without_a_row(quick, tmp_path):
    quick.save(tmp_path / "m")
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["model.safetensors", "synthesizer.json"]
    card = json.loads((tmp_path / "m" / "synthesizer.json").read_text())
    assert card["format"] == "synthkit-model/1"
    assert "id" not in card["encoder"]["codecs"]


def test_it_loads_where_the_data_are_not(quick, tmp_path):
    """In another process, in an empty folder: the same rows for the same seed."""
    quick.save(tmp_path / "m")
    quick.sample(20, seed=5).to_parquet(tmp_path / "here.parquet")
    script = (
        "from synthkit.synthesizer.synthesizer import Synthesizer\n"
        "Synthesizer.load('m', device='cpu').sample(20, seed=5).to_parquet('there.parquet')\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "SYNTHKIT_DATA"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, env=environment, timeout=500)
    here, there = (pd.read_parquet(tmp_path / f"{side}.parquet") for side in ("here", "there"))
    pd.testing.assert_frame_equal(here, there)


CARDS = {
    "no json": lambda card: json.dumps(card)[:200],
    "a list": lambda card: "[]",
    "other format": lambda card: json.dumps(card | {"format": "synthkit-model/9"}),
    "no encoder": lambda card: json.dumps({k: v for k, v in card.items() if k != "encoder"}),
    "other schema": lambda card: json.dumps(card | {"schema": {"columns": {}}}),
    "no model yet": lambda card: json.dumps(card | {"model": "auto"}),
    "other model": lambda card: json.dumps(card | {"model": "gan"}),
}


def damaged(folder: Path, how: str) -> None:
    card, tensors = folder / model_files.MODEL_CARD, folder / model_files.TENSORS
    if how == "no card":
        card.unlink()
    elif how == "no tensors":
        tensors.unlink()
    elif how == "truncated":
        tensors.write_bytes(tensors.read_bytes()[:-100])
    elif how == "other tensors":
        tensors.write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    else:
        card.write_text(CARDS[how](json.loads(card.read_text())))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no card", "however: synthesizer.json is not there"),
        ("no tensors", "however: model.safetensors is not there"),
        ("truncated", "must hold an undamaged model; however: a file cannot be read .SafetensorError"),
        ("other tensors", "must hold the model's tensors; however: .*query.* differ"),
        ("no json", "must hold an undamaged model; however: .*synthesizer.json must be JSON"),
        ("a list", "must have format synthkit-model/1; however: None"),
        ("other format", "must have format synthkit-model/1; however: 'synthkit-model/9'. Load it with"),
        ("no encoder", "synthesizer.json is incomplete or altered .KeyError"),
        ("other schema", "synthesizer.json is incomplete or altered .ValidationError"),
        ("no model yet", "must be one of .*; however: it is another"),
        ("other model", "must be one of .*; however: it is another"),
    ],
)
def test_a_damaged_folder_is_refused(quick, tmp_path, how, message):
    quick.save(tmp_path / "m")
    damaged(tmp_path / "m", how)
    with pytest.raises(ArtefactError, match=message):
        Synthesizer.load(tmp_path / "m")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match=r"must hold synthesizer.json and model.safetensors"):
        Synthesizer.load(tmp_path / "nowhere")


def test_saving_again_replaces_the_older_model(quick, baseline, tmp_path):
    quick.save(tmp_path / "m")
    baseline.save(tmp_path / "m")
    assert Synthesizer.load(tmp_path / "m").model_name == "independent"
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("name", ["autoregressive", "ctgan", "diffusion", "tvae"])
@pytest.mark.parametrize("setting", ["width", "blocks"])
def test_a_card_that_asks_for_more_than_its_tensors_hold_is_refused_before_it_is_given(name, setting, tmp_path):
    """Of the 4 TB or the thousand million layers nothing is made."""
    schema = Schema(columns={"x": {"kind": "categorical", "levels": ["a", "b"]}})
    settings = {"steps": 1, "width": 8, "batch_size": 8}
    frame = pd.DataFrame({"x": ["a", "b"] * 20})
    Synthesizer(schema, name, settings=settings, device="cpu").fit(frame, seed=1).save(tmp_path / "m")
    card = json.loads((tmp_path / "m" / MODEL_CARD).read_text())
    card["settings"] = {**card["settings"], setting: 1_000_000}
    (tmp_path / "m" / MODEL_CARD).write_text(json.dumps(card))
    with pytest.raises(ArtefactError, match=r"tensors of the size that its settings ask for|undamaged model"):
        Synthesizer.load(tmp_path / "m")


def test_numbers_that_make_no_law_are_a_damaged_model(quick, tmp_path):
    quick.save(tmp_path / "m")
    tensors, _ = read_tensors(tmp_path / "m" / TENSORS)
    spoilt = {name: each * torch.nan if each.is_floating_point() else each for name, each in tensors.items()}
    write_tensors(tmp_path / "m" / TENSORS, spoilt)
    loaded = Synthesizer.load(tmp_path / "m")
    with pytest.raises(ArtefactError, match="its numbers make no law"), lawful(tmp_path / "m"):
        loaded.sample(50, seed=1)
