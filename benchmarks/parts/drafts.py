"""Precision and recall of drafted schemas, line by line, against schemas that people wrote.

Eight public tables with the schemas of schemas/, and four made-up ones (tables/stand_ins.py) with theirs. What was
measured goes to drafts.json and into docs/schema.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from benchmarks.flags import parser
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED, SCHEMAS
from benchmarks.tables import stand_ins
from benchmarks.tables.real_tables import data
from synthkit.schema import Comparison, FixedCombination, Identifier, Numeric, Ordinal, Schema
from synthkit.schema.columns import level_key
from synthkit.schema.infer.draft import Draft, examine
from synthkit.schema.rules import ExactlyOne, Implication

OUT, PAGE = MEASURED / "drafts.json", DOCS / "schema.md"
START, END = "<!-- drafts -->", "<!-- /drafts -->"
PUBLIC: Mapping[str, tuple[str, ...]] = {
    "adult": ("adult/train", "adult/test"),
    "breast_cancer": ("breast_cancer/wdbc",),
    "census_income_kdd": ("census_income_kdd/train", "census_income_kdd/test"),
    "default_credit": ("default_credit/default",),
    "diabetes130": ("diabetes130/diabetic_data",),
    "heart_disease": ("heart_disease/heart_disease",),
    "kddcup99": ("kddcup99_10pct/kddcup",),
    "support2": ("support2/support2",),
}
NEAR = 0.05  # of the declared span, that a bound may be off
KINDS = ("numeric", "categorical", "ordinal", "boolean", "datetime", "code", "identifier")
Lines = dict[str, set[tuple[Any, ...]]]


def kinds(schema: Schema) -> Lines:
    """The kind of every column."""
    return {f"kind: {kind}": {(c,) for c, k in schema.columns.items() if k.kind == kind} for kind in KINDS}


def unlearned(schema: Schema, abouts: Callable[[str], str]) -> Lines:
    """Keys, names of people and free text among the identifiers."""
    said = {c: abouts(c) for c, k in schema.columns.items() if isinstance(k, Identifier)}
    return {about: {(c,) for c, told in said.items() if told == about} for about in ("keys", "names", "free text")}


def by_hand(kind: Any) -> str:
    """What an identifier of a schema that people wrote is."""
    return "names" if kind.faker is not None else "free text" if kind.description == "free text" else "keys"


def rules(schema: Schema) -> Lines:
    """Groups of flags, and other rules by their kind and columns."""
    groups = {tuple(sorted(r.of)) for r in schema.rules if isinstance(r, ExactlyOne)}
    out: Lines = {"one-hot groups": groups}
    for title, kind in (("comparison", Comparison), ("fixed_combination", FixedCombination)):
        own = [r for r in schema.rules if isinstance(r, kind)]
        out[f"rules: {title}"] = {
            (r.left, r.right) if isinstance(r, Comparison) else tuple(sorted(r.columns)) for r in own
        }
    implied = [r for r in schema.rules if isinstance(r, Implication)]
    out["rules: implication"] = {(a, b) for r in implied for a in r.if_ for b in r.then}
    return out


def targets(found: list[Mapping[str, Any]]) -> Lines:
    """Targets by column and task; of survival, the pair."""
    pairs = {(t["column"], t["event"]) for t in found if t["task"] == "survival"}
    return {
        "targets": {(t["column"], t["task"]) for t in found if t["task"] != "survival"},
        "survival pairs": pairs,
    }


def drafted(draft: Draft) -> Lines:
    """Every line of a draft but those that are numbers."""
    told = {q.column: str(q.about) for q in draft.questions if q.about in ("names", "free text")}
    owner = {(draft.owner.column,)} if draft.owner is not None else set()
    lines = kinds(draft.schema) | {"unit": owner} | unlearned(draft.schema, lambda c: told.get(c, "keys"))
    lines |= rules(draft.schema)
    return lines | targets([dict(p.target) for p in draft.targets])


def declared(schema: Schema) -> Lines:
    """The same lines of a schema that people wrote."""
    unit = set() if schema.unit is None else {(schema.unit,)}
    lines = kinds(schema) | {"unit": unit} | unlearned(schema, lambda c: by_hand(schema.columns[c])) | rules(schema)
    return lines | targets([t.model_dump() for t in schema.targets])


def numbers(draft: Schema, hand: Schema) -> Iterator[tuple[str, int, int, int]]:
    """Lines that are right if they are near: title, right, drafted, declared."""
    both = [(draft.columns[c], k) for c, k in hand.columns.items() if isinstance(k, Numeric)]
    bounds = [(getattr(d, key, None), getattr(k, key), k) for d, k in both for key in ("min", "max")]
    right = sum(_near(said, meant, k) for said, meant, k in bounds)
    numeric = [k for k in draft.columns.values() if isinstance(k, Numeric)]
    told = sum(bound is not None for k in numeric for bound in (k.min, k.max))
    yield "bounds", right, told, sum(meant is not None for _, meant, _ in bounds)
    atoms = [(set(getattr(d, "atoms", ())), set(k.atoms)) for d, k in both]
    told = sum(len(k.atoms) for k in numeric)
    yield "atoms", sum(len(a & b) for a, b in atoms), told, sum(len(b) for _, b in atoms)
    orders = [(draft.columns[c], k) for c, k in hand.columns.items() if isinstance(k, Ordinal)]
    told = sum(isinstance(k, Ordinal) for k in draft.columns.values())
    yield "order of levels", sum(_same_order(d, k) for d, k in orders), told, len(orders)


def _near(said: float | None, meant: float | None, column: Numeric) -> bool:
    if said is None or meant is None or column.min is None or column.max is None:
        return False
    return abs(said - meant) <= NEAR * (column.max - column.min)


def _same_order(draft: Any, hand: Ordinal) -> bool:
    """Whether the drafted levels stand in the declared order; levels nobody has in the table may be left out."""
    if not isinstance(draft, Ordinal):
        return False
    place = {level_key(level): k for k, level in enumerate(hand.levels)}
    places = [place.get(level_key(level), -1) for level in draft.levels]
    return -1 not in places and places == sorted(places)


def measure(frame: pd.DataFrame, hand: Schema) -> dict[str, dict[str, Any]]:
    """Right, drafted and declared lines of one table, with the names of what was wrong or missed."""
    draft = examine(frame, name=hand.name)
    ours, theirs = drafted(draft), declared(hand)
    out: dict[str, dict[str, Any]] = {}
    for title in ours:
        right = ours[title] & theirs[title]
        out[title] = {"right": len(right), "drafted": len(ours[title]), "declared": len(theirs[title])}
        for key, rest in (("wrong", ours[title] - right), ("missed", theirs[title] - right)):
            if rest and len(rest) <= 12:
                out[title][key] = sorted(", ".join(map(str, line)) for line in rest)
    for title, right_, told, meant in numbers(draft.schema, hand):
        out[title] = {"right": right_, "drafted": told, "declared": meant}
    return out


def total(result: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Sums over tables: right, drafted, declared, by line."""
    titles = dict.fromkeys(title for name in names for title in result[name])
    cells = {title: [result[name][title] for name in names] for title in titles}
    keys = ("right", "drafted", "declared")
    sums = {title: [sum(cell[key] for cell in each) for key in keys] for title, each in cells.items()}
    return {title: (right, told, meant) for title, (right, told, meant) in sums.items()}


