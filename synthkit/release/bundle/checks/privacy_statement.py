"""Whether the privacy statement follows from ledger, schema and model."""

from __future__ import annotations

from synthkit.io.json_types import JSON, JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import CONFIG
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.json_difference import difference
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.schema.linked.linked_schema import LinkedSchema

# what is promised, in figures and keys, whatever words a version puts it in
STATEMENT_FIGURES = (
    *("format", "adjacency", "delta_below_one_over_n", "end_to_end_dp", "declared_by", "declarations", "paid"),
    *("sampling", "curve", "attacker", "privacy_evaluations_run"),
)
NESTED_FIGURES = {
    "privacy_loss": ("privacy_unit", "privacy_parameters"),
    "contribution_bound": ("max_rows_per_unit", "by_link", "by_unit"),
}


def check(bundle: Opened) -> CheckResult:
    """The statement made again from what it rests on, and every key of it held against that."""
    from synthkit.privacy.accounting.ledger_file import LedgerFile
    from synthkit.privacy.linked_statement import LinkedStatement
    from synthkit.privacy.statement import Statement, packages

    said, schema = bundle.json(run_folder.STATEMENT), bundle.schema
    with bundle.file(run_folder.LEDGER) as path:
        archive = LedgerFile.read(path)
    if archive.unit != schema.unit or (archive.budget is not None and archive.budget.unit != archive.unit):
        return broken("the ledger protects another unit than the schema names")
    if set(said["libraries"]) != set(packages()):
        return broken("statement.json names other libraries than a promise rests on")
    named = {"model": bundle.json(CONFIG)["model"], "versions": said["libraries"]}
    if isinstance(schema, LinkedSchema):
        right = LinkedStatement.of_linked(archive, schema, **named).to_dict()
    else:
        right = Statement.of(archive, schema, **named).to_dict()
    place = difference(_figures(said), _figures(right))
    if place:
        return broken(f"statement.json does not follow from ledger and schema at {place}")
    worded = difference(said, right)
    if worded:
        return bundle.otherwise(f"statement.json does not follow from ledger, schema and config.json at {worded}")
    return holds("every key of statement.json follows from ledger, schema and model")


def _figures(statement: JSONObject) -> dict[str, JSON]:
    inside = {place: {key: statement[place].get(key) for key in keys} for place, keys in NESTED_FIGURES.items()}
    return {key: statement.get(key) for key in STATEMENT_FIGURES} | inside
