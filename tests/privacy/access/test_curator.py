"""The only reader of real rows: it charges first, answers with counts, hands out a loader, and gives no frame away."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pandas as pd
import pytest

from synthkit.encoding import Histogram, Query
from synthkit.encoding.raking_margins import RakingMargins
from synthkit.errors import BudgetExceededError, ConfigError
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.access.exact_access import ExactAccess
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.privacy.access.private_access import PrivateAccess
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema

SCHEMA = Schema(
    unit="who",
    columns={
        "who": {"kind": "identifier"},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "age": {"kind": "numeric", "decimals": 0, "nullable": True},
    },
)


def table(n=1000):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "who": rng.integers(0, n // 3, n).astype(str),
            "sex": rng.choice(["f", "m"], n),
            "age": pd.Series(rng.integers(0, 90, n)).astype("Int64").mask(rng.random(n) < 0.1),
        }
    )


def access(frame=None, book=None):
    book = Ledger.unlimited(unit="who") if book is None else book
    return ExactAccess(table() if frame is None else frame, SCHEMA, book, Seeds(1))


def test_answers_are_the_tables_counts():
    frame = table()
    answers = access(frame).ask([Query(columns=("sex",)), Query(columns=("sex", "age"))])
    assert dict(zip(answers[0].cells["sex"], answers[0].counts, strict=True)) == frame["sex"].value_counts().to_dict()
    assert [int(a.counts.sum()) for a in answers] == [1000, 1000]
    assert answers[1].counts[answers[1].cells["age"].isna()].sum() == frame["age"].isna().sum()


def test_every_look_is_charged():
    book = access()
    book.fit_encoder()
    steps = "steps of the numbers of one column"
    assert [c.what for c in book.ledger.charges] == [steps, "histogram of sex", "histogram of age"]
    book.batches()
    assert [c.what for c in book.ledger.charges][3:] == ["all training rows"]
    assert book.ledger.epsilon() == math.inf


def test_under_a_budget_nothing_is_answered_exactly(tmp_path):
    """The refusal comes first, for questions and for the loader."""
    free = access()
    strict = access(book=Ledger.new(tmp_path / "ledger.json", Budget(epsilon=1, delta=1e-6, unit="who")))
    with pytest.raises(BudgetExceededError, match="histogram of sex"):
        strict.ask([Query(columns=("sex",))])
    strict._encoder = free.fit_encoder()
    with pytest.raises(BudgetExceededError, match="training rows"):
        strict.batches()
    with pytest.raises(BudgetExceededError, match="two-way table"):
        strict.margins()
    with pytest.raises(BudgetExceededError, match="tables of counts"):
        strict.counts()
    assert strict.ledger.charges == ()


def test_nothing_public_gives_rows_away():
    """Every public method and field: a histogram, a loader, the schema or the ledger, and never the table."""
    book = access()
    book.fit_encoder()
    answers = {"ask", "batches", "compare", "counts", "fit_encoder", "margins", "remarks", "reserve", "rows"}
    for kind, more in ((Curator, {"access"}), (ExactAccess, answers), (PrivateAccess, answers - {"ask", "compare"})):
        assert {n for n, _ in inspect.getmembers(kind, inspect.isfunction) if not n.startswith("_")} == more
    assert {n for n in vars(book) if not n.startswith("_")} == {"schema", "ledger", "device"}
    assert all(isinstance(a, Histogram) for a in book.ask([Query(columns=("sex",))]))
    assert isinstance(book.batches(), ExactLoader)
    assert isinstance(book.rows(), int)
    assert isinstance(book.margins(), RakingMargins)


def test_identifiers_cannot_be_asked_for():
    with pytest.raises(KeyError):
        access().ask([Query(columns=("who",))])


def test_a_unit_is_held_back_whole():
    """With a unit column, no person stands on both sides of the loader."""
    frame = table(3000)
    frame["age"] = pd.factorize(frame["who"])[0]  # the age tells the person, so coded rows can be told apart
    book = access(frame)
    encoder = book.fit_encoder()
    loader = book.batches()
    rng = np.random.default_rng(0)
    back, kept = (set(encoder.decode(rows, rng)["age"].round()) for rows in (loader.held, loader.rows))
    assert len(loader.held) + len(loader.rows) == 3000
    exact = {a for a in back if encoder.codecs["age"].log_steps(np.array([a]))[0] == 0}
    assert len(exact) > 3
    assert not exact & kept


def test_the_budget_says_which_access_is_handed_out(tmp_path):
    strict = Ledger.new(tmp_path / "ledger.json", Budget(epsilon=1, delta=1e-6, unit="who"))
    public = SCHEMA.model_copy(update={"declared_by": "the test: made-up people"})
    assert isinstance(Curator(table(), SCHEMA, Ledger.unlimited(unit="who"), Seeds(1)).access(), ExactAccess)
    assert isinstance(Curator(table(), public, strict, Seeds(1)).access(), PrivateAccess)


@pytest.mark.parametrize(
    "ask", [lambda a: a.encoder, lambda a: a.batches(), lambda a: a.margins()], ids=["encoder", "batches", "margins"]
)
def test_rows_are_not_encoded_before_there_is_an_encoder(ask):
    with pytest.raises(ConfigError, match="an encoder must be fitted before rows are encoded; however"):
        ask(access())


def test_nothing_is_drawn_that_was_not_reserved(tmp_path):
    strict = Ledger.new(tmp_path / "ledger.json", Budget(epsilon=1, delta=1e-6, unit="who"))
    public = SCHEMA.model_copy(update={"declared_by": "the test: made-up people"})
    private = PrivateAccess(table(), public, strict)
    with pytest.raises(ConfigError, match="must be charged before they are drawn; however"):
        private.fit_encoder()
    with pytest.raises(ConfigError, match="an encoder must be fitted before rows are encoded; however"):
        _ = private.encoder
    assert strict.charges == ()
