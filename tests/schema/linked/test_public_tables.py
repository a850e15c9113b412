"""What of a linked schema is public: lines somebody answers for, bounds, catalogues; the rest is bought or refused."""

from __future__ import annotations

from copy import deepcopy

import pytest
from bounded_hospital import BOUNDED

from synthkit.errors import SchemaError, UnsupportedError
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables


def schema(change=lambda plain: None) -> LinkedSchema:
    plain = deepcopy(BOUNDED)
    change(plain)
    return LinkedSchema.parse(plain)


def test_lines_that_are_bought_are_left_out_and_all_others_stay():
    public = declared_tables(schema())
    assert public.tables["visits"].columns["ward"].levels is None
    assert public.tables["patients"].columns == schema().tables["patients"].columns
    assert public.rules == schema().rules
    assert public.tables["tests"] == schema().tables["tests"]


def test_levels_read_off_the_data_are_not_public():
    def observed(plain):
        plain["tables"]["visits"]["columns"]["ward"]["levels"] = ["north"]

    assert declared_tables(schema(observed)).tables["visits"].columns["ward"].levels is None


def test_somebody_may_answer_for_each_table_alone():
    def by_table(plain):
        who, plain["rules"] = plain.pop("declared_by"), []  # rules across tables are answered for at the head
        for table in plain["tables"].values():
            table["declared_by"] = who

    def one_less(plain):
        by_table(plain)
        plain["tables"]["labs"].pop("declared_by")

    assert declared_tables(schema(by_table)).graph.records == ("patients", "visits", "notes", "labs")
    with pytest.raises(SchemaError, match=r"`tables\.labs`: .*nobody answers for") as refused:
        declared_tables(schema(one_less))
    assert "`tables.visits`" not in str(refused.value)
    assert "init" not in str(refused.value)  # which declares a draft of one table alone


def no_bound(plain):
    plain["tables"]["visits"]["links"][0].pop("max_rows_per_owner")


def link_observed(plain):
    plain["tables"]["notes"]["links"][1]["observed"] = True


def order_observed(plain):
    plain["tables"]["labs"]["order"]["observed"] = True


def rule_observed(plain):
    plain["rules"][0]["observed"] = True


REFUSED = {
    "`tables.visits`: nobody bounds the rows of an owner. Declare `max_rows_per_owner` of the link to `pat": no_bound,
    "`tables.notes`: `links[1]` was read off the data. Check it and take `observed` out": link_observed,
    "`tables.labs`: `order` was read off the data. Check it and take `observed` out": order_observed,
    "`rules[0]` was read off the data. Check it and take `observed` out": rule_observed,
}


@pytest.mark.parametrize("said", REFUSED)
def test_lines_that_noise_cannot_buy_are_refused(said):
    with pytest.raises(SchemaError) as refused:
        declared_tables(schema(REFUSED[said]))
    assert said in str(refused.value)
    assert str(refused.value).startswith(
        "under a privacy budget every line of a linked schema must be public; however:"
    )


def test_all_that_is_not_public_is_said_at_once():
    def all_of_it(plain):
        for change in REFUSED.values():
            change(plain)

    with pytest.raises(SchemaError) as refused:
        declared_tables(schema(all_of_it))
    assert all(said in str(refused.value) for said in REFUSED)


def test_a_bound_of_the_unit_is_a_bound():
    def by_unit(plain):
        no_bound(plain)
        plain["tables"]["visits"]["max_rows_per_unit"] = 4

    assert declared_tables(schema(by_unit)).tables["visits"].max_rows_per_unit == 4


def test_tables_that_units_share_are_refused():
    def shared(plain):
        plain["tables"]["tests"] = {"role": "shared", "key": ["test"], "columns": {"test": {"kind": "identifier"}}}
        plain["tables"]["labs"]["links"][2]["kind"] = "shared"

    said = "tables beside the units must be public catalogues; however: `tests` is shared by units"
    with pytest.raises(UnsupportedError, match=said):
        declared_tables(schema(shared))


def test_links_to_other_units_are_refused_unless_they_are_public():
    def peer(plain):
        table = plain["tables"]["patients"]
        table["columns"]["mother"] = {"kind": "identifier", "nullable": True}
        table["links"] = [{"columns": ["mother"], "to": "patients", "kind": "peer"}]

    def public(plain):
        peer(plain)
        plain["tables"]["patients"]["links"][0]["public"] = True

    with pytest.raises(UnsupportedError, match="links of kind peer of `patients` are not"):
        declared_tables(schema(peer))
    assert declared_tables(schema(public)).tables["patients"].links[0].public
