"""`synthkit init` asks what only people know: on a terminal, or else it makes the safe choice and says so."""

import pytest
from made_tables import made
from typer.testing import CliRunner

from synthkit.cli import init
from synthkit.cli.app import app
from synthkit.schema import Schema
from synthkit.tables.table_files import write


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """Persons with several rows each, under a number that says nothing of itself."""
    file = tmp_path_factory.mktemp("panel") / "panel.csv"
    write(made("insurance").head(6000), file)
    return file


def run(file, out, answers=None, *words):
    return CliRunner().invoke(app, ["init", str(file), "-o", str(out), *words], input=answers)


def test_without_a_terminal_the_rows_of_a_person_stay_together(panel, tmp_path):
    said = run(panel, tmp_path / "s.yaml")
    assert said.exit_code == 0
    assert Schema.load(tmp_path / "s.yaml").unit == "zper"
    assert "`zper` is taken for the unit, whose rows stay together: 1,7" in said.stderr
    assert "never change within one" in said.stderr


def test_without_a_terminal_what_is_not_learned_is_said(tmp_path):
    write(made("registry"), tmp_path / "registry.csv")
    said = run(tmp_path / "registry.csv", tmp_path / "s.yaml")
    for column in ("encounter", "first", "surname", "note"):
        assert f"`{column}`" in said.stderr
        assert Schema.load(tmp_path / "s.yaml").columns[column].kind == "identifier"
    assert "question: Does `note` hold free text?" in said.stderr


@pytest.mark.parametrize(
    ("answers", "unit", "kind"),
    [("y\n", "zper", "identifier"), ("n\ny\n", None, "identifier"), ("n\nn\n", None, "numeric")],
)
def test_on_a_terminal_it_waits_for_answers(panel, tmp_path, monkeypatch, answers, unit, kind):
    monkeypatch.setattr(init, "_on_terminal", lambda: True)
    said = run(panel, tmp_path / "s.yaml", answers)
    assert said.exit_code == 0
    schema = Schema.load(tmp_path / "s.yaml")
    assert (schema.unit, schema.columns["zper"].kind) == (unit, kind)
    assert "Does `zper` name the person whose privacy is protected?" in said.stderr


def test_a_unit_that_is_given_is_kept(panel, tmp_path):
    said = run(panel, tmp_path / "s.yaml", None, "--unit", "site")
    assert Schema.load(tmp_path / "s.yaml").unit == "site"
    assert "is taken for the unit" not in said.stderr
