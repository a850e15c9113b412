"""The lock file: every dependency once or once a system, in a version that pyproject.toml allows, and no address."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = [
    line
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    if not line.lstrip().startswith("#")
]
LOCKED: dict[str, list[Version]] = {}
for _line in LINES:
    _name, _, _version = _line.partition(" ;")[0].partition("==")
    LOCKED.setdefault(_name, []).append(Version(_version))
GROUPS = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
DIRECT = [Requirement(said) for group in GROUPS for said in group]


def test_every_line_is_a_name_and_a_version():
    """So no address of a registry, no path of a machine and no option can stand there."""
    assert [line for line in LINES if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; .*)?", line)] == []
    assert not any(sign in line for line in LINES for sign in ("://", "@", "--"))


@pytest.mark.parametrize("wanted", [each for each in DIRECT if each.name != "synthkit"], ids=str)
def test_every_dependency_is_locked_to_a_version_that_is_allowed(wanted):
    found = LOCKED[re.sub(r"[._]", "-", wanted.name).lower()]
    assert all(version in wanted.specifier for version in found)


def test_torch_is_the_one_that_is_installed_first_and_brings_no_gpu_libraries():
    (torch,) = LOCKED["torch"]
    assert f"TORCH ?= torch=={torch}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [name for name in LOCKED if name.startswith(("nvidia", "cuda", "triton"))] == []
