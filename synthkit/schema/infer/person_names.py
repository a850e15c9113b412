"""Names of people: first names, last names, whole ones; told by the column's name and by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.infer.column_names import PERSON_WORDS, name_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_NAMES = 20
_MAX_LEVELS_OF_NAMES = (
    10  # fewer different cells than this may be levels: then the name must speak of nothing but people
)
_NAME_COLUMN_PHRASES = (
    *("first name", "last name", "given name", "family name", "middle name", "full name", "maiden name", "fname"),
    *("firstname", "lastname", "fullname", "forename", "surname", "lname", "givenname", "familyname", "middlename"),
    *("vorname", "nachname", "familienname", "rufname", "geburtsname", "nom de famille", "nom de naissance"),
    *("prenom", "prenoms", "apellido", "apellidos", "cognome", "voornaam", "achternaam", "fornamn", "efternamn"),
    *("fornavn", "etternavn", "efternavn", "vornamen", "nachnamen", "sobrenome", "nombre", "next of kin"),
)
_AMBIGUOUS_NAME_PHRASES = frozenset(("nombre", "next of kin"))  # a number in French; a degree of kinship
_WORDS_NOT_NAMES = frozenset(
    (
        *("yes", "no", "ja", "nein", "oui", "non", "si", "true", "false", "known", "unknown", "missing", "none", "na"),
        *("unbekannt", "inconnu", "other", "given", "absent", "present", "male", "female"),
    )
)
_WORDS_OF_NAME_COLUMNS = frozenset(
    ("first", "last", "middle", "maiden", "given", "name", "patient", "nom", "naam", "navn", "namn")
)
_STAFF_WORDS = frozenset(
    ("doctor", "physician", "nurse", "provider", "mother", "father", "guardian", "contact", "surgeon")
)
_NAME_PART = r"(?:[^\W\d_]|['’.-])+\d{0,4}"
_PERSON_NAME = re.compile(rf"{_NAME_PART}(?:,? {_NAME_PART}){{0,3}}")

# Some of the most frequent first names of North America and Europe: a column of people holds many of them.
_COMMON_FIRST_NAMES = frozenset(
    (
        *("mary", "james", "john", "robert", "patricia", "michael", "linda", "william", "elizabeth", "david"),
        *("barbara", "richard", "susan", "joseph", "jessica", "thomas", "sarah", "charles", "karen", "christopher"),
        *("nancy", "daniel", "lisa", "matthew", "betty", "anthony", "margaret", "mark", "sandra", "donald", "ashley"),
        *("steven", "kimberly", "paul", "emily", "andrew", "donna", "joshua", "michelle", "kenneth", "carol", "kevin"),
        *("amanda", "brian", "melissa", "george", "deborah", "edward", "stephanie", "ronald", "rebecca", "timothy"),
        *("laura", "jason", "helen", "jeffrey", "sharon", "ryan", "cynthia", "jacob", "kathleen", "gary", "amy"),
        *("nicholas", "anna", "eric", "ruth", "jonathan", "brenda", "stephen", "pamela", "larry", "nicole", "justin"),
        *("samantha", "scott", "katherine", "brandon", "emma", "benjamin", "olivia", "samuel", "sophia", "frank"),
        *("julia", "peter", "maria", "hans", "klaus", "jürgen", "wolfgang", "ursula", "monika", "petra", "sabine"),
        *("andreas", "stefan", "jean", "marie", "pierre", "michel", "françoise", "isabelle", "nathalie", "philippe"),
        *("jose", "juan", "carmen", "ana", "luis", "carlos", "antonio", "francisco", "jesus", "pedro", "sofia"),
        *("giuseppe", "giovanni", "francesca", "marco", "luca", "giulia", "jan", "lars", "erik", "ingrid", "anders"),
        *("ola", "kari", "piotr", "katarzyna", "ivan", "olga", "elena", "ahmed", "mohammed", "fatima", "ali", "wei"),
    )
)


def person_name_evidence(name: str, texts: Sequence[str], counts: NDArray[np.int64]) -> str:
    """Why texts are names of people, in words and numbers, or nothing.

    Args:
        name: the column's name.
        texts: the different texts.
        counts: rows that have each, in any order.

    Example:
        >>> first = ["Anna", "John", "Peter", "Ola", "Kari", "Luis", "Emma", "Paul", "Ruth", "Jan"]
        >>> person_name_evidence("FIRST", first, np.ones(10))
        "the name says `first`, and 100% of the different values look like people's names"
        >>> person_name_evidence("drug", ["Insulin", "Aspirin", "Heparin"] * 4, np.ones(12))
        ''
    """
    n, d = int(counts.sum()), len(texts)
    if not d:
        return ""
    alike = float(np.mean([bool(_PERSON_NAME.fullmatch(text.strip())) and len(text) <= 60 for text in texts]))
    said = _said(name)
    common = float(np.mean([_known(text) for text in texts]))
    if said and alike >= 0.8 and (d >= _MAX_LEVELS_OF_NAMES or _few(said, texts, common)):
        return f"the name says `{said}`, and {alike:.0%} of the different values look like people's names"
    if d >= MIN_NAMES and alike >= 0.9 and common * min(d, 400) >= max(8.0, 0.1 * min(d, 400)) and n >= d:
        return f"{common:.0%} of the different values hold a common first name"
    return ""


def _few(said: str, texts: Sequence[str], common: float) -> bool:
    """Whether so few texts that they could be levels are names: the column's name is that of nothing else."""
    plain = [text.strip().casefold() for text in texts]
    if set(plain) & _WORDS_NOT_NAMES or float(np.mean([len(text) > 1 for text in plain])) < 0.8:
        return False
    return common >= 0.5 or (said in _NAME_COLUMN_PHRASES and said not in _AMBIGUOUS_NAME_PHRASES)


def _said(name: str) -> str:
    """The words of a column's name that speak of people's names."""
    parts = name_words(name)
    text = f" {' '.join(parts)} "
    phrase = next((p for p in _NAME_COLUMN_PHRASES if f" {p} " in text), "")
    if phrase:
        return phrase
    if len(parts) == 1 and parts[0] in _WORDS_OF_NAME_COLUMNS:
        return parts[0]
    people = parts[-1:] == ("name",) and bool((PERSON_WORDS | _STAFF_WORDS) & set(parts))
    return " ".join(parts) if people else ""


def _known(text: str) -> bool:
    return any(
        part.rstrip("0123456789") in _COMMON_FIRST_NAMES for part in re.split(r"[\s,.]+", text.strip().casefold())[:3]
    )
