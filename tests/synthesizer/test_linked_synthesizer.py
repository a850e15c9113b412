"""Linked tables in and out: every rule of random worlds holds whatever the weights, and units known in part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linked_checks import broken
from linked_worlds import World, make_world, plain_frames
from pydantic import SecretStr
from small_hospital import SMALL as SMALL_HOSPITAL
from small_hospital import small_hospital

from synthkit.encoding.units.root_facts import RootFacts
from synthkit.encoding.units.shared_tables import remade
from synthkit.encoding.units.unit_decoder import decode_units
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.errors import ArtefactError, ConfigError, EncodingError, SchemaError
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.synthesizer.rule_sampling import sample_valid_rows
from synthkit.tables.linked_tables import LinkedTables
from synthkit.watermark import UnitWatermarkKey, detect_units

SMALL = {"steps": 2, "root_steps": 2, "width": 16, "hidden": 8, "mixed": 8}


def fitted(world: World, model: str = "timeline") -> LinkedSynthesizer:
    """A model that was hardly trained: what holds, holds by construction."""
    schema = LinkedSchema.parse(world.schema)
    chosen = SMALL if model == "timeline" else {}
    return LinkedSynthesizer(schema, model, seed=1, device="cpu", settings=chosen).fit(plain_frames(world))


@pytest.mark.parametrize("model", ["independent", "timeline"])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_rule_of_random_worlds_holds(model: str, seed: int) -> None:
    """Keys of every kind, order, stays, ends, totals, once-only rows, positions, derived columns: none is broken."""
    world = make_world(np.random.default_rng(seed))
    assert broken(world, plain_frames(world)) == []
    assert broken(world, fitted(world, model).sample(30, seed=seed)) == []


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_row_is_left_out_to_keep_a_rule(seed: int) -> None:
    """What is drawn is written, and where nothing bounds the number of rows each unit has what its own row says."""
    world = make_world(np.random.default_rng(seed))
    encoder, model = fitted(world, "independent")._fitted()
    roots = sample_valid_rows(40, encoder.root, model.root, Seeds(seed))
    facts = RootFacts.of(encoder, roots)
    drawn = model.sample(encoder, facts, torch.Generator().manual_seed(seed))
    frames = decode_units(encoder, roots, drawn, np.random.default_rng(seed), remade_of(world, encoder))
    for t, name in enumerate(encoder.tables):
        table, rows = world.tables[name], drawn.tables[name]
        assert len(frames[name]) == len(rows)
        free = not (table.once or table.one or table.unlike or any(link.get("needed") for link in table.links))
        if table.owner == "t0" and free:
            np.testing.assert_array_equal(np.bincount(rows.owner, minlength=40), facts.owed[:, t])


def remade_of(world: World, encoder: UnitEncoder) -> dict[str, pd.DataFrame]:
    """Shared tables without a row that may be told, and one for all others."""
    typed = LinkedTables.of(plain_frames(world), encoder.schema)
    none = {name: np.empty(0, dtype=np.int64) for name in typed.shared}
    rng = np.random.default_rng(0)
    return {name: remade(name, encoder.schema, typed.shared, none, rng) for name in typed.shared}


@pytest.mark.slow
@given(seed=st.integers(0, 10**6))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_rule_of_many_random_worlds_holds(seed: int) -> None:
    """The same, of many."""
    world = make_world(np.random.default_rng(seed))
    assert broken(world, fitted(world).sample(200, seed=seed)) == []


def test_what_was_saved_draws_the_same(tmp_path: Path) -> None:
    """Nothing but the folder is needed."""
    synthesizer = fitted(make_world(np.random.default_rng(5)))
    synthesizer.save(tmp_path / "model")
    again = LinkedSynthesizer.load(tmp_path / "model", device="cpu")
    first, second = synthesizer.sample(10, seed=2), again.sample(10, seed=2)
    for name in first:
        pd.testing.assert_frame_equal(first[name], second[name])


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """A folder without a model, and the model of one table."""
    with pytest.raises(ArtefactError, match="must hold"):
        LinkedSynthesizer.load(tmp_path)
    from synthkit.schema import Schema
    from synthkit.synthesizer.synthesizer import Synthesizer

    one = Synthesizer(Schema(columns={"x": {"kind": "boolean"}}), "independent")
    one.fit(pd.DataFrame({"x": [True, False]})).save(tmp_path / "one")
    with pytest.raises(ArtefactError, match="linked tables"):
        LinkedSynthesizer.load(tmp_path / "one")


@pytest.mark.parametrize("what", ["impute", "log_prob", "anomaly_score"])
def test_what_cannot_be_answered_is_refused(what: str) -> None:
    """Before there is a model, and of tables that are not those of the schema."""
    schema, frames = visits()
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu")
    with pytest.raises(ConfigError, match="must be fitted first"):
        getattr(synthesizer, what)(frames)
    synthesizer.fit(frames)
    with pytest.raises(SchemaError, match="`visits`"):
        getattr(synthesizer, what)({"patients": frames["patients"]})


def test_a_value_without_a_code_has_no_probability() -> None:
    """But it has a score, and other cells are filled beside it."""
    schema, frames = visits()
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(frames)
    strange = {**frames, "patients": frames["patients"].assign(sex=["x", *frames["patients"]["sex"].iloc[1:]])}
    with pytest.raises(EncodingError, match="sex"):
        synthesizer.log_prob(strange)
    assert np.isfinite(synthesizer.anomaly_score(strange)["patients"]).all()
    assert synthesizer.impute(strange, seed=1)["visits"]["cost"].notna().all()


def visits() -> tuple[LinkedSchema, dict[str, pd.DataFrame]]:
    """Patients and their visits, some cells missing."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 6, 40)
    patients = pd.DataFrame({"id": [f"p{k}" for k in range(40)], "sex": rng.choice(["f", "m"], 40)})
    owner = np.repeat(np.arange(40), lengths)
    cost = rng.integers(1, 99, len(owner)).astype(float)
    cost[::5] = np.nan
    day = np.concatenate([np.sort(rng.integers(0, 300, k)) for k in lengths])
    table = pd.DataFrame({"id": patients["id"].to_numpy()[owner], "day": day, "cost": cost})
    number = {"kind": "numeric", "decimals": 0}
    sex = {"kind": "categorical", "levels": ["f", "m"]}
    schema = {
        "unit": "patients",
        "tables": {
            "patients": {"key": ["id"], "columns": {"id": {"kind": "identifier"}, "sex": sex}},
            "visits": {
                "links": [{"columns": ["id"], "to": "patients", "kind": "owner"}],
                "order": {"from": "day"},
                "columns": {"id": {"kind": "identifier"}, "day": number, "cost": {**number, "nullable": True}},
            },
        },
    }
    return LinkedSchema.parse(schema), {"patients": patients, "visits": table}


