"""A schema as a document: read from YAML with errors that name the line and the remedy, written whole or not at all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from synthkit.errors import SchemaError
from synthkit.io.atomic_files import replacing
from synthkit.schema import yaml_reader
from synthkit.schema.schema_errors import explain_schema_error
from synthkit.schema.yaml_writer import Comments

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node


class SchemaDocument(BaseModel):
    """What schemas of one table and of linked ones have in common: their form as YAML.

    Attributes:
        form: the value of `format`.
        content_key: the key without which a mapping is no such schema.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: ClassVar[str]
    content_key: ClassVar[str]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a schema from a YAML file.

        Raises:
            SchemaError: the file cannot be read, or holds no such schema; its path, the line and the remedy are named.
        """
        data, tree = yaml_reader.read_schema_file(Path(path))
        return cls.parse(data, str(path), tree)

    @classmethod
    def loads(cls, text: str | bytes, name: str = "schema") -> Self:
        """The schema in YAML text; `name` stands for the file in errors.

        Raises:
            SchemaError: the text is not YAML or not such a schema.

        Example:
            >>> from synthkit.schema import Schema
            >>> Schema.loads("columns: {country: {kind: categorical, levels: [NO, SE]}}").columns["country"].levels
            ('NO', 'SE')
        """
        data, tree = yaml_reader.parse_schema_text(text, name)
        return cls.parse(data, name, tree)

    @classmethod
    def parse(cls, data: object, name: str = "schema", tree: Node | None = None) -> Self:
        """The schema a mapping spells out; `tree` gives the line numbers for errors, if there is a file.

        Raises:
            SchemaError: the mapping is not such a schema.
        """
        if not isinstance(data, Mapping):
            what = "nothing" if data is None else f"a {type(data).__name__}"
            msg = f"{name} must be a mapping with the key `{cls.content_key}`; however: it holds {what}"
            raise SchemaError(msg)
        cls._refuse_other_kinds(data, name)
        version = data.get("format", cls.form)
        if version != cls.form:
            msg = (
                f"{name}: `format` must be {cls.form}; however: {version!r}. "
                "A higher number needs a newer synthkit; otherwise correct the line"
            )
            raise SchemaError(msg)
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            raise SchemaError(explain_schema_error(error, data, name, tree, cls)) from error

    @classmethod
    def _refuse_other_kinds(cls, data: Mapping[str, Any], name: str) -> None:
        """Say so where the mapping is plainly a schema of another kind."""

    def save(self, path: str | Path, *, comments: Comments | None = None) -> None:
        """Write the schema as YAML; the file appears whole or not at all.

        Raises:
            TableError: the file cannot be written.
        """
        with replacing(path) as temporary:
            temporary.write_text(self.dumps(comments=comments), encoding="utf-8")

    @abstractmethod
    def dumps(self, *, comments: Comments | None = None) -> str:
        """The schema as YAML text, defaults left out; `comments` are lines to put above a key, by its path."""
