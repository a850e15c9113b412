"""The drawing shows every table and every link, and is XML."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.linked.made_hospital import schema
from synthkit.schema.linked.linked_schema import LinkedSchema
from synthkit.schema.linked.table_drawing import draw_tables

SVG = "{http://www.w3.org/2000/svg}"


def drawn(schema, rows=None, real=None):
    return ElementTree.fromstring(draw_tables(schema, rows, real))


def test_every_table_is_a_box_and_every_link_a_line():
    tree, tables = drawn(schema()), schema().tables
    assert len(tree.findall(f"{SVG}rect")) == len(tables)
    titles = [title.text for title in tree.iter(f"{SVG}title")]
    assert titles[0] == f"made hospital: {len(tables)} tables"
    assert len(titles) - 1 == sum(len(table.links) for table in tables.values())
    assert "labs.visit_id: earlier in visits" in titles


def test_boxes_do_not_lie_on_each_other():
    places = [(float(box.get("x")), float(box.get("y"))) for box in drawn(schema()).iter(f"{SVG}rect")]
    assert len(set(places)) == len(places)


def test_a_line_between_tables_of_one_column_runs_beside_those_between_them():
    """No point of it lies inside a box."""
    tree = drawn(schema())
    path = next(p.get("d") for p in tree.iter(f"{SVG}path") if "earlier" in (p.findtext(f"{SVG}title") or ""))
    x = [float(number) for number in re.findall(r"[-\d.]+", path)[::2]]
    right = {float(box.get("x")) + float(box.get("width")) for box in tree.iter(f"{SVG}rect")}
    assert x[0] in right
    assert min(x) == x[0] == x[-1]
    assert max(x) > x[0]


def test_owners_stand_to_the_left_of_what_they_own():
    tree, graph = drawn(schema()), schema().graph
    names = [text.text for text in tree.iter(f"{SVG}text") if text.get("font-weight")]
    x = dict(zip(names, [float(box.get("x")) for box in tree.iter(f"{SVG}rect")], strict=True))
    assert all(x[owner] < x[name] for name, owner in graph.owners.items())


def test_rows_are_told_where_they_are_known():
    texts = [text.text for text in drawn(schema(), {"labs": 1234}).iter(f"{SVG}text")]
    assert "records, 1,234 rows" in texts
    assert "units, 7 columns" in texts


def test_names_are_no_markup():
    key = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
    odd = LinkedSchema(unit="a<b&c", name="<x>", tables={"a<b&c": key})
    assert next(t.text for t in drawn(odd).iter(f"{SVG}text")) == "a<b&c"


def test_what_a_table_is_gives_way_to_two_numbers_of_rows():
    """Units are still said to be units."""
    tree = drawn(schema(), {"labs": 9, "patients": 4}, {"labs": 8, "patients": 5})
    texts = [text.text for text in tree.iter(f"{SVG}text")]
    assert "9 synthetic, 8 real" in texts
    assert "units, 4 synthetic, 5 real" in texts


def reach(path):
    """Least and largest x of a line of cubic curves, in pixels, from a hundred points of each."""
    numbers = np.array(re.findall(r"-?\d+\.?\d*", path), dtype=float)[::2]
    t = np.linspace(0, 1, 100)[:, None]
    weights = np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
    x = weights @ numbers[:4]
    return x.min(), x.max()


def test_no_line_and_no_box_leaves_the_drawing():
    """Catalogues in the last column that own tables of that column point to run beside them."""
    columns = {"id": {"kind": "identifier"}, **{f"c{k}": {"kind": "code"} for k in range(5)}}
    links = [{"columns": [f"c{k}"], "to": f"d{k}", "kind": "reference"} for k in range(5)]
    tables = {
        "people": {"key": ["id"], "columns": {"id": {"kind": "identifier"}}},
        "stays": {"key": ["id"], "links": [{"columns": ["id"], "to": "people", "kind": "owner"}], "columns": columns},
        "labs": {"links": [{"columns": ["id"], "to": "stays", "kind": "owner"}, *links], "columns": columns},
        **{f"d{k}": {"role": "reference", "key": [f"c{k}"]} for k in range(5)},
    }
    tree = drawn(LinkedSchema(unit="people", tables=tables))
    width = float(tree.get("width"))
    lines = [path.get("d") for path in tree.iter(f"{SVG}path") if "C" in path.get("d")]
    assert len(lines) == 7
    assert any(
        reach(line)[1] > max(float(b.get("x")) + float(b.get("width")) for b in tree.iter(f"{SVG}rect"))
        for line in lines
    )
    for line in lines:
        low, high = reach(line)
        assert 2 < low < high < width - 2


@pytest.mark.parametrize("name", ["labs", "observations_from_fhir", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"])
def test_a_name_fits_its_box(name):
    key = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
    tree = drawn(LinkedSchema(unit=name, tables={name: key}))
    (text,) = [t for t in tree.iter(f"{SVG}text") if t.get("font-weight")]
    (box,) = tree.findall(f"{SVG}rect")
    assert float(text.get("font-size")) * 0.62 * len(text.text) <= float(box.get("width")) - 24 + 1
    assert 11 <= float(text.get("font-size")) <= 14
