"""Cells that people leave in tables of patients and nobody has declared, by the kind of column they stand in.

`TEXT` are cells of a delimited file; `LINES` are whole lines of one, as bytes; `OBJECTS` are cells that only a frame or
a Parquet file can hold. `of(kind)` is all cells of a kind, `units()` all that a column of persons may hold.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

WEST = dt.timezone(dt.timedelta(hours=-5))

MISSING: tuple[Any, ...] = (None, np.nan, pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN"), Decimal("sNaN"))

TEXT: dict[str, tuple[str, ...]] = {
    "numeric": (
        *("unknown", "inf", "-inf", "Infinity", "nan", "NaN", "None", "1e400", "-1e400", "1e-400", "1,234.50"),
        *("1.234,50", "1 234", "1_000", "0x20", "0b1", "True", "yes", "12 mmHg", "<5", "~7", "7.", ".5", "+7", "-0"),
        *("007", " 7 ", "7\u00a0", "\u0667", "\uff17", "\u00bd", "1e3", "1E+03", "1e", "--7", "61", "61.0", "61.00"),
        *("61.123456789", "9007199254740993", "12345678901234567890", "9" * 400, "", " ", "\u2212" + "7", "1d5", "7%"),
    ),
    "datetime": (
        *("yesterday", "2020-02-30", "2020-13-01", "31/12/2020", "12/31/2020", "20201231", "2020-W53-5", "2020"),
        *("2020-05-01T10:00:00Z", "2020-05-01 10:00:00+02:00", "2020-05-01T10:00:00.123456789", "2020-05-01T24:00:00"),
        *(
            "9999-12-31T23:59:59.999999",
            "0001-01-01",
            "0000-00-00",
            "10000-01-01",
            "1677-09-21",
            "2262-04-12",
            "2500-01-01",
        ),
        *(
            "2020-05-01T10",
            " 2020-05-01 ",
            "2020-05-01T10:00:60",
            "10:00",
            "1588327200",
            "NaT",
            "now",
            "today",
            "",
            " ",
        ),
    ),
    "boolean": (
        *("maybe", "true", "TRUE", " true ", "yes", "y", "t", "1", "1.0", "01", "2", "-1", "false", "0", "0.0", "no"),
        *("on", "unknown", "None", "nan", "", " "),
    ),
    "categorical": (
        *("unheard of", "F", " f", "f ", "f\u200b", "f\x00", "f\n", "1", "1.0", "01", "True", "nan", "None", "NULL"),
        *("=1+1", "x" * 10_000, "\u00e9", "e\u0301", "\ufffd", "", " "),
    ),
    "code": (
        *(
            "250.00",
            "250",
            "250.",
            "V10",
            "v10",
            " 250.00",
            "E" * 500,
            "25000",
            "2.5e2",
            "nan",
            "=A1",
            "\x00",
            "\ufeff250",
        ),
        *("250\u200b", "(a+)+$", "", " "),
    ),
    "identifier": (
        *("7", "07", "7.0", " 7", "7 ", "+7", "7e0", "\u0667", "\uff17", "-7", "1e3", "1000", "-0", "0", "0x7"),
        *("p1", "P1", " p1 ", "p1\u200b", "p1\x00", "p\u00a01", "9007199254740993", "9007199254740992", "nan", "None"),
        *(
            "NULL",
            "true",
            "True",
            "\u00e9",
            "e\u0301",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-01-01T01:00:00+01:00",
        ),
        *("1" * 400, "1e400", "", " ", "\u200b", "\x00"),
    ),
}
TEXT["ordinal"] = TEXT["categorical"]

OBJECTS: tuple[Any, ...] = (
    *(True, False, np.bool_(1), 0, 1, -1, 61, np.int8(61), np.uint64(2**64 - 1), 2**53 + 1, -(2**63), 2**63, 10**400),
    *(0.0, -0.0, 1.0, 61.0, 61.5, 0.1 + 0.2, 1e308, -1e308, 5e-324, np.inf, -np.inf, np.float32(0.1), np.float16(61)),
    *(Decimal("61.00"), Decimal("1e400"), Decimal("Infinity"), Fraction(1, 3), 1 + 2j, np.complex128(1)),
    *(dt.date(2020, 5, 1), dt.datetime(2020, 5, 1, 10), dt.datetime(2020, 5, 1, 10, tzinfo=WEST), dt.time(10)),
    *(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999), dt.timedelta(days=1)),
    *(pd.Timestamp("2020-05-01T10:00:00.123456789"), pd.Timestamp("2020-05-01", tz="UTC"), pd.Timedelta(1)),
    *(np.datetime64("2020-05-01"), np.datetime64("20000-01-01"), np.datetime64("-5000-01-01"), np.timedelta64(1, "D")),
    *(pd.Period("2020-05"), pd.Interval(0, 1), b"61", b"\xff\x00", bytearray(b"61"), "\ud800", "61\udcff", "\x00"),
    *((), (1,), [1, 2], [], {"a": 1}, {}, {1}, frozenset({1}), np.array([1, 2]), np.array(61), object, "x" * 10_000),
)

LINES: dict[str, bytes] = {
    "an undecodable byte": b"caf\xe9,1,2",
    "a byte order mark": b"\xef\xbb\xbf1,1,2",
    "half of two bytes": b"\xc3,1,2",
    "a short line": b"1",
    "a long line": b"1,2,3,4,5,6,7,8,9",
    "an open quote": b'"1,1,2',
    "a quote in the middle": b'1"1,1,2',
    "a quote after a quote": b'"1"1,1,2',
    "an open last quote": b'1,1,"2',
    "a lone quote": b'"',
    "a NUL": b"\x00,1,2",
    "a carriage return": b"1\r,1,2",
    "an empty line": b"",
    "blanks": b"   ",
    "another delimiter": b"1;1;2",
    "tabs": b"1\t1\t2",
    "a comment": b"# 1,1,2",
    "the header again": b"who,age,sex",
    "a long cell": b"x" * 100_000 + b",1,2",
}


def of(kind: str) -> list[Any]:
    """Every odd cell for a column of a kind: its texts, cells of frames, and missing ones."""
    return [*TEXT[kind], *OBJECTS, *MISSING]


def units() -> list[Any]:
    """Every odd cell for the column that names the person."""
    return of("identifier")
