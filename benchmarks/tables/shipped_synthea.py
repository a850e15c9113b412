"""The small hospital that comes with the package, made of the tables of a run of Synthea.

All 115 patients and all their encounters and conditions stay, with six measurements of many; names, addresses, numbers
of documents and prices are left out, keys are numbered anew, and hours have no zone. Rows after the day of death, which
are certificates, are left out, and so are measurements before the encounter they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from benchmarks.flags import parser
from benchmarks.places import ROOT
from benchmarks.tables.real_tables import data

SHIPPED = ROOT / "synthkit" / "data" / "synthea_tables"
MEASURED = (
    "Body Height",
    "Body Weight",
    "Systolic Blood Pressure",
    "Diastolic Blood Pressure",
    "Creatinine",
    "Glucose",
)
PATIENT = {"BIRTHDATE": "born", "DEATHDATE": "died", "GENDER": "gender", "RACE": "race", "MARITAL": "marital"}


def small_synthea(raw: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Patients, encounters, conditions, measurements and the catalogue of these, from the tables Synthea wrote.

    **Shape**: by table, rows in order of patient and time.
    """
    known = raw["patients"].sort_values(["BIRTHDATE", "Id"])
    patients = pd.DataFrame({"patient": [f"P{k:03d}" for k in range(1, len(known) + 1)]}, index=known["Id"])
    for old, new in PATIENT.items():
        patients[new] = known[old].to_numpy()
    for day in ("born", "died"):
        patients[day] = _days(patients[day])
    encounters = _encounters(raw["encounters"], patients)
    told = raw["observations_from_fhir"]
    observations = _below(told[told["DESCRIPTION"].isin(MEASURED)], "DATE", patients, encounters)
    conditions = _below(raw["conditions"], "START", patients, encounters)
    observations = observations[observations["at"] >= observations["began"]]
    tests = observations[["DESCRIPTION", "UNITS"]].drop_duplicates().sort_values("DESCRIPTION")
    return {
        "patients": patients.reset_index(drop=True),
        "encounters": encounters.reset_index(drop=True),
        "conditions": pd.DataFrame(
            {
                "encounter": conditions["encounter"],
                "patient": conditions["patient"],
                "condition": conditions["DESCRIPTION"],
                "since": _days(conditions["START"]),
                "until": _days(conditions["STOP"]),
            }
        ).reset_index(drop=True),
        "observations": pd.DataFrame(
            {
                "encounter": observations["encounter"],
                "patient": observations["patient"],
                "test": observations["DESCRIPTION"],
                "taken": observations["at"],
                "value": pd.to_numeric(observations["VALUE"]).round(1),
            }
        ).reset_index(drop=True),
        "tests": pd.DataFrame({"test": tests["DESCRIPTION"], "unit": tests["UNITS"]}).reset_index(drop=True),
    }


def _encounters(raw: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    """Encounters up to the day of death, by patient and time. **Shape**: index of the keys they had."""
    began, ended = _moments(raw["START"]), _moments(raw["STOP"])
    mine = patients.loc[raw["PATIENT"]]
    out = pd.DataFrame(
        {
            "patient": mine["patient"].to_numpy(),
            "class": raw["ENCOUNTERCLASS"].to_numpy(),
            "why": raw["DESCRIPTION"].to_numpy(),
            "began": began.to_numpy(),
            "ended": ended.to_numpy(),
        },
        index=pd.Index(raw["Id"]),
    )
    died = mine["died"].to_numpy()
    alive = pd.isna(died) | (ended.dt.normalize().to_numpy() <= died)
    out = out[alive].sort_values(["patient", "began", "ended"], kind="stable")
    out.insert(0, "encounter", [f"E{k:04d}" for k in range(1, len(out) + 1)])
    return out


def _below(raw: pd.DataFrame, moment: str, patients: pd.DataFrame, encounters: pd.DataFrame) -> pd.DataFrame:
    """Rows of encounters that are there, not after death, by encounter and time."""
    kept = raw[raw["ENCOUNTER"].isin(encounters.index)]
    owner, at = encounters.loc[kept["ENCOUNTER"]], _moments(kept[moment])
    kept = kept.assign(at=at, **{c: owner[c].to_numpy() for c in ("encounter", "patient", "began")})
    died = patients.set_index("patient")["died"].reindex(kept["patient"]).to_numpy()
    alive = pd.isna(died) | (kept["at"].dt.normalize().to_numpy() <= died)
    return kept[alive].sort_values(["encounter", "at", "DESCRIPTION"], kind="stable")


def _moments(cells: pd.Series) -> pd.Series:
    """Moments of ISO 8601 in the clock of UTC, without its name."""
    return pd.to_datetime(cells, utc=True, format="ISO8601").dt.tz_localize(None).astype("datetime64[s]")


def _days(cells: pd.Series) -> pd.Series:
    return pd.to_datetime(cells).astype("datetime64[s]")


def read_synthea(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of a run of Synthea that are looked at."""
    names = ("patients", "encounters", "conditions", "observations_from_fhir")
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}


def main(words: Sequence[str] | None = None) -> None:
    """Write the tables beside the package's other data."""
    flags = parser("shipped_synthea", __doc__)
    flags.add_argument(
        "--out", type=Path, default=SHIPPED, help="folder of the tables; that of the package if not given"
    )
    asked = flags.parse_args(words)
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, frame in small_synthea(read_synthea(data("synthea_ma"))).items():
        path = asked.out / f"{name}.parquet"
        frame.to_parquet(path, index=False, compression="zstd")
        print(f"{path}: {len(frame):,} rows, {path.stat().st_size:,} bytes")
