"""A run of linked tables from end to end: units are split, tables keep their schema, the folder says all of it."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from small_hospital import SMALL, broken, small_hospital

from synthkit.errors import ArtefactError, ConfigError, SchemaError, TableError
from synthkit.pipeline.linked.linked_config import settled_config
from synthkit.pipeline.linked.linked_input import typed_draw
from synthkit.pipeline.linked.synthesize_linked import fit_linked, synthesize_linked
from synthkit.pipeline.run_config import RunConfig
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

SCHEMA = LinkedSchema.parse(SMALL)


class Heard:
    """Keeps the stages and the steps of each."""

    def __init__(self):
        self.stages, self.steps = [], {}

    def stage(self, name):
        self.stages.append(name)

    def advance(self, done, total, note=""):
        self.steps.setdefault(self.stages[-1], []).append((done, total))

    def say(self, sentence):
        """Nothing."""


def test_every_draw_keeps_keys_times_and_domains(linked_run):
    assert len(linked_run.draws) == 2
    for draw in linked_run.draws:
        assert broken(draw, units=30) == []
        assert list(draw) == list(SCHEMA.tables)
        for name, frame in draw.items():
            assert list(frame.columns) == list(SCHEMA.tables[name].columns)
    assert not linked_run.draws[0]["labs"].equals(linked_run.draws[1]["labs"])
    assert linked_run.synthetic is linked_run.draws[0]
    assert "draws=2, patients=30" in repr(linked_run)


def test_the_pool_is_attacked_by_its_coins():
    """Both draws are one release; shares alone, which is all the model knows, find few."""
    run = synthesize_linked(small_hospital(450), SCHEMA, model="independent", draws=2, quick=True, seed=1)
    pool = run.roles[run.roles["role"] == "pool"]
    panel = run.evaluation.panels["membership"]
    assert panel["design"] == "coins"
    assert panel["units"] == len(pool)
    assert {"no twins across the coin", "copies would be found"} <= {check["name"] for check in panel["checks"]}
    found = {score.metric: score for score in run.evaluation.scores}
    assert found["membership.auc"].value < 0.8
    assert found["membership.isolated.auc"].low <= found["membership.isolated.auc"].value
    assert "identity.linkability.k1" in found
    assert "copying.excess.whole_rows" in found
    assert f"{len(pool):,} people" in run.report.html
    assert "whose coin said no, the controls of every attack" in run.report.html
    assert "likelihood" not in panel["strata"]["all"]["attacks"]


def test_of_few_people_the_page_says_that_they_were_not_attacked(linked_run):
    """Of sixty patients about five have a coin that says so: 20 would be needed."""
    said = {failure.metric: failure.reason for failure in linked_run.evaluation.failures}
    assert "risks need 20 people on either side of the coin" in said["membership"]
    assert not [s for s in linked_run.evaluation.scores if s.metric.startswith(("membership.", "identity."))]


def test_roles_are_of_units_by_their_keys(linked_run):
    """Each patient has one; who is trained on is those of the role, and of the pool those whose coin says so."""
    roles = linked_run.roles
    assert sorted(roles["unit"]) == sorted(small_hospital()["patients"]["patient"])
    assert roles["coin"].notna().eq(roles["role"] == "pool").all()
    train = (roles["role"] == "train") | roles["coin"].fillna(value=False)
    held = (roles["role"] == "test") | (roles["coin"] == False).fillna(value=False)  # noqa: E712
    rows = linked_run.evaluation.run["rows"]
    assert rows["train"]["patients"] == train.sum()
    assert rows["holdout"]["patients"] == held.sum()


def test_all_rows_follow_their_unit(linked_run):
    """Counted anew: rows of each table whose patient is trained on."""
    roles, frames = linked_run.roles, small_hospital()
    train = set(roles["unit"][(roles["role"] == "train") | roles["coin"].fillna(value=False)])
    for name in ("visits", "labs"):
        assert linked_run.evaluation.run["rows"]["train"][name] == frames[name]["patient"].isin(train).sum()


def test_the_folder_is_whole(linked_run, tmp_path):
    place = linked_run.save(tmp_path / "run")
    assert {path.name for path in (place / "synthetic").iterdir()} == {f"{name}.parquet" for name in SCHEMA.tables}
    for k, draw in enumerate(linked_run.draws):
        read = pd.read_parquet(place / "draws" / f"{k + 1:02d}" / "visits.parquet")
        pd.testing.assert_frame_equal(read, draw["visits"], check_dtype=False)  # Parquet has no whole seconds
    said = json.loads((place / "run.json").read_text())
    assert (said["model"], said["seed"], said["unit"]) == ("independent", 1, "patients")
    assert said["people"]["units"] == 60
    assert LinkedSchema.load(place / "schema.yaml") == SCHEMA
    assert json.loads((place / "ledger.json").read_text())["epsilon"] is None
    assert "not differentially private" in (place / "statement.json").read_text().lower()
    inside = {path.name for path in (place / "internal").iterdir()}
    assert inside == {"validation_input.json", "validation_output.json", "roles.parquet", "log.txt"}
    assert "fidelity.integrity" in (place / "evaluation.json").read_text()
    assert (place / "report.html").is_file()
    with pytest.raises(ArtefactError, match="must not exist yet"):
        linked_run.save(place)
    linked_run.save(place, overwrite=True)


def test_the_saved_model_draws_the_same_tables(linked_run, tmp_path):
    linked_run.save(tmp_path / "run")
    again = LinkedSynthesizer.load(tmp_path / "run" / "model", device="cpu").sample(5, seed=3)
    for name, frame in linked_run.synthesizer.sample(5, seed=3).items():
        pd.testing.assert_frame_equal(again[name], frame)


def test_the_timeline_is_the_default_and_runs_from_a_folder(tmp_path):
    folder = tmp_path / "hospital"
    folder.mkdir()
    for name, frame in small_hospital(48).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    SCHEMA.save(tmp_path / "hospital.yaml")
    small = {"steps": 3, "root_steps": 3, "width": 16, "hidden": 8, "mixed": 8}
    made = synthesize_linked(
        folder, tmp_path / "hospital.yaml", settings=small, units=10, quick=True, seed=2, device="cpu"
    )
    assert made.facts["model"] == "timeline"
    assert made.facts["source"] == "hospital"
    assert broken(_typed(made.synthetic), units=10) == []


def _typed(draw: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return dict(typed_draw(draw, SCHEMA)[0].frames)


def test_a_fit_holds_nothing_out(tmp_path):
    config = RunConfig(model="independent", seed=1, device="cpu")
    made = fit_linked(small_hospital(10), SCHEMA, config=config)
    place = made.save(tmp_path / "fit")
    assert {p.name for p in place.iterdir()} == {
        *("model", "schema.yaml", "ledger.json", "statement.json", "run.json", "internal")
    }
    with pytest.raises(SchemaError, match="learned from two units on; however: `patients` has 1"):
        fit_linked(_of_one_unit(), SCHEMA, config=config)


def _of_one_unit() -> dict[str, pd.DataFrame]:
    return {name: frame[frame["patient"] == "P001"] for name, frame in small_hospital(10).items()}


def test_too_few_units_are_refused():
    with pytest.raises(TableError, match="split from 40 units on; however: `patients` has 39"):
        synthesize_linked(small_hospital(39), SCHEMA, model="independent")


def test_orphans_are_refused_or_dropped():
    frames = small_hospital()
    frames["labs"] = frames["labs"].assign(patient=frames["labs"]["patient"].where(frames["labs"].index != 0, "nobody"))
    with pytest.raises(SchemaError, match="names a row of `patients`"):
        synthesize_linked(frames, SCHEMA, model="independent")
    asked = {"model": "independent", "quick": True, "units": 5, "device": "cpu"}
    made = synthesize_linked(frames, SCHEMA, orphans="drop", **asked)
    assert made.validations["input"].orphans["labs"].rows == 1


def test_both_trainings_tell_how_far_they_are():
    """That of the units' own rows, which comes first, as that of all the rows below them."""
    heard, settings = Heard(), {"steps": 2, "root_steps": 3, "width": 16, "hidden": 8, "mixed": 8}
    made = fit_linked(
        small_hospital(), SCHEMA, progress=heard, config=RunConfig(settings=settings, seed=1, device="cpu")
    )
    assert heard.stages == ["read and validate", "fit", "fit: units", "fit: rows", ""]
    assert heard.steps == {
        "fit: units": [(1, 3), (2, 3), (3, 3)],
        "fit: rows": [(1, 2), (2, 2)],
    }
    assert list(made.facts["seconds"]) == ["read and validate", "fit"]


def test_a_model_of_one_table_is_refused_with_those_that_can():
    with pytest.raises(ConfigError, match="one of independent, marginal, timeline for linked tables; however: `ctgan`"):
        synthesize_linked(small_hospital(), SCHEMA, model="ctgan")


def test_tables_of_keys_alone_are_refused():
    keys = {"unit": "people", "tables": {"people": {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}}}
    with pytest.raises(SchemaError, match="must declare a column to learn"):
        synthesize_linked({"people": pd.DataFrame({"id": [1, 2]})}, LinkedSchema.parse(keys))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("max_rows_per_unit", 4), ("rows", 5), ("unit", "patient"), ("rake", True)),
        *(("fits", 2), ("final", True), ("release_model", True), ("population", "p.csv"), ("clamp", True)),
        ("suite", "s.json"),
        ("baselines", {"forest": "sklearn.ensemble.RandomForestClassifier"}),
    ],
)
def test_what_linked_tables_have_not_is_refused_by_a_sentence(option, value):
    more = {"epsilon": 1.0, "delta": 1e-6} if option == "max_rows_per_unit" else {}
    with pytest.raises(ConfigError, match=rf"linked tables are made without `{option}` in this version; however"):
        settled_config(RunConfig.of(**{option: value}, **more))
