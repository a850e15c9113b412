"""Columns that look like direct identifiers or elements of the HIPAA Safe Harbor list, by name and by values.

The list is 45 CFR 164.514(b)(2)(i), letters (A) to (R). A suspicion never holds a value of the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Column, Datetime, Identifier
from synthkit.schema.infer.column_names import PERSON_WORDS, name_words
from synthkit.schema.infer.type_inference import infer_column
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DISTINCT_INSPECTED = 5000

SAFE_HARBOR_CATEGORIES = {
    "name": "(A) names",
    "place": "(B) geographic units smaller than a state",
    "date": "(C) dates more exact than the year",
    "age": "(C) ages over 89",
    "phone": "(D) telephone numbers",
    "fax": "(E) fax numbers",
    "email": "(F) e-mail addresses",
    "ssn": "(G) social security numbers",
    "record": "(H) medical record numbers",
    "plan": "(I) health plan beneficiary numbers",
    "account": "(J) account numbers",
    "licence": "(K) certificate or licence numbers",
    "vehicle": "(L) vehicle identifiers and plates",
    "device": "(M) device identifiers and serial numbers",
    "url": "(N) web addresses",
    "ip": "(O) internet protocol addresses",
    "biometric": "(P) biometric identifiers",
    "photo": "(Q) full-face photographs",
    "code": "(R) any other unique number or code",
    "prose": "(R) free text, which may hold any of these",
}

_IDENTIFIER_REMEDY = (
    "declare it `kind: identifier`, so that it is made fresh and never learned, or drop it from the table"
)
IDENTIFIER_REMEDIES = {
    "place": "keep the state or the first three digits of a postcode where over 20,000 people live; drop the rest",
    "date": "keep the year, or days since an event of the same person",
    "age": "set `max: 90` and let 90 mean 90 or older",
    "photo": "drop the column",
    "biometric": "drop the column",
    "prose": "drop the column, or turn it into levels",
}


@dataclass(frozen=True)
class Suspicion:
    """A column that may identify people, and why.

    Args:
        column: the column's name.
        category: a key of `SAFE_HARBOR_CATEGORIES`.
        evidence: what was seen, in words and shares, never a value.
        remedy: what to do if the suspicion is right.
    """

    column: str
    category: str
    evidence: str
    remedy: str

    @property
    def sentence(self) -> str:
        """What is suspected and why, without the remedy."""
        return f"HIPAA Safe Harbor {SAFE_HARBOR_CATEGORIES[self.category]}: {self.evidence}"

    def __str__(self) -> str:
        return f"{self.sentence}. If so, {self.remedy}"


# Phrases are runs of words in a column's name; "=" in front means the whole name.
_IDENTIFIER_PHRASES: dict[str, tuple[str, ...]] = {
    "name": (
        "first name", "last name", "given name", "family name", "middle name", "full name", "maiden name",
        "surname", "firstname", "lastname", "fullname", "forename", "fname", "lname", "next of kin", "initials",
        "=name", "=first", "=last",
        "=maiden", "patient name", "person name", "member name", "subject name", "contact name", "mother name",
        "father name", "mothers name", "guardian name", "doctor name", "physician name", "nurse name",
        "provider name", "=patient", "vorname", "nachname", "familienname", "rufname", "geburtsname", "prenom",
        "prenoms", "apellido", "apellidos", "cognome", "voornaam", "achternaam", "fornamn", "efternamn", "fornavn",
        "etternavn", "efternavn",
    ),
    "place": (
        "zip", "zipcode", "zip code", "postcode", "postal code", "postal", "street", "address", "addr", "city",
        "town", "village", "county", "precinct", "census tract", "latitude", "longitude", "=lat", "=lon", "=lng",
        "gps", "geocode", "parish", "suburb", "neighborhood", "neighbourhood", "fips",
    ),
    "date": (
        "dob", "birth date", "birthdate", "birthday", "date", "datetime", "timestamp", "admit time", "admittime",
        "dischtime", "deathtime", "dod",
    ),
    "phone": (
        "phone", "telephone", "tel", "mobile", "cell phone", "cellphone", "pager",
    ),
    "fax": (
        "fax",
    ),
    "email": (
        "email", "e mail", "mail address",
    ),
    "ssn": (
        "ssn", "social security", "national insurance number", "nhs number", "nino", "personnummer", "tax id",
    ),
    "record": (
        "mrn", "medical record", "record number", "patient id", "patient nbr", "patient number", "patient no",
        "patient key", "patientid", "subject id", "person id", "chart number", "hospital number", "pid", "hadm id",
    ),
    "plan": (
        "plan id", "plan number", "member id", "beneficiary", "policy number", "policy no", "subscriber",
        "insurance id", "insurance number", "medicare id", "medicaid id", "hicn", "mbi",
    ),
    "account": (
        "account", "acct", "iban", "credit card", "card number", "bank",
    ),
    "licence": (
        "licence", "license", "certificate", "passport", "drivers", "npi", "dea number",
    ),
    "vehicle": (
        "vin", "license plate", "licence plate", "number plate", "vehicle",
    ),
    "device": (
        "device id", "device identifier", "serial", "serial number", "imei", "mac address", "udi", "implant id",
    ),
    "url": (
        "url", "website", "web site", "homepage", "uri",
    ),
    "ip": (
        "ip", "ip address", "ipaddress", "ipv4", "ipv6",
    ),
    "biometric": (
        "fingerprint", "retina", "iris scan", "voiceprint", "voice print", "biometric", "genome", "dna",
    ),
    "photo": (
        "photo", "photograph", "picture", "face image", "portrait",
    ),
}  # fmt: skip
_NOT_DATE_WORDS = frozenset(("year", "years", "days", "since", "update"))

_IDENTIFIER_PATTERNS: tuple[tuple[str, str, float], ...] = (
    ("email", r"[\w.+-]+@[\w-]+(\.[\w-]+)+", 0.2),
    ("url", r"(https?|ftp)://\S+|www\.\S+\.\S+", 0.2),
    ("ip", r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)|"
     r"(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}", 0.5),
    ("ssn", r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", 0.5),
    ("device", r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}", 0.5),
    ("phone", r"(?:\+\d{1,3}[ .-]?|00\d{1,3}[ .-]|1[ .-])?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]?\d{3,4}", 0.5),
    ("place", r"\d{5}-\d{4}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|\d+ (?:[A-Z][a-z]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|"
     r"Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct)\.?", 0.5),
    ("name", r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][a-zà-ÿ'’-]+(?:, ?| (?:[A-Z]\. )?)[A-Z][a-zà-ÿ'’-]+\d{0,4}", 0.8),
)  # fmt: skip


def find_direct_identifiers(frame: pd.DataFrame, columns: Mapping[str, Column] | None = None) -> tuple[Suspicion, ...]:
    """Suspicions in the order of the columns, at most one a column and category.

    Args:
        frame: the rows.
        columns: kinds by column name, if they are known; guessed otherwise.

    References:
        US Code of Federal Regulations, title 45, section 164.514(b)(2): the Safe Harbor method.
    """
    found = []
    for k, name in enumerate(map(str, frame.columns)):
        values = frame.iloc[:, k]
        kind = columns[name] if columns and name in columns else infer_column(name, values).column
        suspected = _by_name(name, values, kind) | _by_values(name, values, kind)
        if isinstance(kind, Identifier) and not suspected:
            suspected = {"code": _why_code(values)}
        for category, evidence in suspected.items():
            found.append(Suspicion(name, category, evidence, IDENTIFIER_REMEDIES.get(category, _IDENTIFIER_REMEDY)))
    return tuple(found)


def _why_code(values: pd.Series) -> str:
    present = values.dropna()
    if len(present) and present.is_unique:
        return "every row has its own value"
    return f"{present.nunique() / max(len(present), 1):.0%} of the cells have different values"


def _by_name(name: str, values: pd.Series, kind: Column) -> dict[str, str]:
    parts = name_words(name)
    text = f" {' '.join(parts)} "
    found = {}
    for category, phrases in _IDENTIFIER_PHRASES.items():
        said = next((p for p in phrases if (text.strip() == p[1:] if p[0] == "=" else f" {p} " in text)), None)
        if said is not None and _plausible(category, parts, values, kind):
            found[category] = f"the name says `{said.lstrip('=')}`"
    if "code" in found or len(found) < 2:
        return found
    return {k: v for k, v in found.items() if not (k == "place" and {"email", "ip", "device", "url"} & set(found))}


def _plausible(category: str, parts: tuple[str, ...], values: pd.Series, kind: Column) -> bool:
    """Whether the cells can be what the name says: a flag is no telephone number, a year no date."""
    present = values.dropna()
    few = present.nunique() <= 2 and len(present) > 4
    if category == "date":
        x = numbers(present)
        years = bool(len(x)) and bool(np.isfinite(x).all()) and bool((np.abs(x) < 3000).all())
        return not (_NOT_DATE_WORDS & set(parts)) and not years and not few
    if category in ("record", "plan", "account", "licence", "device") and not (
        isinstance(kind, Identifier) or present.nunique() > 50
    ):
        return False
    return not few


def _by_values(name: str, values: pd.Series, kind: Column) -> dict[str, str]:
    found = {}
    if isinstance(kind, Datetime):
        found["date"] = f"moments to the {kind.precision}"
    if pd.api.types.is_numeric_dtype(values.dtype):
        if {"age", "ages"} & set(name_words(name)) and (numbers(values) > 89).any():
            found["age"] = "some values are above 89"
        return found
    texts = [t for t in values.dropna().unique()[:MAX_DISTINCT_INSPECTED] if isinstance(t, str)]
    if isinstance(kind, Datetime) or len(texts) < 2:
        return found
    for category, pattern, least in _IDENTIFIER_PATTERNS:
        share = float(np.mean(_matches(texts, pattern)))
        if share >= least and (category != "name" or _many_people(name, values, texts)):
            found[category] = f"{share:.0%} of the distinct values look so"
            break
    if not found and len(texts) >= 20 and float(np.mean([t.count(" ") for t in texts])) >= 6:
        found["prose"] = "long texts of many words"
    return found


def _many_people(name: str, values: pd.Series, texts: list[str]) -> bool:
    """Two capitalised words are people if there are many of them, or if the column's name speaks of people."""
    return len(texts) >= 20 and (len(texts) >= 0.5 * values.notna().sum() or bool(PERSON_WORDS & set(name_words(name))))


def _matches(texts: list[str], pattern: str) -> NDArray[np.bool_]:
    compiled = re.compile(pattern)
    return np.array([compiled.fullmatch(text.strip()) is not None for text in texts])
