"""What imputation leaves alone: moments, ends of people, keys, and the order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_completion import fillable
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

DAY = {"kind": "datetime", "precision": "day"}
NAME = {"kind": "identifier"}
SEX = {"kind": "categorical", "levels": ["f", "m"], "nullable": True}
SCHEMA = LinkedSchema.parse(
    {
        "unit": "people",
        "tables": {
            "people": {
                "key": ["id"],
                "end": "dead",
                "columns": {"id": NAME, "sex": SEX, "dead": {**DAY, "nullable": True}, "left": {"kind": "numeric"}},
            },
            "stays": {
                "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
                "order": {"from": "begin", "until": "finish"},
                "columns": {
                    "id": NAME,
                    "begin": DAY,
                    "finish": {**DAY, "nullable": True},
                    "seen": {**DAY, "nullable": True},
                    "cost": {"kind": "numeric", "decimals": 0, "nullable": True},
                },
            },
        },
    }
)


def gaps(people: int) -> dict[str, pd.DataFrame]:
    """People who mostly live, stays that go on, rows in any order, every third value missing."""
    rng = np.random.default_rng(5)
    name = rng.permutation([f"p{k}" for k in range(people)])
    start, day = np.datetime64("2020-01-01"), np.timedelta64(1, "D")
    who = np.repeat(np.arange(people), 3)
    begin = start + 100 * np.tile(np.arange(3), people) * day
    dead = np.where(np.arange(people) % 4 == 0, start + 900 * day, np.datetime64("NaT"))
    sex = np.where(np.arange(people) % 3 == 0, None, "f")
    stays = pd.DataFrame({"id": name[who], "begin": begin, "finish": begin + 9 * day, "seen": begin + day})
    stays["cost"] = np.where(np.arange(len(stays)) % 3 == 1, np.nan, np.arange(len(stays)) % 50)
    for column, every in (("finish", 5), ("seen", 2)):
        stays[column] = stays[column].where(np.arange(len(stays)) % every > 0)
    made = pd.DataFrame({"id": name, "sex": sex, "dead": dead, "left": rng.random(people)})
    return {"people": made, "stays": stays.sample(frac=1, random_state=1).reset_index(drop=True)}


def test_nobody_dies_no_stay_ends_and_rows_stay_where_they_stood() -> None:
    """Values are filled, all of them; everything else is cell by cell what it was."""
    frames = gaps(48)
    made = LinkedSynthesizer(SCHEMA, "independent", seed=1, device="cpu").fit(frames)
    filled = made.impute(frames, seed=2)
    for name, values in (("people", ["sex"]), ("stays", ["cost"])):
        before, after = frames[name], filled[name]
        for column in before:
            known = before[column].notna() if column in values else pd.Series(True, index=before.index)
            one, two = before[column][known], after[column][known]
            assert (one.isna() == two.isna()).all()
            assert (one.dropna() == two.dropna()).all()
        assert before[values].isna().any().all()
        assert after[values].notna().all().all()


def test_what_can_be_filled_is_no_key_and_tells_no_time() -> None:
    """The end of the people, a moment named by a rule though it is a number, and all moments are left."""
    assert fillable(SCHEMA, "people") == ("sex", "left")
    assert fillable(SCHEMA, "stays") == ("cost",)
    content = SCHEMA.model_dump(mode="json", by_alias=True, exclude_none=True)
    number = {"kind": "numeric", "decimals": 0}
    content["tables"]["people"]["columns"]["dead"] = {**number, "nullable": True}
    content["tables"]["stays"]["columns"] |= {"begin": number, "finish": number}
    del content["tables"]["stays"]["columns"]["seen"]
    content["rules"] = [{"rule": "nothing_after", "moment": "people.left"}]
    numbers = LinkedSchema.parse(content)
    assert fillable(numbers, "people") == ("sex",)
    assert fillable(numbers, "stays") == ("cost",)
