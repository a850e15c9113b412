"""The numbered contract of `Codec`: every codec of the registry and of docs/extending keeps it; broken ones do not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from extending import circular

from synthkit.encoding import Coding, TableEncoder
from synthkit.encoding.codecs.categorical import LevelsCodec
from synthkit.encoding.codecs.codec import Codec
from synthkit.encoding.codecs.codec_registry import CODECS, all_codecs, spec_for
from synthkit.encoding.coded_columns import CodedColumn, coded_columns
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.encoder import count, histograms_of
from synthkit.encoding.histogram_query import Query
from synthkit.encoding.plain_numbers import plain_condition
from synthkit.privacy.access.encoder_budget import EncoderBudget, encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.schema import Condition, Numeric, Schema
from synthkit.schema.conform import conform
from synthkit.schema.public_domain import declared_domain


@dataclass(frozen=True)
class Case:
    """A column, or columns that go together, and cells of them."""

    codec: str
    columns: dict
    cells: dict
    rules: list = field(default_factory=list)
    exact: bool = True  # whether every cell comes back as it was

    @property
    def schema(self) -> Schema:
        return Schema(columns=self.columns, rules=self.rules, declared_by="the test: made-up people")

    @property
    def frame(self) -> pd.DataFrame:
        return conform(pd.DataFrame({c: pd.Series(v, dtype=object) for c, v in self.cells.items()}), self.schema)

    @property
    def chosen(self) -> dict:
        return {"+".join(self.columns): self.codec} if self.codec not in CODECS else {}

    @property
    def column(self) -> CodedColumn:
        (column,) = coded_columns(Recoding.of(self.schema)).values()
        return column

    @property
    def coded(self) -> pd.DataFrame:
        """The cells as codecs see them."""
        return Recoding.of(self.schema).forward(self.frame)

    def fitted(self) -> Codec:
        spec = spec_for(self.column, self.chosen)
        return spec.fit(self.column, count(self.coded, Query(columns=self.column.members)), Coding())


def numbers(seed, n=600):
    return np.random.default_rng(seed).normal(50, 20, n)


def hours(n=600, seed=0):
    return (np.round(np.random.default_rng(seed).normal(0, 3, n)) % 24).tolist()


def days(n=400):
    rng = np.random.default_rng(3)
    return [None if k % 9 == 0 else np.datetime64("2020-01-01") + int(d) for k, d in enumerate(rng.integers(0, 99, n))]


NUMERIC = {"kind": "numeric", "nullable": True}
THREE_BYTES = {"step": 0.1, "stored_as": "sas3", "significant_digits": 9, "written_decimals": 8}
CASES = {
    "whole numbers": Case(
        "numeric", {"x": NUMERIC | {"decimals": 0}}, {"x": [*np.round(numbers(0)), None]}, exact=False
    ),
    "real numbers": Case("numeric", {"x": NUMERIC}, {"x": [*numbers(1), None, *[0.0] * 90]}, exact=False),
    "multiples of five": Case(
        "numeric", {"x": NUMERIC | {"step": 5, "min": -200, "max": 300}}, {"x": [*(5 * np.round(numbers(4) / 5)), None]}
    ),
    "numbers kept in three bytes": Case(
        "numeric",
        {"x": NUMERIC | THREE_BYTES | {"min": 30, "max": 80}},
        {"x": [*Numeric(**THREE_BYTES).lattice.inside(numbers(5), 30, 80), None]},
        exact=False,
    ),
    "few numbers": Case("numeric", {"x": {"kind": "numeric", "decimals": 1}}, {"x": [0.1, 0.2, 0.3] * 20}),
    "nothing but missing": Case("numeric", {"x": NUMERIC}, {"x": [None] * 5}),
    "days": Case("steps", {"x": {"kind": "datetime", "precision": "day", "nullable": True}}, {"x": days()}),
    "levels": Case(
        "levels", {"x": {"kind": "categorical", "levels": ["a", "b", "c"]}}, {"x": ["a", "b", "c", "a"] * 9}
    ),
    "levels in order": Case(
        "levels", {"x": {"kind": "ordinal", "levels": [3, 1, 2], "nullable": True}}, {"x": [1, 2, 3, None] * 7}
    ),
    "codes": Case("levels", {"x": {"kind": "code", "nullable": True}}, {"x": ["250", "401.9", None] * 8}),
    "combinations": Case(
        "combination",
        {
            "a": {"kind": "categorical", "levels": ["p", "q"]},
            "b": {"kind": "categorical", "levels": [1, 2], "nullable": True},
        },
        {"a": ["p", "p", "q"] * 8, "b": [1, 2, None] * 8},
        [{"rule": "fixed_combination", "columns": ["a", "b"]}],
    ),
    "hours": Case(
        "circular",
        {"x": {"kind": "numeric", "decimals": 0, "min": 0, "max": 23, "nullable": True}},
        {"x": [*hours(), None]},
    ),
    "angles": Case(
        "circular",
        {"x": {"kind": "numeric", "decimals": 1, "min": 0, "max": 359.9}},
        {"x": [round(float(v), 1) % 360 for v in numbers(2) * 4]},
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory):
    with circular(tmp_path_factory.mktemp("site")):
        yield


def any_codes(codec, n, seed=0):
    """Levels and residuals as a model may draw them: a fine level only where it applies, and below the cells it has."""
    rng, slots = np.random.default_rng(seed), codec.slots("x")
    levels = np.zeros((n, len(slots)), dtype=np.int64)
    levels[:, 0] = rng.integers(0, slots[0].size, n)
    for k in range(1, len(slots)):
        cells = np.maximum(np.isfinite(slots[k].prior).sum(axis=1), 1)[levels[:, 0]]
        levels[:, k] = rng.integers(0, cells)
    return levels, rng.random((n, codec.residual_count), dtype=np.float32)


def decoded(case, levels, residuals, codec):
    """What codes stand for, as cells of the table."""
    cells = dict(zip(case.column.members, codec.decode_column(levels, residuals), strict=True))
    return Recoding.of(case.schema).backward(cells)


def law_1_codes_are_as_the_slots_say(codec, case):
    slots = codec.slots("x", 4)
    levels, residuals = codec.encode_column(case.coded)
    assert levels.shape == (len(case.coded), len(slots))
    assert residuals.shape == (len(case.coded), codec.residual_count)
    assert residuals.dtype == np.float32
    assert all(((levels[:, k] >= 0) & (levels[:, k] < slot.size)).all() for k, slot in enumerate(slots))
    assert ((residuals >= 0) & (residuals < 1)).all()
    assert [slot.parent for slot in slots] == [None, 4][: len(slots)]
    absent = case.coded.isna().all(axis=1).to_numpy()
    if len(case.column.members) == 1 and absent.any():
        assert slots[0].missing
        assert ((levels[:, 0] == slots[0].size - 1) == absent).all()


def law_2_what_was_coded_comes_back(codec, case):
    levels, residuals = codec.encode_column(case.coded)
    back = decoded(case, levels, residuals, codec)
    again, _ = codec.encode_column(Recoding.of(case.schema).forward(conform(back, case.schema)))
    assert np.array_equal(again, levels)
    assert (back.isna().to_numpy() == case.frame.isna().to_numpy()).all()
    if case.exact:
        for name in case.columns:
            was, now = (list(f[name].astype(object).where(f[name].notna(), None)) for f in (case.frame, back))
            assert now == was
    else:
        off = (back["x"].astype(float) - case.frame["x"].astype(float)).abs()
        assert (off > 1e-4).sum() < 5  # fewer than five rows are too few for a cell of their own


def law_3_whatever_is_drawn_is_admitted(codec, case):
    back = decoded(case, *any_codes(codec, 500), codec)
    for name, column in case.schema.columns.items():
        assert column.admits(back[name]).all()


def law_4_counts_are_those_of_the_rows(codec, case):
    slot = codec.slots("x")[0]
    levels, _ = codec.encode_column(case.coded)
    assert np.bincount(levels[:, 0], minlength=slot.size).tolist() == np.asarray(codec.level_counts).tolist()
    smooth = np.maximum(np.asarray(codec.level_counts, dtype=float), 1e-9)
    held = smooth >= 5
    assert np.allclose(np.exp(slot.prior[held]), (smooth / smooth.sum())[held], rtol=0.2)


def law_5_levels_meet_what_their_cells_meet(codec, case):
    levels, residuals = any_codes(codec, 800, seed=1)
    back = conform(decoded(case, levels, residuals, codec), case.schema)
    for name in case.columns:
        present = back[name].dropna()
        some = [] if present.empty or "datetime" in str(present.dtype) else [v for v in present.iloc[:2].tolist()]
        conditions = [Condition(missing=True), Condition(missing=False), *(Condition(**{"in": [v]}) for v in some)]
        if some and not isinstance(some[0], str):
            conditions += [Condition(min=float(some[0])), Condition(max=float(some[0]))]
        for condition in conditions:
            surely, possibly = codec.meets(plain_condition(case.schema.columns[name], condition), name)
            met = condition.met(back[name])
            assert (possibly | ~surely).all()
            assert met[surely[levels[:, 0]]].all()
            assert possibly[levels[met, 0]].all()


def law_6_a_copy_made_through_json_codes_alike(codec, case):
    copy = type(codec).from_dict(json.loads(json.dumps(codec.to_dict(), allow_nan=False)))
    for one, two in zip(codec.encode_column(case.coded), copy.encode_column(case.coded), strict=True):
        assert np.array_equal(one, two)
    codes = any_codes(codec, 100)
    pd.testing.assert_frame_equal(decoded(case, *codes, codec), decoded(case, *codes, copy))
    assert copy.to_dict() == codec.to_dict()


LAWS = [law for name, law in list(globals().items()) if name.startswith("law_")]
laws = pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])


def test_every_codec_there_is_has_a_case():
    assert {case.codec for case in CASES.values()} == set(all_codecs()) == {*CODECS, "circular"}
    assert [int(law.__name__.split("_")[1]) for law in LAWS] == list(range(1, 7))
    assert all(f"{k}. " in str(Codec.__doc__) for k in range(1, 7))
    assert "7. " not in str(Codec.__doc__)


@laws
@pytest.mark.parametrize("name", CASES)
def test_every_codec_keeps_the_contract(name, law):
    case = CASES[name]
    codec = case.fitted()
    assert type(codec) is all_codecs()[case.codec].codec
    law(codec, case)


class OutOfRange(LevelsCodec):
    """Law 1 broken: levels are counted from 1."""

    def encode_column(self, cells):
        levels, residuals = super().encode_column(cells)
        return levels + 1, residuals


class Forgetful(LevelsCodec):
    """Law 2 broken: the order is lost on the way back."""

    def decode(self, cat):
        return super().decode((cat + 1) % len(self.levels))


class Inventive(LevelsCodec):
    """Law 3 broken: levels that nobody declared are drawn."""

    def decode(self, cat):
        return super().decode(cat).map(lambda v: f"{v}!")


class Miscounting(LevelsCodec):
    """Law 4 broken: rows are counted twice."""

    @property
    def level_counts(self):
        return 2 * self.counts


class Sure(LevelsCodec):
    """Law 5 broken: every level surely meets everything."""

    def meets(self, condition, column=""):
        return np.ones(self.size, dtype=bool), np.ones(self.size, dtype=bool)


class Lossy(LevelsCodec):
    """Law 6 broken: the order of levels is not saved."""

    def to_dict(self):
        return super().to_dict() | {"levels": sorted(self.levels, reverse=True)}


@pytest.mark.parametrize(
    ("broken", "number"),
    [(OutOfRange, 1), (Forgetful, 2), (Inventive, 3), (Miscounting, 4), (Sure, 5), (Lossy, 6)],
    ids=lambda v: getattr(v, "__name__", v),
)
def test_a_codec_that_breaks_a_law_is_found(broken, number):
    case = CASES["levels"]
    sound = case.fitted()
    codec = broken(levels=sound.levels, counts=sound.counts, missing=sound.missing, ordinal=sound.ordinal)
    with pytest.raises(AssertionError):
        LAWS[number - 1](codec, case)


@pytest.mark.parametrize("name", CASES)
def test_what_a_table_may_hold_and_a_codec_has_not_seen_is_told_apart(name):
    """Cells with a code are not unseen, and the commonest cells, put in the place of others, have one."""
    case = CASES[name]
    codec = case.fitted()
    unseen, usual = codec.unseen(case.coded)
    assert not unseen.any()
    assert len(usual) == len(case.columns)
    if name != "nothing but missing":
        one = pd.DataFrame({c: pd.Series([v], dtype=object) for c, v in zip(case.columns, usual, strict=True)})
        levels, _ = codec.encode_column(one)
        assert codec.level_counts[levels[0, 0]] > 0
    assert np.isfinite(codec.log_width(case.coded)).all()


# cells of noisy grids are averaged, and the rows without a code are not counted where levels are found
PRIVATE = [name for name in CASES if name not in ("nothing but missing", "real numbers", "days", "codes")]


@pytest.mark.parametrize("name", CASES)
def test_under_a_budget_every_query_is_paid_once_in_order_and_with_hardly_any_noise_counts_are_right(name):
    case = CASES[name]
    public = declared_domain(case.schema)
    plan = EncoderBudget(queries=encoder_queries(public, counted=True, chosen=case.chosen), rho=1e7, delta=1e-6)
    paid = []
    curator = PrivateCurator.of(case.frame, public)
    curator.rows(plan, paid.append)
    made = curator.encoder(plan, Coding(), paid.append, case.chosen)
    assert paid == plan.charges()
    (codec,) = made.codecs.values()
    assert type(codec) is all_codecs()[case.codec].codec
    counted = np.bincount(made.encode(case.frame).cat[:, 0].numpy(), minlength=made.layout.sizes[0])
    if name in PRIVATE:
        assert np.abs(np.asarray(codec.level_counts) - counted).max() <= 1
    law_3_whatever_is_drawn_is_admitted(codec, replace(case))
    law_6_a_copy_made_through_json_codes_alike(codec, case)


@pytest.mark.parametrize("name", CASES)
def test_a_table_is_coded_with_it_and_read_back(name):
    case = CASES[name]
    encoder = TableEncoder.fit(case.schema, histograms_of(case.schema, case.frame), chosen=case.chosen)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())), case.schema)
    assert encoder.to_dict()["codecs"]["+".join(case.columns)]["codec"] == case.codec
    rows = again.encode(case.frame)
    assert len(rows) == len(case.frame)
    back = conform(again.decode(rows, np.random.default_rng(0)), case.schema)
    assert (back.isna() == case.frame.isna()).all(axis=None)
