"""Arguments and flags that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

Table = Annotated[
    Path, typer.Argument(metavar="TABLE", help="Table to read: .csv, .csv.gz, .tsv, .parquet, .arrow or .feather.")
]
SchemaFile = Annotated[Path, typer.Option("--schema", help="What the columns mean; `synthkit init` drafts it.")]
Suite = Annotated[
    Optional[Path], typer.Option("--suite", help="JSON of a Great Expectations suite of your own, checked as well.")
]
Population = Annotated[
    Optional[Path],
    typer.Option(
        "--population",
        help="Table of how many `people` of the population share each combination of the quasi-identifiers.",
    ),
]
SpreadsheetSafe = Annotated[
    bool,
    typer.Option("--spreadsheet-safe", help="In CSV, a ' before texts that a spreadsheet would take for formulas."),
]
Register = Annotated[
    Optional[Path],
    typer.Option("--register", help="Register of releases; `releases.json` beside the run's folder if not given."),
]
Delimiter = Annotated[
    Optional[str],
    typer.Option("--delimiter", help="Character between cells; found if not given."),
]
Encoding = Annotated[Optional[str], typer.Option("--encoding", help="Such as utf-8 (the default) or cp1252.")]
Missing = Annotated[
    Optional[list[str]],
    typer.Option("--missing", help="A text that means missing, besides the empty cell; may be repeated."),
]
Config = Annotated[
    Optional[Path], typer.Option("--config", help="YAML file with any of these settings; a flag beats it.")
]
Model = Annotated[
    Optional[str],
    typer.Option(
        "--model",
        help="autoregressive (the default), ctgan, diffusion, independent, marginal (the default under a budget), "
        "tvae, or auto: chosen for the table.",
    ),
]
Steps = Annotated[
    Optional[int],
    typer.Option("--steps", min=1, help="Steps of training; chosen from the table if not given."),
]
MaxMinutes = Annotated[
    Optional[float],
    typer.Option("--max-minutes", help="Minutes that fitting may take: as many steps are planned as fit."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with this command where it was stopped.")]
Settings = Annotated[
    Optional[list[str]],
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the model; may be repeated."),
]
Device = Annotated[
    Optional[str],
    typer.Option("--device", help="auto (the default), cpu, cuda or mps."),
]
Rows = Annotated[
    Optional[int], typer.Option("--rows", help="Synthetic rows a draw; as many as were fitted on if not given.")
]
Draws = Annotated[Optional[int], typer.Option("--draws", help="How many synthetic tables; 1 by default.")]
Calibrate = Annotated[
    Optional[bool],
    typer.Option(
        "--calibrate/--no-calibrate",
        help="Choose the rows from a pool so that one- and two-way tables match those of the rows fitted.",
    ),
]
Watermark = Annotated[
    Optional[Path],
    typer.Option(
        "--watermark", help="Key by which each row is chosen among several, made by `synthkit watermark-key`."
    ),
]
ReleaseModel = Annotated[
    Optional[bool],
    typer.Option(
        "--release-model/--rows-only",
        help="The fitted model is to be released too: attacks then use its likelihood.",
    ),
]
Seed = Annotated[
    Optional[int],
    typer.Option("--seed", help="Same seed, same numbers; drawn and recorded if not given."),
]
Clamp = Annotated[
    Optional[bool],
    typer.Option(
        "--clamp/--no-clamp", help="Map cells outside the declared domain into it instead of refusing the table."
    ),
]
Quick = Annotated[
    Optional[bool],
    typer.Option(
        "--quick/--no-quick",
        help="Evaluate on samples of the tables, with two learners.",
    ),
]
Fits = Annotated[
    Optional[int],
    typer.Option(
        "--fits",
        help="Fits whose people are attacked, with coins of their own; if not given as many as it takes to attack 500.",
    ),
]
Final = Annotated[
    Optional[bool],
    typer.Option(
        "--final/--no-final",
        help="Fit all people once more; measured is a sibling, fitted to part of them, and the release says so.",
    ),
]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to write; it appears whole or not at all.")]
OutFile = Annotated[Path, typer.Option("--out", help="File to write: .csv, .csv.gz, .tsv, .parquet, .arrow, .feather.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there already.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
ModelFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of a run, of a fit, or of the model in one of them.")
]
Epsilon = Annotated[
    Optional[float],
    typer.Option("--epsilon", help="A privacy budget: everything that leaves but INTERNAL files stays inside it."),
]
Delta = Annotated[
    Optional[float],
    typer.Option("--delta", help="Its probability of failure, such as 1e-6; follows from --public-n if not given."),
]
PublicN = Annotated[
    Optional[int],
    typer.Option("--public-n", help="Number of persons as you declare it; counting them would cost privacy."),
]
Unit = Annotated[
    Optional[str],
    typer.Option("--unit", help="Column that names the person who is protected, over the schema's `unit`."),
]
MaxRowsPerUnit = Annotated[
    Optional[int],
    typer.Option("--max-rows-per-unit", help="Rows of one person that are used at most, under a budget."),
]
Ledger = Annotated[
    Optional[Path],
    typer.Option("--ledger", help="What was spent on this table, before and now; DIR.ledger.json if not given."),
]
