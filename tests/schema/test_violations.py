"""Broken rules as text: columns stand under their heads, however long a rule or a list of columns is."""

from hypothesis import given
from hypothesis import strategies as st

from synthkit.schema.violations import Violation, listing


def test_the_longest_rule_does_not_push_its_numbers_out_of_line():
    rule = "no row of an owner begins before the one before has ended (STOP)"
    lines = listing([Violation(("a",), rule, 181, (4, 9)), Violation(("b",), "short", 7, (1,))]).splitlines()
    at = lines[0].index("rows")
    assert [line[at:].split()[0] for line in lines] == ["rows", "181", "7"]
    first = lines[0].index("first row numbers")
    assert [line[first:] for line in lines] == ["first row numbers", "4, 9, ...", "1, ..."]


@given(st.lists(st.text("ab ", min_size=1, max_size=400).map(str.strip).filter(bool), min_size=1, max_size=4))
def test_what_is_too_long_goes_on_in_the_next_line_and_nothing_of_it_is_lost(rules):
    lines = listing([Violation(("c",), rule, 12_345, (1,)) for rule in rules]).splitlines()
    at, rows = lines[0].index("rule"), lines[0].index("rows")
    assert rows - at <= 102
    counted = [line for line in lines[1:] if line[rows : rows + 6] == "12,345"]
    assert len(counted) == len(rules)
    said = "".join(line[at : rows - 2] for line in lines[1:])
    assert said.replace(" ", "") == "".join(rules).replace(" ", "")
