"""One person more: every public byte is the same, or was told by a mechanism that was paid for.

`tests/helpers/differential.py` says how two tables are compared; the twins at the end put each known fault back, and
each must be found.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from unittest.mock import patch

import odd_cells
import pandas as pd
import pytest
from differential import Case, Difference, Ear, coded, compare, joined, objects, public
from six_tables import MADE, made

from synthkit.encoding import TableEncoder
from synthkit.encoding.codecs.categorical import LevelsCodec
from synthkit.errors import SchemaError, TableError
from synthkit.pipeline import synthesize
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.schema import domain_mapping
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.unit_keys import unit_key, unit_keys

STEPS = {"sampling_rate": 0.5, "steps": 2, "augmentation_multiplicity": 1}
SMALL = {
    "marginal": {"components": 4, "rounds": 1, "first": 3, "between": 1, "last": 3},
    "autoregressive": {**STEPS, "width": 8, "hidden": 6},
    "ctgan": {**STEPS, "noise": 4, "width": 8, "critic_width": 8, "modes": 4, "batch_size": 16},
    "tvae": {**STEPS, "width": 8, "hidden": 6, "latent": 2, "couplings": 2},
    "diffusion": {**STEPS, "width": 8, "hidden": 6, "blocks": 1},
}


def stranger(name, cell, rows=1):
    """A person with one odd cell of its kind in every column; a number of nobody else if the table has a unit."""
    frame, schema = made(name)
    cells = {c: cell(column.kind) if c != schema.unit else 9_000_000 for c, column in schema.columns.items()}
    return pd.DataFrame({c: objects([cells[c]] * rows) for c in frame})


def nth(k, cells=odd_cells.TEXT):
    """The k-th odd cell of a kind."""
    return lambda kind: cells[kind][k % len(cells[kind])] if isinstance(cells, dict) else cells[k]


def usual(kind):
    """A cell that might be anybody's, and a level of nobody else."""
    odd = {"numeric": "41", "datetime": "2020-05-01", "boolean": "true", "ordinal": "III"}
    return odd.get(kind, "of nobody else")