@pytest.mark.parametrize("model", ["independent", "timeline"])
def test_a_table_of_no_rows_stays_one(model: str) -> None:
    """Its series have no level, and nobody has rows of it."""
    schema, frames = visits()
    content = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    content["tables"]["devices"] = {
        "links": [{"columns": ["id"], "to": "patients", "kind": "owner"}],
        "order": {"from": "day"},
        "series": "kind",
        "columns": {"id": {"kind": "identifier"}, "day": {"kind": "numeric"}, "kind": {"kind": "code"}},
    }
    tables = {**frames, "devices": pd.DataFrame({"id": [], "day": [], "kind": []}, dtype=object)}
    chosen = SMALL if model == "timeline" else {}
    synthesizer = LinkedSynthesizer(LinkedSchema.parse(content), model, seed=1, device="cpu", settings=chosen)
    drawn = synthesizer.fit(tables).sample(12, seed=1)
    assert list(drawn["devices"].columns) == ["id", "day", "kind"]
    assert len(drawn["devices"]) == 0 < len(drawn["visits"])


def test_drawing_tells_how_far_it_is() -> None:
    """Rows are told as they are drawn, never fewer than before and all of them at the end; the draw is the same."""
    schema, frames = visits()
    made = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(frames)
    told: list[tuple[int, int]] = []
    drawn = made.sample(25, seed=1, progress=lambda *far: told.append(far))
    done, whole = zip(*told, strict=True)
    assert len(told) > 2
    assert list(done) == sorted(done)
    assert {*whole} == {len(drawn["visits"])} == {done[-1]}
    assert drawn["visits"].equals(made.sample(25, seed=1)["visits"])


