"""Who went where: every number of the sentences is one of the split, over many splits."""

from __future__ import annotations

import re
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from synthkit.pipeline.split import Shares
from synthkit.report.split_description import REFITTED_TO_ALL, describe_role_shares, describe_split

counts = st.integers(1, 50_000)


def numbers(text: str) -> list[int]:
    return [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", text)]


@given(counts, counts, counts, counts, counts, st.lists(counts, min_size=1, max_size=5))
def test_every_number_is_one_of_the_split(train, inside, outside, reference, test, attacked):
    units = train + inside + outside + reference + test
    people = {"units": units, "train": train, "pool trained on": inside, "pool held out": outside}
    said = describe_split({"people": {**people, "reference": reference, "test": test, "attacked": attacked}})
    assert numbers(said[0])[:2] == [units, train + inside]
    assert numbers(said[0])[2] == round(100 * (train + inside) / units)
    assert numbers(said[0])[3] == inside
    assert numbers(said[1]) == [outside + reference + test, outside, test, reference]
    rest = [sum(attacked[1:]), len(attacked) - 1, sum(attacked)] if len(attacked) > 1 else []
    assert numbers(said[2]) == [attacked[0], *rest]
    assert len(said) == 3


def test_a_sibling_is_said_to_be_one():
    people = {"units": 5, "train": 1, "pool trained on": 1, "pool held out": 1, "reference": 1, "test": 1}
    facts = {"people": {**people, "attacked": [2]}}
    assert REFITTED_TO_ALL not in describe_split(facts)
    assert describe_split({**facts, "audited": "sibling"})[-1] == REFITTED_TO_ALL
    assert describe_split({}) == []


@given(st.integers(40, 10**7))
def test_under_a_budget_only_public_probabilities_are_told(n):
    shares = Shares.of(n)
    said = describe_role_shares(asdict(shares))
    inside, out, test, reference = numbers(said)
    assert inside == round(100 * shares.fitted)
    assert (out, test, reference) == (round(50 * shares.pool), round(100 * shares.test), round(100 * shares.reference))
    assert describe_role_shares(asdict(shares), final=True).endswith(REFITTED_TO_ALL)
