"""The folders that commands leave behind: what is in them, how they are written, how they are read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from synthkit.errors import ArtefactError, DocumentError, SynthkitError
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import MALFORMED_DATA_ERRORS, read_json
from synthkit.io.json_types import JSONObject
from synthkit.metrics.result import Evaluation
from synthkit.report import Report, build
from synthkit.schema import Schema
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.either_schema import load_either

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.report.audience import Tier
    from synthkit.report.compared_models import ComparisonJson
    from synthkit.report.inputs import LedgerJson, StatementJson, ValidationJson
    from synthkit.schema.violations import Validation

SYNTHETIC, SCHEMA_FILE, MODEL, LEDGER = "synthetic.parquet", "schema.yaml", "model", "ledger.json"
EVALUATION_FILE, REPORT_FILE, RUN, INTERNAL_FOLDER, DRAWS_FOLDER = (
    "evaluation.json",
    "report.html",
    "run.json",
    "internal",
    "draws",
)
ROLES_FILE, LOG, CLAMPED, MODEL_METADATA = "roles.parquet", "log.txt", "clamped.json", "synthesizer.json"
SYNTHETIC_FOLDER = "synthetic"  # of linked tables, a file a table
SIBLING, REFITS = "sibling", "refits.parquet"
VALIDATION_INPUT = "validation_input.json"
COMPARISON, STATEMENT, REPORT_JSON_FILE = "comparison.json", "statement.json", "report.json"
GATE, POLICY_FILE = "gate.json", "policy.yaml"
MARKS = (RUN,)  # what shows that a folder is ours and may be replaced
FILE_WORDS: Mapping[str, str] = {
    REPORT_FILE: "the report: open this first, in a browser (INTERNAL: exact figures of real rows)",
    SYNTHETIC: "the synthetic rows",
    f"{SYNTHETIC_FOLDER}/": "the synthetic tables, a file each",
    f"{DRAWS_FOLDER}/": "all draws, the first one again",
    EVALUATION_FILE: "every number of the report (INTERNAL: measured on real rows)",
    REPORT_JSON_FILE: "what the report says, as data (INTERNAL)",
    GATE: "what `synthkit gate` decided (INTERNAL until released: rounded figures of real rows)",
    POLICY_FILE: "the policy it decided by",
    SCHEMA_FILE: "what the columns mean",
    f"{MODEL}/": "the fitted model, for `synthkit sample` and `synthkit impute` (INTERNAL: learned from real rows)",
    LEDGER: "what was learned from real rows, and what it cost in privacy",
    STATEMENT: "what is promised about each patient, and what is not",
    RUN: "versions, seeds, settings and times of the run",
    f"{INTERNAL_FOLDER}/": "validations, log, and who was trained on (INTERNAL: never release)",
}

PRIVATE_MODEL = "the fitted model, for `synthkit sample` and `synthkit impute`: what it holds was charged to the budget"


def save_page(report: Report, path: Path) -> None:
    """The page and its JSON; of a comparison the page alone."""
    report.save(path / REPORT_FILE)
    if report.document:
        report.save_json(path / REPORT_JSON_FILE)


def audited_tables(path: Path) -> tuple[tuple[pd.DataFrame, ...], Path]:
    """The synthetic tables of a run folder that are measured, and the folder of their model: a sibling's, if any.

    Raises:
        TableError: there are none.
    """
    from synthkit.tables import table_files

    sibling = path / INTERNAL_FOLDER / SIBLING
    place = sibling if sibling.is_dir() else path / DRAWS_FOLDER
    files = sorted(place.glob("*.parquet")) or [path / SYNTHETIC]
    model = (sibling if sibling.is_dir() else path) / MODEL
    return tuple(table_files.read(file).frame() for file in files), model


def unmeasured(path: Path) -> bool:
    """Whether a folder holds the release of a run under a budget that was not compared with real rows yet."""
    return (
        (path / STATEMENT).is_file()
        and (path / INTERNAL_FOLDER / ROLES_FILE).is_file()
        and not (path / EVALUATION_FILE).exists()
    )


def append_log(path: Path, line: str) -> None:
    """One line more in the INTERNAL log of a folder.

    Raises:
        TableError: it cannot be written.
    """
    log = path / INTERNAL_FOLDER / LOG
    before = log.read_text(encoding="utf-8") if log.exists() else ""
    with replacing(log) as temporary:
        temporary.write_text(f"{before}{line}\n", encoding="utf-8")


def contents(path: Path) -> dict[Path, str]:
    """What lies in a folder, each with what it is; what to open first comes first."""
    said = path / STATEMENT
    private = said.exists() and plain_data(said)["end_to_end_dp"]
    words = {**FILE_WORDS, f"{MODEL}/": PRIVATE_MODEL} if private else FILE_WORDS
    return {path / name: what for name, what in words.items() if (path / name).exists()}


def is_linked_model(model: Path) -> bool:
    """Whether the card in a folder is that of a model of linked tables; false of one that cannot be read."""
    try:
        card = read_json(model / MODEL_METADATA)
    except (OSError, DocumentError):
        return False
    return isinstance(card, dict) and bool(card.get("linked"))


def model_in(path: Path) -> Path:
    """The folder of the model in a run folder, or the folder itself if it is a model's.

    Raises:
        ArtefactError: there is no model.
    """
    for candidate in (path / MODEL, path):
        if (candidate / MODEL_METADATA).is_file():
            return candidate
    msg = (
        f"{path} must be the folder of a run, a fit or a model; however: it holds no {MODEL_METADATA}. "
        "Run `synthkit fit` first"
    )
    raise ArtefactError(msg)


def page(
    evaluation: Evaluation,
    *,
    ledger: JSONObject | None,
    schema: Schema | None,
    validations: Mapping[str, ValidationJson] | None,
    statement: JSONObject | None = None,
) -> Report:
    """The page on an evaluation, from what a run has in memory; validations as plain data."""
    return build(
        evaluation,
        ledger=cast("LedgerJson | None", ledger),
        schema=schema,
        validation=validations or None,
        statement=cast("StatementJson | None", statement),
    )


def synthetic_files(path: Path) -> list[Path]:
    """The files of synthetic rows in a folder, those of all draws among them; of linked tables a file a table."""
    files = [path / SYNTHETIC, *sorted((path / DRAWS_FOLDER).rglob("*.parquet"))]
    files += sorted((path / SYNTHETIC_FOLDER).glob("*.parquet"))
    return [file for file in files if file.exists()]


def table_hashes(path: Path) -> dict[str, str]:
    """SHA-256 of the synthetic rows of a folder, by the name of the file."""
    return {
        file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in synthetic_files(path)
    }


def comparison_page(data: JSONObject) -> Report:
    """The page on the content of a comparison.json."""
    from synthkit.report.comparison_view import build_comparison

    return build_comparison(cast("ComparisonJson", data))


def redraw(path: Path, tier: Tier = "internal") -> Report:
    """The page on what a folder holds: the same page again, unless the words or charts have changed since.

    What a gate decided stands on the page if it is about this evaluation's folder.

    Raises:
        ArtefactError: the folder holds no evaluation and no comparison, or a file in it is damaged.
        SchemaError: its schema is damaged.
    """
    if (path / COMPARISON).exists():
        return _redrawn_comparison(path)
    schema = load_either(path / SCHEMA_FILE) if (path / SCHEMA_FILE).exists() else None
    if isinstance(schema, LinkedSchema):
        return _redrawn_linked(path, schema, tier)
    ledger = plain_data(path / LEDGER) if (path / LEDGER).exists() else None
    statement = plain_data(path / STATEMENT) if (path / STATEMENT).exists() else None
    decided = plain_data(path / GATE) if (path / GATE).exists() else None
    found = evaluation(path)
    with unaltered(path):
        return build(
            found,
            ledger=ledger,
            schema=schema,
            validation=validations(path) or None,
            statement=statement,
            gate=decided,
            hashes=table_hashes(path),
            tier=tier,
        )


@contextmanager
def unaltered(path: Path) -> Iterator[None]:
    """Say of whatever is not as a run writes it that a file of its folder was altered.

    Raises:
        ArtefactError: something is not there, or is of another sort.
    """
    try:
        yield
    except SynthkitError:
        raise
    except MALFORMED_DATA_ERRORS as error:
        msg = f"{path} must hold what a run wrote; however: a file in it was altered ({_sort(error)}). Run again"
        raise ArtefactError(msg) from error


def _redrawn_linked(path: Path, schema: LinkedSchema, tier: Tier) -> Report:
    """The page on a run of linked tables; its timelines are in evaluation.json."""
    from synthkit.report.linked_view import build_linked

    beside = {name: plain_data(path / name) if (path / name).exists() else None for name in (LEDGER, STATEMENT, GATE)}
    found, held = evaluation(path), cast("Mapping[str, Any]", validations(path))
    with unaltered(path):
        return build_linked(
            found,
            schema,
            ledger=beside[LEDGER],
            statement=beside[STATEMENT],
            gate=beside[GATE],
            validation=held,
            hashes=table_hashes(path),
            tier=tier,
        )


def _redrawn_comparison(path: Path) -> Report:
    data = plain_data(path / COMPARISON)
    try:
        return comparison_page(data)
    except MALFORMED_DATA_ERRORS as error:
        msg = f"{path / COMPARISON} must be what `synthkit compare` wrote; however: it was altered. Compare again"
        raise ArtefactError(msg) from error


def evaluation(path: Path) -> Evaluation:
    """The evaluation in a run folder.

    Raises:
        ArtefactError: there is none, or it is damaged.
    """
    data = plain_data(path / EVALUATION_FILE)
    try:
        return Evaluation.from_json(json.dumps(data))
    except MALFORMED_DATA_ERRORS as error:
        file = path / EVALUATION_FILE
        msg = f"{file} must be a synthkit evaluation; however: it is not ({_sort(error)}). Evaluate again"
        raise ArtefactError(msg) from error


def validations(path: Path) -> dict[str, ValidationJson]:
    """The saved validations of a run folder, by name, as plain data."""
    files = {name: path / INTERNAL_FOLDER / f"validation_{name}.json" for name in ("input", "holdout", "output")}
    return {name: plain_data(file) for name, file in files.items() if file.exists()}


def validations_json(validations: Mapping[str, Validation]) -> dict[str, ValidationJson]:
    """Validations as the plain data their files hold."""
    return {name: json.loads(validation.to_json()) for name, validation in validations.items()}


def _sort(error: Exception) -> str:
    return type(error).__name__


def plain_data(path: Path) -> Any:
    """The content of a JSON file of a folder of ours.

    Raises:
        ArtefactError: it is not there, or no JSON.
    """
    try:
        return read_json(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        msg = f"{path.parent} must be a run folder; however: it holds no {path.name}. Give the folder of a run"
        raise ArtefactError(msg) from error
    except DocumentError as error:
        msg = f"{error}. Run again"
        raise ArtefactError(msg) from error
