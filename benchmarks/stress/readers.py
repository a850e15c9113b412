"""What the commands of synthkit do with a file that comes from outside, one function for each kind of file."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

from benchmarks.stress.corpus import SCHEMA, table
from synthkit.cli.app import REFUSED, app
from synthkit.errors import SynthkitError
from synthkit.io.provenance_marks import read_mark
from synthkit.pipeline.load_table import load_mapped_table, read_raw
from synthkit.pipeline.run_config import RunConfig
from synthkit.privacy.accounting.verify_ledger import LedgerVerification
from synthkit.release import run_folder
from synthkit.release.bundle.zip_archive import unpack
from synthkit.release.policy.limits import Policy
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.expectation_suite import expectation_suite as expectations
from synthkit.schema.expectation_suite import helper_columns
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.typed_columns import check_structure
from synthkit.schema.validation import validate
from synthkit.synthesizer.model_files import lawful
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files
from synthkit.watermark import WatermarkKey


def command(*words: str) -> Callable[[Path], str]:
    """What the command line prints; `{file}` stands for the changed file, `{place}` for the corpus.

    A refusal is raised again, with everything that was printed as its message.
    """

    def read(path: Path) -> str:

        place = next(each for each in path.parents if (each / "schema.yaml").exists() and (each / "models").exists())
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            try:
                code = app([word.format(file=path, place=place) for word in words], standalone_mode=False)
            except SystemExit as error:
                code = error.code
        if code == REFUSED:
            raise SynthkitError(said.getvalue())
        return said.getvalue()

    return read


def schema(path: Path) -> object:
    """A schema: read, written and read again, turned into expectations, and a table made of its kinds."""
    read = Schema.load(path)
    assert Schema.loads(read.dumps()) == read
    expectations(read)
    return helper_columns(conform(table(6), read), read)


def checked_table(path: Path) -> object:
    """A table: its mark, its cells, and its kinds by a schema, with and without a budget."""
    schema = Schema(**SCHEMA)
    if not table_files.is_text(path):
        read_mark(path)
    raw = read_raw(path, RunConfig())
    load_mapped_table(path, schema, RunConfig(epsilon=1.0, delta=1e-6))
    check_structure(raw, schema)
    return conform(raw, schema)


def drafted(path: Path) -> object:
    """The schema that is drafted of a table."""
    return infer_schema(table_files.read(path).frame())


def model(path: Path) -> object:
    """Two rows of a fitted model."""
    folder = next(each for each in path.parents if (each / "synthesizer.json").exists())
    loaded = Synthesizer.load(folder, device="cpu")
    with lawful(folder):
        return loaded.sample(2, seed=1)


def unpacked(path: Path) -> object:
    """The members of an archive."""
    return unpack(path.read_bytes())


def recounted(path: Path) -> object:
    """A ledger, added up again."""
    return LedgerVerification.of(path).to_dict()


def evaluation(path: Path) -> object:
    """An evaluation in a run folder."""
    return run_folder.evaluation(path.parent)


def policy(path: Path) -> object:
    """A policy of releases."""
    return Policy.load(path)


def configuration(path: Path) -> object:
    """The configuration of a run, with its budget."""
    return RunConfig.of(path).budget


def key(path: Path) -> object:
    """The key of a watermark."""
    return WatermarkKey.load(path)


def suite(path: Path) -> object:
    """Expectations of others, held against a table without rows."""
    codes = Schema(columns={name: {"kind": "code", "nullable": True} for name in SCHEMA["columns"]})
    return validate(table(6).iloc[:0], codes, extra=path)
