"""A rule about numbers that are drafted as codes of a catalogue is kept by the rows it was found in."""

import numpy as np
import pandas as pd
import pytest

from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

NAMES = {70012: "BLOOD CULTURE", 70079: "URINE", 70062: "SPUTUM", 70091: "SWAB"}


def hospital(*, missing=False):
    """Samples whose number names a row of a catalogue and goes with a name of its own."""
    rng = np.random.default_rng(5)
    people = pd.DataFrame({"subject_id": range(1000, 1060), "sex": rng.choice(["F", "M"], 60)})
    what = rng.choice(list(NAMES), 600)
    samples = pd.DataFrame({"subject_id": rng.choice(people["subject_id"], 600), "spec_itemid": what})
    samples["spec_type_desc"] = samples["spec_itemid"].map(NAMES)
    if missing:
        samples.loc[:50, ["spec_itemid", "spec_type_desc"]] = None
    items = pd.DataFrame({"itemid": list(NAMES), "label": list("abcd")})
    return {"patients": people, "samples": samples, "d_items": items}


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("file", ["csv", "parquet"])
def test_a_draft_is_kept_by_its_own_rows_however_they_are_stored(tmp_path, missing, file):
    frames = hospital(missing=missing)
    draft = draft_linked(frames).schema
    samples = draft.tables["samples"]
    assert samples.columns["spec_itemid"].kind == "code"
    (rule,) = [r for r in samples.rules if r.rule == "fixed_combination"]
    assert set(rule.of) == {"spec_itemid", "spec_type_desc"}
    stored = dict(frames)
    if file == "csv":
        frames["samples"].to_csv(tmp_path / "samples.csv", index=False)
        stored["samples"] = pd.read_csv(tmp_path / "samples.csv", dtype=str)
    found = validate_linked(stored, draft)
    assert found.success, str(found)


def test_the_combinations_are_those_of_the_training_rows():
    frames = hospital()
    draft = draft_linked(frames).schema
    made = LinkedSynthesizer(draft, "independent", seed=1).fit(frames).sample(40, seed=2)["samples"]
    pairs = set(zip(made["spec_itemid"].astype(int), made["spec_type_desc"], strict=True))
    assert len(made) > 100
    assert pairs <= set(NAMES.items())
