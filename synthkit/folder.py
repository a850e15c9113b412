"""The run folder: what is in it, how it is written, how it is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit import tables
from synthkit.artefact import replacing_folder
from synthkit.errors import ArtefactError
from synthkit.evaluate.result import Evaluation
from synthkit.schema import Schema

if TYPE_CHECKING:
    from synthkit.pipeline import Run

SYNTHETIC, SCHEMA, MODEL, LEDGER = "synthetic.parquet", "schema.yaml", "model", "ledger.json"
EVALUATION, REPORT, RUN, INTERNAL, DRAWS = "evaluation.json", "report.html", "run.json", "internal", "draws"
ROLES, LOG = "roles.parquet", "log.txt"


def save(run: Run, path: Path, *, overwrite: bool) -> Path:
    """Write everything a run made under a temporary name, then move it into place."""
    with replacing_folder(path, overwrite=overwrite) as temporary:
        internal = temporary / INTERNAL
        internal.mkdir()
        tables.write(run.synthetic, temporary / SYNTHETIC)
        if len(run.draws) > 1:
            (temporary / DRAWS).mkdir()
            for k, draw in enumerate(run.draws):
                tables.write(draw, temporary / DRAWS / f"{k + 1:02d}.parquet")
        run.schema.save(temporary / SCHEMA)
        run.synthesizer.save(temporary / MODEL)
        _text(temporary / LEDGER, run.ledger.to_json())
        _text(temporary / EVALUATION, run.evaluation.to_json())
        run.report.save(temporary / REPORT)
        _text(temporary / RUN, json.dumps(dict(run.facts), indent=1))
        for name, validation in run.validations.items():
            _text(internal / f"validation_{name}.json", validation.to_json())
        tables.write(run.roles, internal / ROLES)
        _text(internal / LOG, "".join(f"{name}: {s:.2f} s\n" for name, s in run.facts["seconds"].items()))
    return path


def evaluation(path: Path) -> Evaluation:
    """The evaluation in a run folder.

    Raises:
        ArtefactError: there is none, or it is damaged.
    """
    data = _read(path / EVALUATION)
    try:
        return Evaluation.from_json(json.dumps(data))
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path / EVALUATION} must be a synthkit evaluation; however: {error}. Evaluate again"
        raise ArtefactError(msg) from error


def ledger(path: Path) -> Mapping[str, Any] | None:
    """The ledger in a run folder, if there is one."""
    return _read(path / LEDGER) if (path / LEDGER).exists() else None


def schema(path: Path) -> Schema | None:
    """The schema in a run folder, if there is one."""
    return Schema.load(path / SCHEMA) if (path / SCHEMA).exists() else None


def validations(path: Path) -> dict[str, Any]:
    """The saved validations of a run folder, by name."""
    names = ("input", "output")
    files = {name: path / INTERNAL / f"validation_{name}.json" for name in names}
    return {name: _read(file) for name, file in files.items() if file.exists()}


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        msg = f"{path.parent} must be a run folder; however: it holds no {path.name}. Give the folder of a run"
        raise ArtefactError(msg) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} must be JSON; however: it cannot be parsed. Run again"
        raise ArtefactError(msg) from error
