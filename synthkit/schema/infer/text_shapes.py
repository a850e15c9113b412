"""What text looks like: codes of a known catalogue, values of one fixed shape."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from synthkit.schema.infer.column_names import name_words
from synthkit.schema.patterns import pattern_space

# Catalogue, pattern of its codes, words of a column's name that point to it (none needed if the codes are telling).
CODE_CATALOGUES: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("ICD-9-CM", r"[0-9]{1,3}(\.[0-9]{1,2})?|V[0-9]{2}(\.[0-9]{1,2})?|E[0-9]{3,4}(\.[0-9])?",
     frozenset(("diag", "diagnosis", "diagnoses", "icd", "icd9", "dx"))),
    ("ICD-9-CM without point", r"[0-9]{3,5}|V[0-9]{2,4}|E[0-9]{3,4}",
     frozenset(("diag", "diagnosis", "diagnoses", "icd", "icd9", "dx"))),
    ("ICD-10", r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?",
     frozenset(("diag", "diagnosis", "diagnoses", "icd", "icd10", "dx", "cause"))),
    ("ATC", r"[A-Z][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?", frozenset(("atc", "drug", "medication", "substance"))),
    ("LOINC", r"[0-9]{1,5}-[0-9]", frozenset(("loinc", "lab", "observation", "code", "test"))),
    ("HCPCS/CPT", r"[0-9]{4}[0-9FTU]|[A-V][0-9]{4}", frozenset(("cpt", "hcpcs", "procedure"))),
)  # fmt: skip


def code_catalogue(name: str, texts: Sequence[str]) -> tuple[str, str] | None:
    """Catalogue and pattern that the column's name points to and every text matches."""
    hints = set(name_words(name))
    for system, pattern, telling in CODE_CATALOGUES:
        compiled = re.compile(pattern)
        if hints & telling and all(compiled.fullmatch(text) for text in texts):
            return system, pattern
    return None


def fixed_shape(texts: Sequence[str], rows: int = 0) -> str | None:
    """Pattern of texts that all have the same length and character classes, or None.

    Nothing either where the shape has fewer values than a table of so many rows needs, if each is to be another one.

    Digits are always generalised, and so are letters unless 100 or more different texts share them: a literal
    that a handful of values have in common would be a part of those values.

    Example:
        >>> fixed_shape(["A-01", "B-17", "C-22"])
        '[A-Z]-[0-9]{2}'
    """
    lengths = set(map(len, texts))
    if len(lengths) != 1 or not 1 <= (length := lengths.pop()) <= 64:
        return None
    letters = np.array(texts, dtype=f"U{length}").view("U1").reshape(len(texts), length)
    classes = [_class(set(column), literal=len(texts) >= 100) for column in letters.T]
    if any(c is None for c in classes):
        return None
    pattern, k = "", 0
    while k < length:
        run = 1
        while k + run < length and classes[k + run] == classes[k]:
            run += 1
        pattern += f"{classes[k]}{{{run}}}" if run > 1 else f"{classes[k]}"
        k += run
    return pattern if pattern_space(pattern) >= rows else None


def _class(letters: set[str], *, literal: bool) -> str | None:
    """The narrowest character class that holds all letters seen at one position."""
    if len(letters) == 1:
        c = next(iter(letters))
        if not c.isalnum():
            return (f"\\{c}" if c in r"\[](){}|*+?.^$" else c) if c.isprintable() else None
        if literal and c.isascii() and c.isalpha():
            return c
    text = "".join(letters)
    for name, pattern in (("0-9", r"\d+"), ("A-Z", r"[A-Z]+"), ("a-z", r"[a-z]+"), ("0-9a-f", r"[\da-f]+"),
                          ("A-Z0-9", r"[A-Z\d]+"), ("a-z0-9", r"[a-z\d]+"), ("A-Za-z0-9", r"[A-Za-z\d]+")):  # fmt: skip
        if re.fullmatch(pattern, text, re.ASCII):
            return f"[{name}]"
    return None
