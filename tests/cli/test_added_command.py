"""What one more command or option costs, by doing it: the listing of docs/extending runs as an installed command."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest
import typer
from installed import install
from places import ROOT

from synthkit.cli.app import COMMANDS, app
from synthkit.cli.config_flags import IN_A_FILE_ONLY, config_flags
from synthkit.models.registry import MODELS
from synthkit.pipeline.run_config import CSVOptions, OptionGroup, RunConfig
from synthkit.runtime.docstrings import arguments

LISTING = ROOT / "docs" / "extending" / "command.py"
GROUP = "synthkit.commands"


@pytest.fixture
def site(tmp_path_factory, monkeypatch):
    """A folder of installed distributions, on the path."""
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "counting_command", raising=False)
    importlib.invalidate_caches()
    return folder


def listing(name: str = "count-rows") -> dict[str, dict[str, str]]:
    return {
        "modules": {"counting_command": LISTING.read_text(encoding="utf-8")},
        "entry_points": {GROUP: {name: "counting_command:count_rows"}},
    }


def test_the_listing_runs_as_a_command(site, tmp_path, command):
    install(site, "counting", **listing())
    (tmp_path / "t.csv").write_text("age;sex\n3;f\nNA;m\n;\n")
    said = command("count-rows", tmp_path / "t.csv", "--missing", "NA", "--delimiter", ";")
    assert (said.code, said.out) == (0, "t.csv: 3 rows, 3 missing cells\n"), said.err
    assert command("count-rows", tmp_path / "t.csv", "--quiet").out == ""
    text = command("--help").out
    assert "  count-rows     Count the rows of a table, and its missing cells\n" in text
    assert "--missing" in command("count-rows", "--help").out


def test_its_errors_are_messages(site, tmp_path, refused):
    install(site, "counting", **listing())
    assert "no.csv" in refused("count-rows", tmp_path / "no.csv")


def test_a_name_that_is_taken_is_refused(site, refused, command):
    """Where names are listed; what synthkit does under its own name stays what it is."""
    install(site, "counting", **listing("gate"))
    said = refused("--help")
    assert "counting (counting_command:count_rows) offers `gate`, which is of synthkit" in said
    assert "Hold what was measured" in command("gate", "--help").out


def test_what_is_no_function_is_refused(site, refused):
    modules = {"counting_command": "count_rows = 3"}
    install(site, "counting", modules=modules, entry_points={GROUP: {"count-rows": "counting_command:count_rows"}})
    assert "a command must be a function; however: `count-rows` is of type int" in refused("count-rows")


def test_a_command_costs_fifteen_lines_and_one():
    """Besides what it does: two lines of this one, and its docstring is help that people read."""
    tree = ast.parse(LISTING.read_text(encoding="utf-8"))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    work = {line for node in function.body[1:] for line in range(node.lineno, node.end_lineno + 1)}
    assert len(work) == 2
    assert len([line for line in LISTING.read_text(encoding="utf-8").splitlines() if line.strip()]) - len(work) <= 15


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_function_of_its_name_in_the_file_of_its_name(name):
    word = name.replace("-", "_")
    tree = ast.parse((ROOT / "synthkit" / "cli" / f"{word}.py").read_text(encoding="utf-8"))
    public = [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.replace("_", "-") in COMMANDS]
    assert public == [word]


# ---- options of a run ----


def groups() -> list[type[OptionGroup]]:
    return [group for group in RunConfig.__mro__ if issubclass(group, OptionGroup) and group is not RunConfig]


def test_every_option_is_said_once_in_the_docstring_of_its_group():
    for group in groups():
        own = [name for name in group.model_fields if name in group.__annotations__]
        assert list(arguments(group.__doc__ or "")) == own, group
    said = [name for group in groups() for name in arguments(group.__doc__ or "")]
    assert sorted(said) == sorted(RunConfig.model_fields)


def test_the_flags_of_a_run_are_its_options():
    """Nothing is left out, and nothing else reaches the configuration."""
    flags = {p.name for p in typer.main.get_command(app).commands["run"].params}
    others = {"table", "schema", "out", "resume", "overwrite", "quiet", "config_file", "set_", "steps"}
    assert flags - others == set(RunConfig.model_fields) - {"settings", *IN_A_FILE_ONLY}


def test_help_names_every_model(command):
    words = " ".join(command("run", "--help").out.split())
    text = words.partition("--model")[2].partition("--set")[0]
    assert {name for name in MODELS if f" {name}" not in text} == set()
    assert "autoregressive by default." in text


def test_a_command_has_the_flags_it_chose_and_gets_one_configuration():
    received = []

    @config_flags("draws", "steps", "quick", CSVOptions)
    def look(config: RunConfig, more: bool = False) -> None:
        received.append((config, more))

    single = typer.Typer(add_completion=False)
    single.command()(look)
    words = ["--draws", "2", "--steps", "5", "--no-quick", "--missing", "NA", "--missing", "-", "--more"]
    typer.main.get_command(single)(words, standalone_mode=False)
    ((config, more),) = received
    assert more is True
    assert config == RunConfig(draws=2, settings={"steps": 5}, quick=False, missing=("NA", "-"))
    assert config.model_fields_set == {"draws", "settings", "quick", "missing"}


def test_a_file_is_read_and_a_flag_beats_it(tmp_path: Path):
    received = []

    @config_flags(RunConfig, file=True)
    def look(config: RunConfig) -> None:
        received.append(config)

    (tmp_path / "c.yaml").write_text("draws: 3\nrake: true\nmissing: [NA]\n")
    single = typer.Typer(add_completion=False)
    single.command()(look)
    words = ["--config", str(tmp_path / "c.yaml"), "--draws", "2", "--set", "width=64"]
    typer.main.get_command(single)(words, standalone_mode=False)
    assert received == [RunConfig(draws=2, rake=True, missing=("NA",), settings={"width": 64})]
