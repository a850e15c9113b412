"""A filled score sheet held against the key: telling real from synthetic, ratings, contradictions."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthkit.errors import ArtefactError, TableError
from synthkit.io.documents import MALFORMED_DATA_ERRORS, content, read_json
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.intervals import Interval
from synthkit.pipeline.review.blind_review import REVIEW_KEY_FORMAT, REVIEWED_KINDS, SHEET_COLUMNS
from synthkit.report.labels import number, span

MOST_SHEET_BYTES = 10_000_000
WORST, BEST = 1, 5  # of the scale
VERDICTS = {"real": 0, "r": 0, "synthetic": 1, "s": 1}


@dataclass(frozen=True)
class SheetLine:
    """What a reviewer answered about one person; None where nothing was written.

    Args:
        person: number on the sheet.
        rating: 1 (not at all realistic) to 5.
        verdict: whether the person was taken for synthetic.
        contradictions: what was noted.
    """

    person: int
    rating: int | None
    verdict: bool | None
    contradictions: str


@dataclass(frozen=True)
class ReviewedKind:
    """Answers about the real or about the synthetic people.

    Args:
        people: on the sheet.
        rated: those with a rating.
        rating: mean rating, 1 to 5; None for no rating.
        told: those with a guess.
        right: share of guesses that are right, with Wilson's interval.
        contradicted: share of people with a contradiction noted, with Wilson's interval.
    """

    people: int
    rated: int
    rating: float | None
    told: int
    right: Interval
    contradicted: Interval


@dataclass(frozen=True)
class DeclaredOnSheet:
    """People on the sheet with a contradiction that the schema declares, counted without the reviewer.

    Args:
        real: share of the real people, with Wilson's interval.
        synthetic: the same of the synthetic ones.
        gap: share of the synthetic less that of the real people, with Newcombe's interval.
    """

    real: Interval
    synthetic: Interval
    gap: Interval


@dataclass(frozen=True)
class ReviewResult:
    """What one reviewer's sheet says; INTERNAL.

    Args:
        told: guesses.
        accuracy: share of guesses that are right, with Wilson's interval; 1/2 is a coin toss.
        real: answers about the real people.
        synthetic: answers about the synthetic ones.
        rating_gap: mean rating of real less that of synthetic people, with Welch's interval; None for no ratings.
        contradiction_gap: share of synthetic less that of real people with a contradiction noted, with Newcombe's.
        declared: contradictions that the schema declares, among the same people; None if it declares none.
    """

    told: int
    accuracy: Interval
    real: ReviewedKind
    synthetic: ReviewedKind
    rating_gap: Interval | None
    contradiction_gap: Interval
    declared: DeclaredOnSheet | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data; ends that are not finite are null."""
        return {
            "told": self.told,
            "accuracy": _plain(self.accuracy),
            "rating_gap": None if self.rating_gap is None else _plain(self.rating_gap),
            "contradiction_gap": _plain(self.contradiction_gap),
            "declared": None if self.declared is None else {k: _plain(at) for k, at in vars(self.declared).items()},
            **{
                kind: {
                    "people": side.people,
                    "rated": side.rated,
                    "rating": side.rating,
                    "told": side.told,
                    "right": _plain(side.right),
                    "contradicted": _plain(side.contradicted),
                }
                for kind, side in (("real", self.real), ("synthetic", self.synthetic))
            },
        }

    def sentences(self) -> list[str]:
        """The result in words."""
        said = [_told_sentence(self.told, self.accuracy)] if self.told else ["Nobody was guessed to be either."]
        if self.rating_gap is not None and self.real.rating is not None and self.synthetic.rating is not None:
            said.append(
                f"Realistic, 1 to {BEST}: real people {self.real.rating:.2f}, synthetic ones "
                f"{self.synthetic.rating:.2f}; difference {number(self.rating_gap.value)} "
                f"{span(self.rating_gap.low, self.rating_gap.high)}."
            )
        noted = [
            f"{number(side.contradicted.value, 'share')} {span(side.contradicted.low, side.contradicted.high, 'share')}"
            for side in (self.synthetic, self.real)
        ]
        gap = self.contradiction_gap
        said.append(
            f"A contradiction was noted in {noted[0]} of the synthetic and {noted[1]} of the real people; difference "
            f"{number(gap.value, 'share')} {span(gap.low, gap.high, 'share')}."
        )
        if self.declared is not None:
            drawn, real = (number(at.value, "share") for at in (self.declared.synthetic, self.declared.real))
            least, most = self.declared.gap.low, self.declared.gap.high
            said.append(
                f"One that the schema declares have {drawn} of the synthetic and {real} of the real people; difference "
                f"{number(self.declared.gap.value, 'share')} {span(least, most, 'share')}."
            )
        return said