def test_what_is_too_rare_to_be_learned_is_said() -> None:
    """Towns of one person each, and doctors of one patient each, with the numbers that are left."""
    schema, frames = visits()
    content = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    content["tables"]["patients"]["columns"]["town"] = {"kind": "code"}
    content["tables"]["visits"]["columns"]["doctor"] = {"kind": "identifier"}
    content["tables"]["visits"]["links"].append({"columns": ["doctor"], "to": "doctors", "kind": "shared"})
    doctors = {"role": "shared", "key": ["doctor"], "columns": {"doctor": {"kind": "identifier"}}}
    content["tables"]["doctors"] = doctors
    place = np.arange(40)
    town = np.where(place < 8, "common", np.array([f"t{k}" for k in place], dtype=object))
    who = frames["visits"]["id"].str[1:].astype(int)
    doctor = np.where(who < 9, -1, who)
    tables = {"patients": frames["patients"].assign(town=town), "visits": frames["visits"].assign(doctor=doctor)}
    tables["doctors"] = pd.DataFrame({"doctor": np.unique(doctor)})
    said: list[str] = []
    made = LinkedSynthesizer(LinkedSchema.parse(content), "independent", seed=1, device="cpu")
    made.fit(tables, say=said.append)
    assert "patients: `town`: 1 of 33 codes is learned; each other one, in fewer than 5 rows" in " ".join(said)
    assert "`doctors`: 1 of 32 rows is told apart; the others, to which fewer than 5 patients point each" in said[-1]
    assert len(made.sample(30, seed=1)["doctors"]) == 2


@pytest.mark.parametrize("nullable", [False, True])
def test_units_point_to_rows_that_they_share(nullable: bool) -> None:
    """People of a practice, four of them large; what few people share is one row, and nobody's stays nobody's."""
    schema, frames = visits()
    content = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    content["tables"]["patients"]["columns"]["practice"] = {"kind": "identifier", "nullable": nullable}
    content["tables"]["patients"]["links"] = [{"columns": ["practice"], "to": "practices", "kind": "shared"}]
    columns = {"practice": {"kind": "identifier"}, "town": {"kind": "categorical", "levels": ["a", "b"]}}
    content["tables"]["practices"] = {"role": "shared", "key": ["practice"], "columns": columns}
    place = np.arange(len(frames["patients"]))
    practice = np.where(place % 10 < 8, place % 4, 100 + place).astype(object)
    if nullable:
        practice[::10] = None
    named = sorted({x for x in practice if x is not None})
    tables = {**frames, "patients": frames["patients"].assign(practice=practice)}
    tables["practices"] = pd.DataFrame({"practice": named, "town": ["ab"[int(x) % 2] for x in named]})
    whole = LinkedSchema.parse(content)
    made = LinkedSynthesizer(whole, "independent", seed=1, device="cpu").fit(tables)
    drawn = made.sample(200, seed=2)
    assert validate_linked(drawn, whole).success
    assert len(drawn["practices"]) == 5
    assert drawn["patients"]["practice"].isna().any() == nullable
    assert drawn["patients"]["practice"].nunique() == 5
    assert np.isfinite(made.log_prob(tables)).all()


def test_rows_may_name_their_own_unit_by_an_earlier_link() -> None:
    """A third of the visits say whose they are once more; the others leave the cell empty."""
    schema, frames = visits()
    content = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    content["tables"]["visits"]["columns"]["again"] = {"kind": "identifier", "nullable": True}
    content["tables"]["visits"]["links"].append({"columns": ["again"], "to": "patients", "kind": "earlier"})
    again = frames["visits"]["id"].where(np.arange(len(frames["visits"])) % 3 == 0, None)
    tables = {**frames, "visits": frames["visits"].assign(again=again)}
    whole = LinkedSchema.parse(content)
    drawn = LinkedSynthesizer(whole, "independent", seed=1, device="cpu").fit(tables).sample(300, seed=2)["visits"]
    said = drawn["again"].notna()
    assert (drawn.loc[said, "again"] == drawn.loc[said, "id"]).all()
    assert said.mean() == pytest.approx(1 / 3, abs=0.06)


