"""docs/cli.md names every command, flag and setting, and no other; the Python in it and in the README runs."""

from __future__ import annotations

import re
import shlex

import pytest
import typer
from _pytest.mark import ParameterSet
from places import ROOT

from synthkit.cli.app import app
from synthkit.pipeline.run_config import RunConfig

TEXT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
PYTHON = r"^```python\n(.*?)^```"
COMMANDS = typer.main.get_command(app).commands
SECTIONS = dict(re.findall(r"^## ([\w-]+)$\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))


def flags(name: str) -> set[str]:
    """Long flags of a command, without the second name of a switch."""
    return {p.opts[0] for p in COMMANDS[name].params if p.opts[0].startswith("--")} - {"--help"}


def test_every_command_has_a_section_and_no_other():
    assert set(SECTIONS) - {"In"} == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_flag_is_documented(name):
    if name == "fit":
        listed = set(re.findall(r"`(--[\w-]+)`", SECTIONS["run"].split("Flags:")[1].split("\n\n")[0]))
        listed -= set(re.findall(r"`(--[\w-]+)`", SECTIONS["fit"].split("but")[-1]))
    else:
        listed = set(re.findall(r"`(--[\w-]+)`", re.split(r"Flags?:", SECTIONS[name])[1].split("\n\n")[0]))
    assert listed == flags(name)


@pytest.mark.parametrize("line", re.findall(r"^synthkit .*$", TEXT, flags=re.MULTILINE))
def test_every_example_can_be_parsed(line):
    """The words are those of the command; a flag that is not there would be an error."""
    _, name, *words = shlex.split(line)
    COMMANDS[name].make_context(name, words)


def test_every_setting_is_documented_with_its_flag_and_default():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| .* \|$", SECTIONS["run"], flags=re.MULTILINE)
    assert [key for key, _, _ in rows] == list(RunConfig.model_fields)
    for key, named, default in rows:
        assert set(re.findall(r"`(--[\w-]+)`", named)) <= flags("run")
        value = RunConfig.model_fields[key].default
        if value not in (None, (), {}):
            assert default.strip("`") == str(value).lower()


def test_the_example_of_a_configuration_is_one(tmp_path):
    example = re.search(r"^```yaml\n(.*?)^```", SECTIONS["run"], flags=re.MULTILINE | re.DOTALL)
    assert example is not None
    (tmp_path / "run.yaml").write_text(example[1])
    assert RunConfig.of(tmp_path / "run.yaml").draws == 3


def blocks() -> list[ParameterSet]:
    """Every Python block of the documents; the README's runs on all patients, which takes minutes."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = [(f, c) for f in files for c in re.findall(PYTHON, f.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)]
    slow = {"README.md": [pytest.mark.slow]}
    return [pytest.param(f.name, c, id=f"{f.name}-{k}", marks=slow.get(f.name, [])) for k, (f, c) in enumerate(found)]


@pytest.mark.parametrize(("file", "code"), blocks())
def test_python_in_the_documents_runs(file, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, file, "exec"), {"__name__": "__main__"})
