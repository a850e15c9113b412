"""Catalogues of which most codes are too rare: `init` and `fit` say how many are left; under a budget what was told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding import rare_code_notes
from synthkit.encoding.coding import Coding
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Categorical, Code, Schema
from synthkit.schema.infer.draft import draft, examine
from synthkit.schema.rare_codes import MIN_ROWS_OF_COMMON_CODE, mostly_rare_codes
from synthkit.synthesizer.synthesizer import Synthesizer


def codes(frequent, rare, *, each=20, n_rare=1):
    return [f"A{k:03d}" for k in range(frequent)] * each + [f"B{k:03d}" for k in range(rare)] * n_rare


def frame(cells):
    return pd.DataFrame({"dx": cells, "age": np.arange(len(cells)) % 80})


SCHEMA = {"dx": {"kind": "code"}, "age": {"kind": "numeric", "min": 0, "max": 99, "decimals": 0}}


def said_by_fit(cells, **columns):
    heard = []
    Synthesizer(Schema(columns=SCHEMA | columns), "independent").fit(frame(cells), seed=1, say=heard.append)
    return [sentence for sentence in heard if "codes" in sentence]


def test_one_number_says_what_is_rare():
    assert Coding().rare == MIN_ROWS_OF_COMMON_CODE == 5


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_counts_are_those_of_the_rows(counts):
    cells = pd.Series([f"c{k}" for k, count in enumerate(counts) for _ in range(count)])
    kept = sum(count >= 5 for count in counts)
    assert mostly_rare_codes(cells, Code()) == ((kept, len(counts)) if 2 * kept < len(counts) else None)
    assert mostly_rare_codes(cells, Code(levels=tuple(cells.unique()))) is None
    assert mostly_rare_codes(cells, Categorical(levels=tuple(cells.unique()))) is None


def test_init_says_how_many_codes_are_left():
    found = examine(frame(codes(30, 170)))
    (question,) = (q for q in found.questions if q.about == "rare codes")
    assert question.evidence == "30 of 200 are held by 5 rows or more"
    assert "30 are learned and each other one counts as its nearest relative" in str(question)
    assert [q for q in examine(frame(codes(150, 50))).questions if q.about == "rare codes"] == []


def test_fit_says_the_same():
    heard = said_by_fit(codes(30, 170))
    assert heard == [
        "`dx`: 30 of 200 codes are learned; each other one, in fewer than 5 rows, counts as its nearest relative"
    ]
    assert said_by_fit(codes(150, 50)) == []
    assert said_by_fit(codes(1, 2, each=9)) == [
        "`dx`: 1 of 3 codes is learned; each other one, in fewer than 5 rows, counts as its nearest relative"
    ]


def test_a_catalogue_without_a_frequent_code_is_said_too():
    assert said_by_fit(["A1"] * 3 + ["B1", "B2", "B3"]) == [
        "`dx`: 1 of 4 codes is learned; each other one, in fewer than 5 rows, counts as its nearest relative"
    ]


@pytest.mark.parametrize("rare", [170, 900])
def test_under_a_budget_only_what_was_told_is_said(rare, tmp_path):
    schema = Schema(columns=SCHEMA, declared_by="A. Lee: the form")
    heard = []
    ledger = Ledger.new(tmp_path / "ledger.json", Budget(epsilon=3, delta=1e-6, unit=None))
    fitted = Synthesizer(schema, "marginal").fit(
        frame(codes(4, rare, each=900)), seed=1, ledger=ledger, say=heard.append
    )
    told = len([level for level in fitted.schema.columns["dx"].levels if level != "(not told)"])
    assert [s for s in heard if "codes" in s] == [
        f"`dx`: {told:,} of its codes could be told inside the budget; each other one counts as its nearest relative"
    ]
    assert list(rare_code_notes.bought_codes(schema, schema)) == []


def test_a_draft_for_a_budget_counts_nothing():
    text = draft(frame(codes(30, 170)), declared_by="A. Lee: the form")
    assert "rows or more" not in text
    found = examine(frame(codes(30, 170)), declared_by="A. Lee: the form")
    assert all(question.evidence == "" for question in found.questions)