def test_units_known_in_part() -> None:
    """Static values are kept, beginnings continued exactly, missing cells filled and known ones let be."""
    schema, frames = visits()
    synthesizer = LinkedSynthesizer(schema, seed=1, device="cpu", settings=SMALL).fit(frames)
    assert set(synthesizer.sample(9, seed=1, given={"patients": {"sex": "f"}})["patients"]["sex"]) == {"f"}
    some = frames["patients"].head(10)
    begun = frames["visits"][frames["visits"]["id"].isin(some["id"])].groupby("id", sort=False).head(2)
    drawn = synthesizer.sample(10, seed=1, given={"patients": some, "visits": begun})
    assert drawn["patients"]["sex"].tolist() == some["sex"].tolist()
    for old, new in zip(some["id"], drawn["patients"]["id"], strict=True):
        before = begun[begun["id"] == old][["day", "cost"]].to_numpy(dtype=float)
        after = drawn["visits"][drawn["visits"]["id"] == new][["day", "cost"]].to_numpy(dtype=float)
        np.testing.assert_array_equal(after[: len(before)], before)
        assert (np.diff(after[:, 0]) >= 0).all()
    filled = synthesizer.impute(frames, seed=1)["visits"]
    typed = frames["visits"]["cost"].to_numpy()
    assert filled["cost"].notna().all()
    known = ~np.isnan(typed)
    np.testing.assert_array_equal(filled["cost"].to_numpy(dtype=float)[known], typed[known])


def test_a_sibling_that_may_happen_before_its_owner_takes_no_other_with_it() -> None:
    """Diagnoses may be older than the visit they belong to; its readings come after it all the same."""
    rng, day, hour = np.random.default_rng(4), np.timedelta64(1, "D"), np.timedelta64(1, "h")
    n = 120
    owner, at = np.sort(rng.integers(0, 40, n)), np.datetime64("2020-01-01", "s") + np.arange(n) * day + 9 * hour
    visits = pd.DataFrame({"visit": np.arange(n), "id": owner, "at": at})
    twice = np.repeat(np.arange(n), 2)
    frames = {
        "patients": pd.DataFrame({"id": np.arange(40), "sex": rng.choice(["f", "m"], 40)}),
        "visits": visits,
        "diagnoses": pd.DataFrame({"visit": visits["visit"], "since": at - rng.integers(0, 30, n) * day}),
        "readings": pd.DataFrame({"visit": twice, "taken": at[twice] + rng.integers(0, 5, 2 * n) * hour}),
    }
    key, moment = {"kind": "identifier"}, {"kind": "datetime"}
    mine = [{"columns": ["visit"], "to": "visits", "kind": "owner"}]
    schema = LinkedSchema.parse(
        {
            "unit": "patients",
            "tables": {
                "patients": {
                    "key": ["id"],
                    "columns": {"id": key, "sex": {"kind": "categorical", "levels": ["f", "m"]}},
                },
                "visits": {
                    "key": ["visit"],
                    "links": [{"columns": ["id"], "to": "patients", "kind": "owner"}],
                    "order": {"from": "at"},
                    "columns": {"visit": key, "id": key, "at": moment},
                },
                "diagnoses": {
                    "links": mine,
                    "order": {"from": "since", "before_owner": True},
                    "columns": {"visit": key, "since": moment},
                },
                "readings": {"links": mine, "order": {"from": "taken"}, "columns": {"visit": key, "taken": moment}},
            },
        }
    )
    drawn = LinkedSynthesizer(schema, seed=1, device="cpu", settings=SMALL).fit(frames).sample(60, seed=1)
    began = drawn["visits"].set_index("visit")["at"]
    assert len(drawn["readings"]) > 100
    assert (drawn["readings"]["taken"].to_numpy() >= began.loc[drawn["readings"]["visit"]].to_numpy()).all()
    assert (drawn["diagnoses"]["since"].to_numpy() < began.loc[drawn["diagnoses"]["visit"]].to_numpy()).any()


def test_what_has_happened_may_point_into_a_catalogue_whose_columns_nobody_declared() -> None:
    """The catalogue is that of the tables that were learned from."""
    schema, frames = visits()
    plain = schema.model_dump(by_alias=True, exclude_none=True, mode="json")
    plain["tables"]["visits"]["links"].append({"columns": ["ward"], "to": "wards", "kind": "reference"})
    plain["tables"]["visits"]["columns"]["ward"] = {"kind": "code"}
    plain["tables"]["wards"] = {"role": "reference", "key": ["ward"]}
    wards = pd.DataFrame({"ward": ["a", "b"], "floor": [1, 2]})
    rows = frames["visits"].assign(ward=np.resize(["a", "b"], len(frames["visits"])))
    tables = {**frames, "visits": rows, "wards": wards}
    synthesizer = LinkedSynthesizer(LinkedSchema.parse(plain), seed=1, device="cpu", settings=SMALL).fit(tables)
    some = frames["patients"].head(5)
    begun = rows[rows["id"].isin(some["id"])].groupby("id", sort=False).head(1)
    drawn = synthesizer.sample(5, seed=1, given={"patients": some, "visits": begun})
    first = drawn["visits"].groupby("id", sort=False).head(1)["ward"]
    assert first.tolist() == begun["ward"].tolist()
    assert drawn["wards"].equals(wards)