def table(result: Mapping[str, Any]) -> str:
    """The figures, one kind of line a row."""
    public, made = total(result, PUBLIC), total(result, stand_ins.MADE)
    counts = "right / drafted / declared | precision | recall"
    rows = [f"| {title} | {' | '.join((*_cells(public[title]), *_cells(made[title])))} |" for title in public]
    return "\n".join([f"| line | public: {counts} | made-up: {counts} |", "|---|---|---|---|---|---|---|", *rows])


def _cells(counts: tuple[int, int, int]) -> tuple[str, str, str]:
    right, told, meant = counts
    precision, recall = (f"{right / of:.2f}" if of else "–" for of in (told, meant))
    return f"{right} / {told} / {meant}", precision, recall


def main(words: Sequence[str] | None = None) -> None:
    """Measure all tables and write the figures down."""
    parser("drafts", __doc__).parse_args(words)
    result: dict[str, Any] = {}
    for name, files in PUBLIC.items():
        frame = pd.concat([pd.read_parquet(data(f"{file}.parquet")) for file in files], ignore_index=True)
        result[name] = measure(frame, Schema.load(SCHEMAS / f"{name}.yaml"))
    for name in stand_ins.MADE:
        result[name] = measure(stand_ins.table(name), stand_ins.schema(name))
    OUT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    rewrite(PAGE, table(result), START, END)
    print(table(result))
