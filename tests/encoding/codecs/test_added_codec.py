"""What one more codec costs, by doing it: the listing of docs/extending, installed, is used from fit to saved model."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from extending import LISTING, circular, offering

from synthkit.encoding import TableEncoder
from synthkit.encoding.codecs.categorical import LevelsCodec
from synthkit.encoding.codecs.codec_registry import CODECS, all_codecs, saved
from synthkit.encoding.encoder import histograms_of
from synthkit.encoding.value_links import ColumnLink
from synthkit.errors import ArtefactError, ConfigError, EncodingError, UnsupportedError
from synthkit.privacy.access.encoder_budget import EncoderBudget, encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain
from synthkit.synthesizer.synthesizer import Synthesizer

SCHEMA = Schema(
    declared_by="the test: made-up people",
    columns={
        "hour": {"kind": "numeric", "decimals": 0, "min": 0, "max": 23, "nullable": True},
        "ward": {"kind": "categorical", "levels": ["day", "night"]},
    },
    rules=[{"rule": "implication", "if": {"ward": {"in": ["night"]}}, "then": {"hour": {"max": 23, "min": 0}}}],
)
CHOSEN = {"hour": "circular"}


def table(n=1500, seed=0):
    """Admissions around midnight; those of the day about noon."""
    rng = np.random.default_rng(seed)
    night = rng.random(n) < 0.7
    hour = np.round(np.where(night, rng.normal(0, 1.5, n), rng.normal(12, 1, n))) % 24
    cells = pd.Series(hour).astype("Int64").mask(rng.random(n) < 0.05)
    return pd.DataFrame({"hour": cells, "ward": np.where(night, "night", "day")})


@pytest.fixture
def installed(tmp_path):
    with circular(tmp_path / "site"):
        yield tmp_path


def test_a_peak_at_midnight_is_not_cut(installed):
    encoder = TableEncoder.fit(SCHEMA, histograms_of(SCHEMA, table()), chosen=CHOSEN)
    levels = encoder.encode(pd.DataFrame({"hour": [22, 23, 0, 1], "ward": ["night"] * 4})).cat[:, 0].tolist()
    assert np.diff(levels).tolist() == [1, 1, 1]


@pytest.mark.parametrize("model", ["independent", "autoregressive"])
def test_a_fit_saves_its_codec_and_a_loaded_model_draws_alike(installed, model):
    frame, settings = table(), {} if model == "independent" else {"steps": 20, "width": 16, "hidden": 16}
    fitted = Synthesizer(SCHEMA, model, settings=settings, codecs=CHOSEN).fit(frame, seed=1)
    drawn = fitted.sample(400, seed=2)
    assert drawn["hour"].between(0, 23).sum() + drawn["hour"].isna().sum() == 400
    assert abs((drawn["hour"] < 3).mean() - (frame["hour"] < 3).mean()) < 0.1
    fitted.save(installed / "model")
    pd.testing.assert_frame_equal(Synthesizer.load(installed / "model").sample(400, seed=2), drawn)
    given = fitted.sample(30, seed=3, given={"hour": 23})
    assert (given["hour"] == 23).all()
    assert fitted.impute(frame.head(60), seed=4)["hour"].notna().all()
    assert np.isfinite(fitted.anomaly_score(frame.head(20))).all()


def test_a_budget_buys_it(installed):
    ledger = Ledger.new(installed / "ledger.json", Budget(epsilon=5, delta=1e-6, unit=None))
    fitted = Synthesizer(SCHEMA, "marginal", codecs=CHOSEN).fit(table(), seed=1, ledger=ledger)
    drawn = fitted.sample(500, seed=2)
    assert abs((drawn["hour"] < 3).mean() - (table()["hour"] < 3).mean()) < 0.2
    assert "histogram of hour" in (installed / "ledger.json").read_text()


def test_a_model_whose_codec_is_not_installed_is_refused_with_the_remedy(tmp_path):
    with circular(tmp_path / "site"):
        Synthesizer(SCHEMA, "independent", codecs=CHOSEN).fit(table(), seed=1).save(tmp_path / "model")
    with pytest.raises(
        UnsupportedError, match=r"must be installed; however: `circular` is not\. Install the distribution"
    ):
        Synthesizer.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"hour": "spiral"}, r"codec of `hour` must be one of numeric, .*circular; however: `spiral`\. Install"),
        ({"ward": "circular"}, r"codec of `ward` must be able to code it; however: `circular` is for others"),
        ({"hours": "circular"}, r"chosen for coded columns, which are hour, ward; however: `hours`\. Leave them out"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_refused(installed, chosen, message):
    for refused in (
        lambda: TableEncoder.fit(SCHEMA, histograms_of(SCHEMA, table(50)), chosen=chosen),
        lambda: encoder_queries(declared_domain(SCHEMA), chosen=chosen),
    ):
        with pytest.raises(ConfigError, match=message):
            refused()


def exact_only():
    """The listing without a way to fit it under a budget."""
    text = LISTING.read_text(encoding="utf-8")
    return re.sub(r",\s*private=PrivateFit\(.*?\)(?=,?\s*\))", "", text, flags=re.DOTALL)


def test_without_a_private_fit_a_budget_is_refused_before_anything_is_charged(tmp_path):
    with offering(tmp_path / "site", exact_only(), {"exact": "SPEC"}, name="exact-codec"):
        assert all_codecs()["exact"].private is None
        ledger = Ledger.new(tmp_path / "ledger.json", Budget(epsilon=5, delta=1e-6, unit=None))
        before = (tmp_path / "ledger.json").read_bytes()
        with pytest.raises(
            UnsupportedError, match=r"fitted to noisy answers; however: `exact`, the codec of `hour`, cannot"
        ):
            Synthesizer(SCHEMA, "marginal", codecs={"hour": "exact"}).fit(table(), seed=1, ledger=ledger)
        assert (tmp_path / "ledger.json").read_bytes() == before


def test_a_plugin_that_is_no_spec_is_refused(tmp_path):
    with (
        offering(tmp_path / "site", "IT = 1", {"odd": "IT"}, name="odd-codec"),
        pytest.raises(ConfigError, match=r"must be a CodecSpec; however: `odd` is a `int`\. Repair its entry point"),
    ):
        all_codecs()


def test_a_name_of_ours_is_refused(tmp_path):
    with (
        offering(tmp_path / "site", "IT = 1", {"levels": "IT"}, name="greedy-codec"),
        pytest.raises(ConfigError, match=r"greedy-codec .* offers `levels`, which is of synthkit"),
    ):
        all_codecs()


def test_a_codec_nobody_registered_cannot_be_saved():
    class Own(LevelsCodec):
        """A codec of this test."""

    codec = Own(levels=("a",), counts=np.array([1]), missing=None, ordinal=False)
    with pytest.raises(ConfigError, match=r"registered to be saved; however: Own is not\. Add an entry point"):
        saved(codec)


def test_a_link_to_a_column_that_has_no_cells_of_numbers_is_refused():
    frame = table(200)
    data = TableEncoder.fit(SCHEMA, histograms_of(SCHEMA, frame)).to_dict()
    data["ties"] = [ColumnLink(target="hour", source="ward", equal=0.5).to_dict()]
    with pytest.raises(ArtefactError, match=r"must be coded in cells of numbers; however: `ward` is not\. Fit again"):
        TableEncoder.from_dict(json.loads(json.dumps(data)), SCHEMA)


def answers_of(monkeypatch, question):
    """What a codec is answered that asks a question as it must not."""
    spec = CODECS["levels"]
    private = type(spec.private)(queries=lambda column, counted: ("counts", "bounds", "levels"), fit=question)
    monkeypatch.setitem(
        CODECS, "levels", type(spec)(codec=spec.codec, handles=spec.handles, fit=spec.fit, private=private)
    )
    public, paid = declared_domain(SCHEMA), []
    plan = EncoderBudget(queries=encoder_queries(public), rho=1.0, delta=1e-6)
    with pytest.raises(EncodingError) as refused:
        PrivateCurator.of(table(100), public).encoder(plan, None, paid.append)
    assert [charge.what for charge in paid if "ward" in charge.what] == [], "nothing is paid for what is not answered"
    return str(refused.value)


CELLS = {
    "beyond the last": lambda rows: np.full(len(rows), 3),
    "below -1": lambda rows: np.full(len(rows), -2),
    "a row twice": lambda rows: np.zeros(2 * len(rows)),
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_codec_may_not_count_a_row_twice_or_outside_its_cells(monkeypatch, cell):
    said = answers_of(monkeypatch, lambda column, answers, coding: answers.counts("counts", cell, 3))
    assert said.startswith("a codec must give each row one of 3 cells, or -1; however: that of `ward` does not")


QUESTIONS = {
    "bounds": lambda column, answers, coding: answers.bounds(lambda rows: np.zeros(2 * len(rows))),
    "levels": lambda column, answers, coding: answers.levels(lambda rows: ["a"] * (2 * len(rows))),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_codec_says_of_each_row_one_thing(monkeypatch, question):
    said = answers_of(monkeypatch, question)
    assert said.startswith("a codec must say of each row one thing; however: that of `ward` says 200 of 100 rows")