def test_what_is_asked_wrongly() -> None:
    """A sentence for each."""
    schema, frames = visits()
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu")
    with pytest.raises(ConfigError, match="fitted first"):
        synthesizer.sample(3)
    with pytest.raises(ConfigError, match="above 0"):
        synthesizer.fit(frames, max_minutes=0)
    synthesizer.fit(frames)
    with pytest.raises(ConfigError, match="negative"):
        synthesizer.sample(-1)
    with pytest.raises(SchemaError, match="tables of records"):
        synthesizer.sample(3, given={"labs": frames["visits"]})
    with pytest.raises(SchemaError, match="with their keys"):
        synthesizer.sample(3, given={"visits": frames["visits"]})


def key_of(schema: LinkedSchema, candidates: int = 4) -> UnitWatermarkKey:
    """A fixed key."""
    return UnitWatermarkKey.new(schema, candidates=candidates).model_copy(update={"secret": SecretStr(f"{7:064x}")})


@given(seed=st.integers(0, 10**6))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_units_that_a_key_has_chosen_break_no_rule(seed: int) -> None:
    """Links within units, to other units and to shared rows, totals, places, ends: as if nobody had chosen."""
    world = make_world(np.random.default_rng(seed))
    made = fitted(world, "independent")
    drawn = made.sample(25, seed=seed, watermark=key_of(made.schema))
    assert broken(world, drawn) == []
    assert len(drawn["t0"]) == 25


def test_the_same_seed_and_key_draw_the_same_tables_and_others_do_not() -> None:
    made = fitted(make_world(np.random.default_rng(3)), "independent")
    one, two = (made.sample(20, seed=1, watermark=key_of(made.schema)) for _ in range(2))
    assert all(one[name].equals(two[name]) for name in one)
    assert not one["t0"].equals(made.sample(20, seed=1)["t0"])
    assert not one["t0"].equals(made.sample(20, seed=1, watermark=key_of(made.schema, 5))["t0"])


def test_marked_tables_are_known_again_and_plain_ones_are_not() -> None:
    schema = LinkedSchema.parse(SMALL_HOSPITAL)
    made = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(small_hospital())
    key = key_of(schema)
    assert detect_units(made.sample(150, seed=1, watermark=key), key).found()
    assert not detect_units(made.sample(150, seed=1), key).found()
    assert {name: len(frame) for name, frame in made.sample(0, seed=1, watermark=key).items()} == dict.fromkeys(
        schema.tables, 0
    )


def test_what_is_given_stands_in_marked_tables() -> None:
    schema = LinkedSchema.parse(SMALL_HOSPITAL)
    made = LinkedSynthesizer(schema, "timeline", seed=1, device="cpu", settings=SMALL).fit(small_hospital())
    drawn = made.sample(20, seed=1, given={"patients": {"sex": "F"}}, watermark=key_of(schema))
    assert (drawn["patients"]["sex"] == "F").all()
    frames = small_hospital(12, seed=5)
    so_far = {"patients": frames["patients"], "labs": frames["labs"].groupby("patient").head(1)}
    going_on = made.sample(12, seed=1, given=so_far, watermark=key_of(schema))
    first = going_on["labs"].merge(so_far["labs"], on=["taken", "test", "value"])
    assert len(first) >= len(so_far["labs"])


def test_a_key_of_other_columns_is_refused() -> None:
    schema = LinkedSchema.parse(SMALL_HOSPITAL)
    made = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(small_hospital())
    other = fitted(make_world(np.random.default_rng(3)), "independent")
    with pytest.raises(SchemaError, match="key must be of the tables' schema"):
        made.sample(5, seed=1, watermark=key_of(other.schema))