def evaluate_sheet(sheet: str | Path, key: str | Path) -> ReviewResult:
    """Hold a filled sheet against the key.

    Accuracy and shares have Wilson's interval, the difference of the mean ratings Welch's for two groups of unequal
    variance, that of the contradictions Newcombe's; people are independent, nobody is paired with anybody.

    Args:
        sheet: the CSV, filled; an empty cell is no answer.
        key: key.json of the review.

    Raises:
        TableError: the sheet cannot be read, or an answer is none of those asked for.
        ArtefactError: the key is no key, or of another review.
    """
    kinds, declared = read_key(key)
    lines = read_sheet(sheet)
    if sorted(line.person for line in lines) != sorted(kinds):
        msg = f"the sheet must have the people of the key; however: {len(lines)} lines and {len(kinds)} people differ"
        raise ArtefactError(f"{msg}. Give the sheet and the key of one review")
    real, synthetic = (tuple(line for line in lines if kinds[line.person] == k) for k in (False, True))
    both = [_side(group, synthetic=made) for made, group in ((False, real), (True, synthetic))]
    right = sum(line.verdict == kinds[line.person] for line in lines if line.verdict is not None)
    told = sum(line.verdict is not None for line in lines)
    ratings = [np.array([x.rating for x in g if x.rating is not None], dtype=float) for g in (real, synthetic)]
    noted = [sum(bool(x.contradictions) for x in g) for g in (synthetic, real)]
    return ReviewResult(
        told=told,
        accuracy=intervals.wilson(right, told),
        real=both[0],
        synthetic=both[1],
        rating_gap=_rating_gap(*ratings) if all(len(r) for r in ratings) else None,
        contradiction_gap=intervals.newcombe(noted[0], len(synthetic), noted[1], len(real)),
        declared=None if declared is None else _declared(declared, len(real), len(synthetic)),
    )


def _declared(counts: Mapping[str, int], real: int, synthetic: int) -> DeclaredOnSheet:
    mine, theirs = counts["synthetic"], counts["real"]
    return DeclaredOnSheet(
        real=intervals.wilson(theirs, real),
        synthetic=intervals.wilson(mine, synthetic),
        gap=intervals.newcombe(mine, synthetic, theirs, real),
    )


def read_key(path: str | Path) -> tuple[dict[int, bool], dict[str, int] | None]:
    """Whether each person is synthetic, by number on the sheet; and how many of each kind contradict themselves.

    Raises:
        ArtefactError: the file is no key of a review.
        DocumentError: it is no JSON.
    """
    try:
        data = read_json(path)
        people: dict[str, str] = data["people"]
        if data["format"] == REVIEW_KEY_FORMAT and people and set(people.values()) <= set(REVIEWED_KINDS):
            made = {int(k): REVIEWED_KINDS.index(kind) == 1 for k, kind in people.items()}
            return made, _counts(data.get("declared"), made)
    except FileNotFoundError as error:
        msg = f"{path} must be the key of a review; however: it is not there. Give the path of its key.json"
        raise ArtefactError(msg) from error
    except MALFORMED_DATA_ERRORS as error:
        raise ArtefactError(_no_key(path)) from error
    raise ArtefactError(_no_key(path))


def _counts(said: Any, made: Mapping[int, bool]) -> dict[str, int] | None:
    """Numbers of people, none above those on the sheet.

    Raises:
        ValueError: they are not.
    """
    if said is None:
        return None
    most = dict(zip(REVIEWED_KINDS, (len(made) - sum(made.values()), sum(made.values())), strict=True))
    if set(said) != set(most) or not all(isinstance(said[k], int) and 0 <= said[k] <= n for k, n in most.items()):
        msg = "numbers of people must not exceed those on the sheet; however: they do, or are none"
        raise ValueError(msg)
    return {k: int(said[k]) for k in most}


