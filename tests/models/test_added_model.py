"""What one more model costs, by doing it: the Chow-Liu tree of docs/extending, installed as a distribution."""

from __future__ import annotations

import ast
import importlib
import itertools
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from installed import install
from listings import listing
from places import ROOT

from synthkit.errors import ArtefactError, ConfigError
from synthkit.models.registry import MODELS, models
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

LISTING = ROOT / "docs" / "extending" / "model.py"
# x tells y, y tells z: the tree is x - y - z, and w stands by itself
SCHEMA = Schema(
    declared_by="the test: made-up people",
    columns={name: {"kind": "categorical", "levels": ["a", "b", "c"]} for name in "xyzw"},
)


def chain(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, n)
    y = np.where(rng.random(n) < 0.85, x, rng.integers(0, 3, n))
    z = np.where(rng.random(n) < 0.85, y, rng.integers(0, 3, n))
    return pd.DataFrame(
        {k: np.array(list("abc"))[v] for k, v in zip("xyzw", (x, y, z, rng.integers(0, 3, n)), strict=True)}
    )


@pytest.fixture
def site(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "chow_liu_tree", raising=False)
    importlib.invalidate_caches()
    return folder


def installed(site, name="chow-liu", text=None, target="ChowLiu"):
    modules = {"chow_liu_tree": LISTING.read_text(encoding="utf-8") if text is None else text}
    install(site, "chow-liu", modules=modules, entry_points={"synthkit.models": {name: f"chow_liu_tree:{target}"}})


def edges(model):
    return {frozenset((k, int(i))) for k, i in enumerate(model._parents) if i >= 0}


def test_it_works_under_a_budget_without_a_line_elsewhere(site, tmp_path):
    """Charged to the last, by the path of every model; the tree is found through the noise."""
    installed(site)
    ledger = Ledger.new(tmp_path / "ledger.json", Budget(epsilon=3, delta=1e-6, unit="row"))
    fitted = Synthesizer(SCHEMA, "chow-liu").fit(chain(), seed=1, ledger=ledger)
    assert 2.9 < ledger.epsilon() <= 3.0
    assert fitted.rows == pytest.approx(6000, rel=0.05)
    assert {frozenset((0, 1)), frozenset((1, 2))} <= edges(fitted._model)
    drawn = fitted.sample(4000, seed=2)
    assert float((drawn["x"] == drawn["y"]).mean()) == pytest.approx(0.9, abs=0.04)
    fitted.save(tmp_path / "model")
    again = Synthesizer.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.sample(50, seed=3), fitted.sample(50, seed=3))


def test_its_probabilities_are_those_of_brute_force(site):
    """Sums over all rows there can be: the law, and every conditional of one slot given two others."""
    installed(site)
    fitted = Synthesizer(SCHEMA, "chow-liu").fit(chain(), seed=1)
    model = fitted._model
    every = torch.tensor(list(itertools.product(range(3), repeat=4)))
    rows, given = listing("model").Rows, listing("model").Given
    p = model.log_prob(rows(every, torch.zeros(len(every), 0))).exp().double()
    assert float(p.sum()) == pytest.approx(1, abs=1e-5)
    frame = chain()
    counts = frame.groupby(["x", "y"]).size() / len(frame)
    ours = pd.Series(p.numpy()).groupby([every[:, 0].numpy(), every[:, 1].numpy()]).sum()
    np.testing.assert_allclose(ours.to_numpy(), counts.to_numpy(), atol=2e-3)
    known = torch.tensor([[2, -1, 0, -1]]).expand(3, -1)
    asked = torch.tensor([[2, level, 0, -1] for level in range(3)])
    aim = torch.zeros(3, 4, dtype=torch.bool)
    aim[:, 1] = True
    told = model.log_prob_given(rows(asked.clamp(min=0), torch.zeros(3, 0)), given(known, {}), aim).exp()
    here = (every[:, 0] == 2) & (every[:, 2] == 0)
    by_hand = torch.stack([p[here & (every[:, 1] == level)].sum() for level in range(3)]) / p[here].sum()
    torch.testing.assert_close(told.double(), by_hand, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "text", "however"),
    [
        ("marginal", None, "offers `marginal`, which is of synthkit"),
        ("chow-liu", "ChowLiu = 3", "a model must be a subclass of RowModel; however: `chow-liu` is none"),
        ("chow-liu", "import nothing_like_this", "must be importable; however: chow-liu"),
    ],
)
def test_what_is_no_model_is_refused(site, name, text, however):
    installed(site, name, text)
    with pytest.raises(ConfigError, match=however):
        Synthesizer(SCHEMA, "independent")


def test_a_model_that_is_not_installed_is_refused_by_name(site, tmp_path, monkeypatch):
    installed(site)
    Synthesizer(SCHEMA, "chow-liu").fit(chain(300), seed=1).save(tmp_path / "model")
    monkeypatch.undo()
    assert set(models()) == set(MODELS)
    with pytest.raises(ArtefactError, match=r"must be one of .*; however: it is another. Install the distribution"):
        Synthesizer.load(tmp_path / "model")


MATHEMATICS = ("_upward", "_log_known", "_log_fine", "_law", "_tree", "_price", "_order", "_ancestors", "log_prob")
MATHEMATICS += ("log_prob_given", "negative_log_prob", "sample_given", "_draw")


def test_a_model_costs_forty_lines_without_mathematics():
    """Two files: the listing, and the entry point in the metadata of its distribution. Imports and words are free."""
    tree = ast.parse(LISTING.read_text(encoding="utf-8"))
    free: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            free |= set(range(node.lineno, node.end_lineno + 1))
        if isinstance(node, ast.FunctionDef) and node.name in MATHEMATICS:
            free |= set(range(node.lineno, node.end_lineno + 1))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            free |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
        if (
            isinstance(node, ast.FunctionDef) and node.name == "fit_counts"
        ):  # of it the signature alone is no mathematics
            free |= set(range(node.body[1].lineno, node.end_lineno + 1))
    lines = LISTING.read_text(encoding="utf-8").splitlines()
    assert len([n for n, line in enumerate(lines, 1) if line.strip() and n not in free]) <= 40
