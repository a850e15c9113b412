"""Arguments and flags that several commands share and no run is configured by, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

InputTable = Annotated[
    Path,
    typer.Argument(
        metavar="TABLE",
        help="Table to read: .csv, .csv.gz, .tsv, .parquet, .arrow or .feather, or a folder or pattern of .parquet "
        "files; of linked tables a folder with a file a table, or a .duckdb file.",
    ),
]
RunFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run or an evaluation.")]
ModelFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of a run, of a fit, or of the model in one of them.")
]
SchemaFile = Annotated[Path, typer.Option("--schema", help="What the columns mean; `synthkit init` drafts it.")]
OutFolder = Annotated[Path, typer.Option("--out", "-o", help="Folder to write; it appears whole or not at all.")]
OutFile = Annotated[
    Path,
    typer.Option(
        "--out",
        "-o",
        help="File to write: .csv, .csv.gz, .tsv, .parquet, .arrow, .feather; for linked tables a folder or .duckdb.",
    ),
]
ScoreFile = Annotated[
    Path, typer.Option("--out", "-o", help="File to write: .csv, .csv.gz, .tsv, .parquet, .arrow, .feather.")
]
Ending = Annotated[
    Optional[str],
    typer.Option(
        "--ending", help="Of linked tables in a folder: .parquet (the default), .csv, .tsv, .arrow and so on."
    ),
]
JSONFile = Annotated[Optional[Path], typer.Option("--json", help="Write the figures to this file as well.")]
SpreadsheetSafe = Annotated[
    bool,
    typer.Option("--spreadsheet-safe", help="In CSV, a ' before texts that a spreadsheet would take for formulas."),
]
Register = Annotated[
    Optional[Path],
    typer.Option("--register", help="Register of releases; `releases.json` beside the run's folder if not given."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with this command where it was stopped.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there already.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
EngineName = Annotated[
    str,
    typer.Option(
        "--engine",
        help="Who draws shards: local, ray (workers of this machine), or the address of a cluster, ray://host:port.",
    ),
]
Workers = Annotated[Optional[int], typer.Option("--workers", min=1, help="How many processes share the work.")]
InsecureCluster = Annotated[
    bool, typer.Option("--insecure-cluster", help="Join a ray:// cluster without encryption; in a closed network only.")
]