STRANGERS = {
    "usual": usual,
    "extreme": lambda kind: {"numeric": "9" * 400, "datetime": "9999-12-31T23:59:59.999999"}.get(kind, "x" * 10_000),
    "fine": lambda kind: {"numeric": "61.123456789", "datetime": "2020-05-01T10:00:00.123456"}.get(kind, " f"),
    "nothing": lambda kind: None,
    "unknown": lambda kind: "unknown",
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """The fit of each table without the stranger, made once: what it asked and what is public of it."""
    kept = {}

    def get(name, case, how):
        key = (name, case.model, case.suffix, case.held_out, case.rake, how)
        if key not in kept:
            ear = Ear()
            kept[key] = ear, how(case, made(name)[0], *_place(how, tmp_path_factory.mktemp(name)), ear)
        return kept[key]

    return get


def _place(how, where):
    return (where,) if how is public else ()


def held(heard, name, more, *, case=None, how=public, where=None, first=True):
    """The fit with the stranger, held against the one without."""
    case = case or Case(made(name)[1], settings=SMALL["marginal"])
    ear, without = heard(name, case, how)
    again = Ear(before=ear, rows=len(more), first=first)
    compare(without, how(case, joined(made(name)[0], more, first=first), *_place(how, where), again))
    assert len(again.asked) == len(ear.asked)
    return without


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("name", MADE)
def test_nothing_public_differs(heard, tmp_path, name, who):
    without = held(heard, name, stranger(name, STRANGERS[who]), where=tmp_path)
    assert without["exit"] == 0, without["said"]


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("model", ["autoregressive", "ctgan", "tvae", "diffusion"])
def test_nothing_public_differs_whatever_the_model(heard, tmp_path, model, first):
    case = Case(made("visits")[1], model=model, settings=SMALL[model], held_out=first, epsilon=1.0)
    more = stranger("visits", usual, rows=40 if first else 1)
    without = held(heard, "visits", more, case=case, where=tmp_path, first=first)
    assert without["exit"] == 0, without["said"]
    assert "out/model/weights.safetensors" in without["files"] or len(without["files"]) > 5


@pytest.mark.parametrize("name", ["numbers", "categories", "dates"])
def test_nothing_public_differs_where_a_column_of_a_file_has_another_type(heard, tmp_path, name):
    """One cell that is a text makes all numbers of a Parquet file texts."""
    case = Case(made(name)[1], settings=SMALL["marginal"], suffix=".parquet", rake=name == "numbers")
    without = held(heard, name, stranger(name, STRANGERS["unknown"]), case=case, where=tmp_path)
    assert without["exit"] == 0, without["said"]


@pytest.mark.parametrize("name", MADE)
def test_no_odd_text_is_told(heard, name):
    for k, first in zip(range(max(map(len, odd_cells.TEXT.values()))), itertools.cycle([True, False])):
        held(heard, name, stranger(name, nth(k)), how=coded, first=first)


@pytest.mark.parametrize("name", ["categories", "visits", "tiny"])
def test_no_odd_object_is_told(heard, name):
    cells = (*odd_cells.OBJECTS, *odd_cells.MISSING)
    for k, first in zip(range(len(cells)), itertools.cycle([True, False])):
        held(heard, name, stranger(name, nth(k, cells)), how=coded, first=first)


def test_no_odd_number_of_a_person_is_told(heard):
    known = set(unit_keys(made("visits")[0]["who"]))
    for cell in odd_cells.units():
        if unit_key(cell) not in known:
            more = stranger("visits", usual, rows=3)
            more["who"] = objects([cell] * 3)
            held(heard, "visits", more, how=coded)


def drafted(table):
    """A schema drafted from a table, the marks of what was read off it taken away by hand, and nobody named."""
    draft = infer_schema(table)
    columns = {name: column.model_copy(update={"observed": ()}) for name, column in draft.columns.items()}
    rules = tuple(rule.model_copy(update={"observed": False}) for rule in draft.rules)
    return draft.model_copy(update={"columns": columns, "rules": rules})


def from_drafts(where):
    """Each table under the schema that was drafted from it."""
    table = made("categories")[0].astype(object)
    more = joined(table, stranger("categories", STRANGERS["usual"]), first=True)
    ear = Ear()
    without = public(Case(drafted(table), settings=SMALL["marginal"]), table, where / "a", ear)
    case = Case(drafted(more), settings=SMALL["marginal"])
    compare(without, public(case, more, where / "b", Ear(before=ear, rows=1)))
    return without


def test_a_draft_nobody_answers_for_is_refused_in_the_same_words(tmp_path):
    without = from_drafts(tmp_path)
    assert without["exit"] == 2
    assert without["files"] == []
    assert "nobody answers for" in without["said"]


def anew(name, who, rows=1, **asked):
    """Both fits of a table, with and without the stranger, under whatever was put back."""

    def both(where):
        case = Case(made(name)[1], settings=SMALL["marginal"], **asked)
        more, ear = stranger(name, STRANGERS[who], rows), Ear()
        without = public(case, made(name)[0], where / "a", ear)
        assert without["exit"] != 1, without["said"]
        compare(
            without,
            public(case, joined(made(name)[0], more, first=True), where / "b", Ear(before=ear, rows=rows)),
        )

    return both


def clamped_persons(values, column=None):
    """Fault 0: cells are mapped into the domain before persons are told apart."""
    found, _, _ = domain_mapping.map_column(values, column)
    return found.map(str)


def every_row(frame, owner):
    """Fault 0: all rows of a person are counted."""
    return frame


def refused_cells(real):
    """Fault 1: a cell that cannot be typed ends the run, with the number of such cells."""

    def map_column(values, column):
        out, changed, faults = real(values, column)
        if bad := int(faults["a cell of the column's kind"].sum()):
            msg = f"cells must have a kind; however: {bad} have not"
            raise SchemaError(msg)
        return out, changed, faults

    return map_column


def exact_size(real):
    """Fault 2: the exact number of people decides."""

    def split(frame, *args):
        if len(frame) < 40:
            msg = f"a table is split from 40 people on; however: it has {len(frame)}"
            raise TableError(msg)
        return real(frame, *args)

    return split


def evaluated_first(real):
    """Fault 3: what is exact is computed before anything is saved, in nanoseconds, which end in 2262."""

    def made_(*args, **more):
        release, parts, meaning = real(*args, **more)
        for name in parts.frame.select_dtypes("datetime"):
            pd.DatetimeIndex(parts.frame[name].dropna()).as_unit("ns")
        return release, parts, meaning

    return made_


def nobody_asked(schema):
    """Fault 4: a line without marks is public whoever wrote it."""


def by_appearance(real):
    """Fault 5: bought levels come in the order in which rows have them."""

    def encoder(self, *args):
        made_ = real(self, *args)
        codecs = {name: shuffled(self._coded[name], codec) for name, codec in made_.codecs.items()}
        return TableEncoder.of(made_.schema, codecs)

    def shuffled(values, codec):
        if not isinstance(codec, LevelsCodec):
            return codec
        seen = list(dict.fromkeys([*values.dropna(), *codec.levels]))
        order = sorted(range(len(codec.levels)), key=lambda k: seen.index(codec.levels[k]))
        return replace(codec, levels=tuple(codec.levels[k] for k in order), counts=codec.counts[order])

    return encoder


TWINS = {
    "0: persons are clamped": (
        "synthkit.schema.domain_mapping.unit_keys",
        clamped_persons,
        anew("visits", "usual", held_out=False),
    ),
    "0: every row counts": (
        "synthkit.privacy.access.private_curator.one_row_a_unit",
        every_row,
        anew("visits", "usual", rows=2),
    ),
    "1: a cell is refused": (
        "synthkit.schema.domain_mapping.map_column",
        refused_cells(domain_mapping.map_column),
        anew("numbers", "unknown"),
    ),
    "2: an exact size": ("synthkit.pipeline.synthesize._split", exact_size(synthesize._split), anew("tiny", "usual")),
    "3: evaluated first": (
        "synthkit.pipeline.synthesize._made",
        evaluated_first(synthesize._made),
        anew("dates", "extreme"),
    ),
    "4: nobody was asked": ("synthkit.schema.public_domain.refuse_undeclared", nobody_asked, from_drafts),
    "5: by appearance": (
        "synthkit.privacy.access.private_curator.PrivateCurator.encoder",
        by_appearance(PrivateCurator.encoder),
        anew("categories", "usual"),
    ),
}


@pytest.mark.parametrize("fault", TWINS)
def test_every_fault_put_back_is_found(tmp_path, fault):
    where, broken, both = TWINS[fault]
    with patch(where, broken), pytest.raises(Difference):
        both(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("model", SMALL)
@pytest.mark.parametrize("name", MADE)
def test_nothing_public_differs_over_the_whole_grid(heard, tmp_path, name, model, suffix):
    epsilon = 60.0 if model == "marginal" else 1.0  # the accountant is slow where there is hardly any noise
    case = Case(made(name)[1], model=model, settings=SMALL[model], suffix=suffix, epsilon=epsilon)
    for k, (cell, first) in enumerate(itertools.product(STRANGERS.values(), [True, False])):
        rows = 30 if case.schema.unit else 1
        held(heard, name, stranger(name, cell, rows), case=case, where=tmp_path / str(k), first=first)
