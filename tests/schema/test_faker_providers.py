"""Providers of Faker are looked at when a schema is read; Faker is loaded only where one is named."""

import subprocess
import sys

import numpy as np
import pytest
from faker import Faker

from synthkit.encoding.codecs.identifier import fresh
from synthkit.errors import SchemaError, UnsupportedError
from synthkit.schema import Identifier, Schema, faker_providers
from synthkit.schema.sdv_metadata import from_sdv

NONE = ("nosuch", "__class__", "_Generator__config", "seed_instance", "add_provider", "random", "name()", "", "na me")
OTHER = ("random_digit", "date_of_birth", "latitude", "binary", "words", "boolean", "pydict", "random_element", "enum")


@pytest.mark.parametrize("provider", NONE + OTHER)
def test_what_makes_no_text_is_refused_when_the_schema_is_read(provider):
    text = f"columns:\n  id: {{kind: identifier, faker: '{provider}'}}\n  x: {{kind: numeric}}\n"
    with pytest.raises(
        SchemaError, match=r"columns\.id.*`faker` must name a provider of Faker that gives text.*however"
    ):
        Schema.loads(text, "s.yaml")


@pytest.mark.parametrize("provider", ["name", "first_name", "ssn", "email", "phone_number", "address", "ean", "date"])
def test_providers_of_text_are_read_and_make_it(provider):
    schema = Schema(columns={"id": {"kind": "identifier", "faker": provider}})
    values = fresh("id", schema.columns["id"], 3, np.random.default_rng(0))
    assert all(isinstance(value, str) and value for value in values)


def test_every_provider_that_is_taken_gives_text():
    known = [name for name, text in faker_providers._known().items() if text]
    assert len(known) > 150
    faker = Faker()
    made = {name: getattr(faker, name)() for name in known if name != "xml"}  # which needs a library of its own
    assert {name for name, cell in made.items() if not isinstance(cell, str)} == set()


def test_without_faker_a_schema_is_still_read(monkeypatch):
    faker_providers._known.cache_clear()
    monkeypatch.setitem(sys.modules, "faker", None)
    assert Identifier(faker="nosuch").faker == "nosuch"
    with pytest.raises(ValueError, match=r"`__class__` is none"):
        Identifier(faker="__class__")
    faker_providers._known.cache_clear()


def test_a_schema_read_where_faker_was_not_is_refused_in_words(monkeypatch):
    column = Identifier(faker="name").model_copy(update={"faker": "nosuch"})
    with pytest.raises(UnsupportedError, match=r"`id`: Faker must have the provider .*however: `nosuch` is none. Try"):
        fresh("id", column, 1, np.random.default_rng(0))


def test_faker_is_loaded_only_where_it_is_named():
    code = (
        "import sys\nfrom synthkit.schema import Schema\n"
        "Schema(columns={'id': {'kind': 'identifier', 'pattern': 'P[0-9]'}})\nassert 'faker' not in sys.modules\n"
        "Schema(columns={'id': {'kind': 'identifier', 'faker': 'name'}})\nassert 'faker' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_semantic_type_of_sdv_that_gives_no_text_is_a_plain_identifier():
    columns = {"a": {"sdtype": "latitude"}, "b": {"sdtype": "email"}}
    columns = from_sdv({"METADATA_SPEC_VERSION": "V2", "tables": {"t": {"columns": columns}}}).columns
    assert (columns["a"].faker, columns["b"].faker) == (None, "email")


def test_a_provider_that_needs_another_library_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "xmltodict", None)
    faker_providers._works.cache_clear()
    assert faker_providers.provider_fault("xml") == "`xml` needs a library that is not installed"
