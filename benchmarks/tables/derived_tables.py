"""Tables that are made of others: one function a table, from the raw frame to the frame its schema describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

LAST = (139, 239, 279, 289, 319, 389, 459, 519, 579, 629, 679, 709, 739, 759, 779, 799, 999)  # category of each chapter
DROPPED = ("encounter_id", "patient_nbr", "examide", "citoglipton")  # numbers, and drugs that nobody was given


def chapters(codes: pd.Series) -> pd.Series:
    """Chapters of ICD-9-CM codes, V and E the supplementary ones; missing stays missing.

    Example:
        >>> chapters(pd.Series(["250.83", "8", "V27", None])).tolist()
        ['240-279', '001-139', 'V', None]
    """
    first = [1, *(last + 1 for last in LAST[:-1])]
    names = [f"{a:03d}-{b:03d}" for a, b in zip(first, LAST, strict=True)]
    known = codes.dropna().astype(str)
    category = pd.to_numeric(known.str.extract(r"^([0-9]+)", expand=False)).fillna(0)
    at = np.searchsorted(np.array(LAST), category.to_numpy())
    found = np.where(known.str[0].isin(["V", "E"]), known.str[0], np.array(names, dtype=object)[at])
    return pd.Series(found, index=known.index, dtype=object).reindex(codes.index).where(codes.notna(), None)


def diabetes130_dp46(raw: pd.DataFrame) -> pd.DataFrame:
    """46 columns of Diabetes 130: no numbers of people and stays, diagnoses by chapter, readmission yes or no."""
    grouped = {name: chapters(raw[name]) for name in ("diag_1", "diag_2", "diag_3")}
    again = pd.Series(np.where(raw["readmitted"] == "NO", "NO", "YES"), index=raw.index)
    return raw.drop(columns=list(DROPPED)).assign(**grouped, readmitted=again)


DERIVED: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {"diabetes130_dp46": diabetes130_dp46}
