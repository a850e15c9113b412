"""Random graphs of linked tables: files round-trip, kept schemas are found kept, and every damage is found."""

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linked_graphs import random_schema, random_tables
from ruamel.yaml import YAML

from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.linked_columns import LinkedColumns
from synthkit.schema.linked.linked_json_schema import linked_json_schema
from synthkit.schema.linked.validate_linked import validate_columns, validate_linked, validate_structure
from synthkit.tables.linked_tables import LinkedTables

SEEDS = st.integers(0, 2**31)
JSON_SCHEMA = linked_json_schema()


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_what_is_written_is_read_back_and_satisfies_the_json_schema(seed):
    schema = random_schema(seed)
    text = schema.dumps(comments={"": "made up", "tables.t0": "people"})
    assert LinkedSchema.loads(text) == schema
    assert LinkedSchema.loads(text).dumps() == schema.dumps()
    jsonschema.validate(YAML(typ="safe", pure=True).load(text), JSON_SCHEMA)


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_tables_made_to_keep_a_schema_are_found_to_keep_it_in_structure(seed):
    schema = random_schema(seed)
    columns = LinkedColumns.of(random_tables(schema, 12, seed), schema)
    assert validate_structure(columns).success


@settings(deadline=None, max_examples=3)
@given(SEEDS)
def test_tables_made_to_keep_a_schema_are_found_to_keep_all_of_it(seed):
    schema = random_schema(seed)
    found = validate_columns(LinkedColumns.of(random_tables(schema, 6, seed), schema))
    assert found.success, str(found)


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_rows_in_order_belong_to_the_rows_whose_keys_they_hold(seed):
    """Each owner's key is the row's own; rows of one owner stand together, in order of time; counts add up."""
    schema = random_schema(seed)
    frames = random_tables(schema, 12, seed)
    tables = LinkedTables.of(frames, schema)
    for name, owner in schema.graph.owners.items():
        frame, link = tables.frames[name], schema.tables[name].owner
        above = tables.frames[owner].iloc[tables.owners[name]]
        for mine, theirs in zip(link.columns, schema.tables[owner].key, strict=True):
            assert frame[mine].tolist() == above[theirs].tolist()
        assert (np.diff(tables.owners[name]) >= 0).all()
        assert tables.counts(name).sum() == len(frame) == len(frames[name])
        if schema.tables[name].order is not None:
            again = frame.assign(_o=tables.owners[name]).groupby("_o")["t"]
            assert again.apply(lambda t: t.is_monotonic_increasing).all() or not len(frame)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from(["dangle", "repeat", "empty", "undeclared", "absent"]))
def test_damaged_structure_is_found_in_the_damaged_table(seed, damage):
    schema = random_schema(seed)
    frames = random_tables(schema, 12, seed)
    rng = np.random.default_rng(seed)
    able = [n for n in schema.graph.owners if len(frames[n])] or ["t0"]
    name = str(rng.choice(able))
    frame = frames[name].reset_index(drop=True).astype(object)
    if damage == "repeat":
        frames[name] = pd.concat([frame, frame.iloc[:1]])
    elif damage in ("dangle", "empty"):
        column = schema.tables[name].owner.columns[-1] if name != "t0" else schema.tables[name].key[0]
        frame.loc[0, column] = None if damage == "empty" or name == "t0" else 10**9
        frames[name] = frame
    elif damage == "undeclared":
        frames["stranger"] = frame
    else:
        del frames[name]
    found = validate_structure(LinkedColumns.of(frames, schema))
    assert not found.success
    if damage in ("undeclared", "absent"):
        assert {v.columns[0] for v in found.amiss} >= {"`stranger`" if damage == "undeclared" else f"`{name}`"}
    else:
        assert name in found.violations


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.floats(0.05, 0.6))
def test_without_orphans_nothing_dangles_and_only_rows_without_owners_are_gone(seed, share):
    """Brute force: a row is kept if the row it belongs to is, all the way up."""
    schema = random_schema(seed)
    frames = random_tables(schema, 12, seed)
    rng = np.random.default_rng(seed)
    for name in schema.graph.records:
        frames[name] = frames[name][rng.random(len(frames[name])) > share]
    if not len(frames["t0"]):
        return
    kept = LinkedColumns.of(frames, schema).without_orphans()
    assert validate_structure(kept).success
    keys = {}
    for name in schema.graph.records:
        frame, link = frames[name], schema.tables[name].owner
        if link is not None:
            mine = list(map(tuple, frame[list(link.columns)].to_numpy().tolist()))
            frame = frame[[key in keys[link.to] for key in mine]]
        keys[name] = set(map(tuple, frame[list(schema.tables[name].key)].to_numpy().tolist()))
        assert len(kept.typed[name].frame) <= len(frame)
        if all(
            each.kind in ("owner", "implied", "reference", "shared") for t in schema.tables.values() for each in t.links
        ):
            assert len(kept.typed[name].frame) == len(frame)
            assert kept.orphans.get(name, None) is None or kept.orphans[name].rows == len(frames[name]) - len(frame)


def test_orphans_is_one_of_two_words():
    from synthkit.errors import ConfigError

    with pytest.raises(ConfigError, match="`orphans` must be one of refuse, drop; however: 'keep'"):
        validate_linked({}, random_schema(1), orphans="keep")
