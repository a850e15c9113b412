"""A blind review laid out: synthetic and held-out people in random order, pages and a sheet, and the key apart."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import ConfigError, TableError
from synthkit.io.atomic_files import replacing_folder
from synthkit.pipeline.review.unit_rows import reviewed_person
from synthkit.report.review_view import build_review_people, build_review_sheet
from synthkit.runtime.seeds import Seeds
from synthkit.tables.contradictions import count_contradictions

if TYPE_CHECKING:
    from synthkit.report.reviewed_people import ReviewedPerson
    from synthkit.tables.linked_tables import LinkedTables

REVIEW_KEY_FORMAT = "synthkit-review-key/1"
KEY_FILE, REVIEWERS_FOLDER = "key.json", "for_reviewers"
PEOPLE_FILE, SHEET_FILE, SHEET_PAGE = "people.html", "sheet.csv", "sheet.html"
SHEET_COLUMNS = ("person", "realistic_1_to_5", "real_or_synthetic", "contradictions")
REVIEWED_KINDS = ("real", "synthetic")


@dataclass(frozen=True)
class BlindReview:
    """People to be judged, and which of them are synthetic; INTERNAL.

    Args:
        people: as they are shown, in random order.
        synthetic: whether each is synthetic.
        name: of the tables.
        unit: what a person is called there.
        seed: root of the choice and the order.
        declared: how many of the real and of the synthetic people have a contradiction that the schema declares; None
            if it declares none.
    """

    people: tuple[ReviewedPerson, ...]
    synthetic: tuple[bool, ...]
    name: str
    unit: str
    seed: int
    declared: Mapping[str, int] | None = None

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write what reviewers get into a folder of its own, and the key beside that; all of it or nothing.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with replacing_folder(Path(folder), overwrite=overwrite, marks=(KEY_FILE,)) as temporary:
            place = temporary / REVIEWERS_FOLDER
            place.mkdir()
            build_review_people(self.people, self.name, self.unit).save(place / PEOPLE_FILE)
            build_review_sheet(self.people, self.name, self.unit).save(place / SHEET_PAGE)
            with (place / SHEET_FILE).open("w", encoding="utf-8", newline="") as file:
                lines = csv.writer(file)
                lines.writerow(SHEET_COLUMNS)
                lines.writerows([k, "", "", ""] for k in range(1, len(self.people) + 1))
            (temporary / KEY_FILE).write_text(json.dumps(self.key(), indent=1) + "\n", encoding="utf-8")
        return Path(folder)

    def key(self) -> dict[str, object]:
        """Who is synthetic, by number on the sheet, and how many contradict themselves, as plain data."""
        people = {str(k): REVIEWED_KINDS[made] for k, made in enumerate(self.synthetic, 1)}
        counted = {} if self.declared is None else {"declared": dict(self.declared)}
        return {"format": REVIEW_KEY_FORMAT, "seed": self.seed, "people": people, **counted}


def lay_out_review(
    synthetic: LinkedTables, held_out: LinkedTables, *, people: int = 20, seed: int | None = None
) -> BlindReview:
    """So many synthetic and as many held-out units at random, shuffled.

    Args:
        synthetic: units that were drawn.
        held_out: real units that the model never saw.
        people: of each.
        seed: root of the choice and the order; from the operating system if not given.

    Raises:
        ConfigError: fewer than one of each is asked for, or more than there are.
        TableError: the tables are of different schemas.
    """
    if synthetic.schema != held_out.schema:
        msg = "synthetic and held-out tables must be of one schema; however: theirs differ. Type them by the same one"
        raise TableError(msg)
    unit = synthetic.schema.unit
    sizes = {"held-out": len(held_out.frames[unit]), "synthetic": len(synthetic.frames[unit])}
    for word, size in sizes.items():
        if not 1 <= people <= size:
            msg = f"`people` must be between 1 and the number of {word} `{unit}`; however: {people} of {size:,}"
            raise ConfigError(f"{msg}. Ask for as many as there are, or fewer")
    seeds = Seeds() if seed is None else Seeds(seed)
    rng = seeds.numpy("review")
    sides = (held_out, synthetic)
    chosen = [np.sort(rng.choice(size, people, replace=False)) for size in sizes.values()]
    shown = [(reviewed_person(sides[made], int(k)), made) for made in (0, 1) for k in chosen[made]]
    declared = None
    if synthetic.schema.contradictions:
        counts = [count_contradictions(side.take(who)) for side, who in zip(sides, chosen, strict=True)]
        declared = dict(zip(REVIEWED_KINDS, (count.contradicted for count in counts), strict=True))
    order = rng.permutation(len(shown))
    return BlindReview(
        people=tuple(shown[k][0] for k in order),
        synthetic=tuple(bool(shown[k][1]) for k in order),
        name=synthetic.schema.name,
        unit=unit,
        seed=seeds.root,
        declared=declared,
    )