def _no_key(path: str | Path) -> str:
    return f"{path} must be the key of a review ({REVIEW_KEY_FORMAT}); however: it is none. Give the review's key.json"


def read_sheet(path: str | Path) -> tuple[SheetLine, ...]:
    """The lines of a filled sheet; commas, semicolons or tabs between the cells.

    Raises:
        TableError: the file is no sheet, a person stands twice, or an answer is none of those asked for.
    """
    try:
        text = content(path, MOST_SHEET_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} must be a score sheet in CSV and UTF-8; however: it cannot be read. Save it as CSV UTF-8"
        raise TableError(msg) from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    lines = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    lacking = [name for name in SHEET_COLUMNS if not lines or name not in lines[0]]
    if lacking:
        msg = f"the sheet must have the columns {', '.join(SHEET_COLUMNS)} and a line a person; however: "
        raise TableError(f"{msg}{'it has no line' if not lines else ', '.join(lacking) + ' not found'}. Fill sheet.csv")
    found = tuple(_line(k, line) for k, line in enumerate(lines, 2))
    if len({line.person for line in found}) < len(found):
        msg = "each person must stand once on the sheet; however: a number is there twice. Take one of the lines out"
        raise TableError(msg)
    return found


def _line(k: int, line: dict[str, str | None]) -> SheetLine:
    """One line of the sheet; its number in the file is told where something is wrong."""
    person, rating, verdict, noted = ((line[name] or "").strip() for name in SHEET_COLUMNS)
    if not person.isdecimal():
        msg = f"line {k} of the sheet must begin with the number of a person; however: it does not. Restore it"
        raise TableError(msg)
    if rating and rating not in map(str, range(WORST, BEST + 1)):
        msg = f"line {k} of the sheet must be rated {WORST} to {BEST} in whole numbers; however: it is not. Correct it"
        raise TableError(msg)
    if verdict and verdict.casefold() not in VERDICTS:
        msg = f"line {k} of the sheet must say `real` or `synthetic`; however: it says neither. Correct it"
        raise TableError(msg)
    return SheetLine(
        person=int(person),
        rating=int(rating) if rating else None,
        verdict=bool(VERDICTS[verdict.casefold()]) if verdict else None,
        contradictions=noted,
    )


def _side(lines: tuple[SheetLine, ...], *, synthetic: bool) -> ReviewedKind:
    ratings = [line.rating for line in lines if line.rating is not None]
    guesses = [line.verdict for line in lines if line.verdict is not None]
    return ReviewedKind(
        people=len(lines),
        rated=len(ratings),
        rating=float(np.mean(ratings)) if ratings else None,
        told=len(guesses),
        right=intervals.wilson(sum(guess == synthetic for guess in guesses), len(guesses)),
        contradicted=intervals.wilson(sum(bool(line.contradictions) for line in lines), len(lines)),
    )


def _rating_gap(real: Any, synthetic: Any) -> Interval:
    """Mean of the real less that of the synthetic ratings, cut to what the scale allows."""
    at = intervals.welch(real, synthetic)
    most = float(BEST - WORST)
    cut = Interval(at.value, max(at.low, -most), min(at.high, most))
    return intervals.widened_if_flat(cut, min(len(real), len(synthetic)), floor=-most, ceiling=most)


def _told_sentence(told: int, at: Interval) -> str:
    right = round(at.value * told)
    if at.low <= 0.5 <= at.high:
        than = "a coin toss cannot be ruled out"
    else:
        than = "better than a coin toss" if at.value > 0.5 else "worse than a coin toss"
    return f"Told right: {right} of {told}, {number(at.value, 'share')} {span(at.low, at.high, 'share')}: {than}."


def _plain(at: Interval) -> dict[str, float | None]:
    ends = (("value", at.value), ("low", at.low), ("high", at.high))
    return {name: float(x) if np.isfinite(x) else None for name, x in ends}
