"""Plugins: entry points of real installed distributions are found, and names are given once."""

from __future__ import annotations

import importlib
from importlib import metadata

import pytest
from installed import install

from synthkit.errors import ConfigError
from synthkit.runtime.plugins import plugins

GROUP = "synthkit.plugins_tested"


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path


def test_what_entry_points_name_is_loaded(site):
    points = {"two": "other_plugin:SECOND", "one": "other_plugin:FIRST"}
    install(site, "other-plugin", modules={"other_plugin": "FIRST, SECOND = 1, 2"}, entry_points={GROUP: points})
    assert metadata.distribution("other-plugin").version == "1.0"
    assert list(plugins(GROUP, taken=("three",)).items()) == [("one", 1), ("two", 2)]


def test_another_group_is_not_looked_at(site):
    points = {"one": "no_such_module:FIRST"}
    install(site, "elsewhere", modules={}, entry_points={GROUP + ".other": points})
    assert plugins(GROUP, taken=()) == {}


def test_a_name_of_synthkit_is_refused_before_anything_is_imported(site):
    module = {"greedy_plugin": "raise RuntimeError('imported')"}
    install(site, "greedy-plugin", modules=module, entry_points={GROUP: {"ours": "greedy_plugin:ANY"}})
    with pytest.raises(ConfigError, match=r"greedy-plugin \(greedy_plugin:ANY\) offers `ours`, which is of synthkit\."):
        plugins(GROUP, taken=("ours",))


def test_two_distributions_cannot_have_one_name(site):
    for name in ("first_of_two", "second_of_two"):
        install(site, name, modules={name: "IT = 1"}, entry_points={GROUP: {"same": f"{name}:IT"}})
    with pytest.raises(ConfigError, match=r"second_of_two \(.*\) offers `same`, which is of first_of_two \(.*Rename"):
        plugins(GROUP, taken=())


@pytest.mark.parametrize(
    ("target", "error"), [("no_such_module_here:IT", "ModuleNotFoundError"), ("half_plugin:IT", "AttributeError")]
)
def test_a_plugin_that_cannot_be_imported_is_named(site, target, error):
    install(site, "half-plugin", modules={"half_plugin": ""}, entry_points={GROUP: {"half": target}})
    with pytest.raises(ConfigError, match=rf"half-plugin \({target}\) is not \({error}\)\. Repair"):
        plugins(GROUP, taken=())
