"""Derived columns under a budget: they cost nothing, move nothing, and say nothing of rows that do not hold."""

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Schema
from synthkit.schema.derived import derived_holds
from synthkit.schema.public_domain import declared_domain, refuse_undeclared
from synthkit.schema.validation import validate

KINDS = {
    "items": {"kind": "ordinal", "levels": [0, 1, 2, 3]},
    "more": {"kind": "ordinal", "levels": [0, 1, 2, 3]},
    "sex": {"kind": "categorical", "levels": ["f", "m"]},
    "score": {"kind": "numeric", "min": 0, "max": 6, "decimals": 0},
    "band": {"kind": "ordinal", "levels": ["low", "high"]},
}
DERIVED = {"score": "items + more", "band": "if score < 3 then 'low' else 'high'"}
WHO = {"declared_by": "A. Lee: questionnaire"}
SCHEMA = Schema.model_validate({"columns": KINDS, "derived": DERIVED, **WHO})
TERMS = {"epsilon": 2.0, "delta": 1e-6, "public_n": 800}


def rows(n=800, *, wrong=False):
    rng = np.random.default_rng(3)
    items, more = rng.integers(0, 4, n), rng.integers(0, 4, n)
    score = items + more + (17 if wrong else 0)
    band = np.where((items + more < 3) ^ wrong, "low", "high")
    return pd.DataFrame({"items": items, "more": more, "sex": rng.choice(["f", "m"], n), "score": score, "band": band})


def spent(schema, frame, file):
    """The charges of a fit, without what is drawn for each anew."""
    ledger = fit(frame, schema, config=RunConfig(**TERMS, seed=1, ledger=file)).ledger
    return [(charge.what, charge.spent, charge.times) for charge in ledger.charges]


def test_a_derived_column_costs_nothing_and_rows_that_do_not_hold_change_nothing(tmp_path):
    plain = Schema.model_validate({"columns": {c: KINDS[c] for c in ("items", "more", "sex")}, **WHO})
    without = spent(plain, rows()[["items", "more", "sex"]], tmp_path / "a.json")
    assert spent(SCHEMA, rows(), tmp_path / "b.json") == without
    assert spent(SCHEMA, rows(wrong=True), tmp_path / "c.json") == without


def test_what_is_drawn_holds_whatever_stood_in_the_table(tmp_path):
    made = fit(rows(wrong=True), SCHEMA, config=RunConfig(**TERMS, seed=1, ledger=tmp_path / "ledger.json"))
    drawn = made.synthesizer.sample(500, seed=2)
    assert validate(drawn, made.schema).success
    assert all(derived_holds(name, drawn, made.schema).all() for name in DERIVED)
    assert isinstance(made.ledger, Ledger)


@pytest.mark.parametrize(
    ("column", "keys", "says"),
    [
        ("score", {"observed": ["derived"]}, "`score`: derived"),
        ("band", {"observed": ["levels"]}, "`band`: levels"),
        ("items", {"observed": ["levels"]}, "`items`: levels"),
    ],
)
def test_expressions_read_off_the_data_and_levels_they_need_must_be_declared(column, keys, says):
    kinds = {**KINDS, column: {**KINDS[column], **keys}}
    schema = Schema.model_validate({"columns": kinds, "derived": DERIVED, **WHO})
    with pytest.raises(SchemaError, match=says):
        refuse_undeclared(schema)


def test_observed_bounds_of_what_is_computed_are_neither_bought_nor_kept():
    kinds = {**KINDS, "score": {**KINDS["score"], "observed": ["max"]}}
    public = declared_domain(Schema.model_validate({"columns": kinds, "derived": DERIVED, **WHO}))
    assert public.schema.columns["score"].max is None
    assert "score" not in public.unknown


def test_an_expression_is_a_line_somebody_answers_for():
    kinds = {name: {**column, **({} if name == "score" else WHO)} for name, column in KINDS.items()}
    with pytest.raises(SchemaError, match="nobody answers for `score`"):
        refuse_undeclared(Schema.model_validate({"columns": kinds, "derived": DERIVED}))
