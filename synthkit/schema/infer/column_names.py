"""What a column's name says: its words, and whether they speak of a key, a code or a person."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")

# Words that are a person's key by themselves; some are French, Spanish and Dutch abbreviations.
_PERSON_KEYS = frozenset(
    (
        *("mrn", "pid", "seqn", "ptid", "patid", "subjid", "usubjid", "patientid", "personid", "caseid", "memberid"),
        *("empi", "nip", "ipp", "nhc", "bsn", "pseudonym"),
    )
)
_KEY_ENDINGS = frozenset(("id", "ids", "nbr", "nr", "no", "key", "nummer", "numero", "kennung", "identifiant"))
KEY_WORDS = _PERSON_KEYS | _KEY_ENDINGS | {"uuid", "guid", "ssn", "identifier", "index"}
PERSON_WORDS = frozenset(
    (
        *("patient", "person", "subject", "member", "participant", "client", "beneficiary", "mrn", "pid", "individual"),
        *("patienten", "patientin", "proband", "probanden", "teilnehmer", "versicherten", "assure", "beneficiaire"),
        *("paciente", "paziente", "deelnemer", "dossier", "historia", "expediente", "pasient"),
    )
)
_PERSON_ABBREVIATIONS = (
    frozenset(("pat", "per", "pers", "subj", "case", "respondent", "resident", "insured", "customer", "player"))
    | _PERSON_KEYS
)
_EVENT_WORDS = frozenset(
    (
        *("encounter", "visit", "stay", "admission", "hadm", "icustay", "episode", "claim", "specimen"),
        *("fall", "aufnahme", "aufenthalt", "sejour", "ingreso", "episodio", "opname", "ricovero"),
    )
)
_NUMBERING_WORDS = frozenset(
    ("num", "n", "nr", "no", "numero", "nummer", "nro", "id", "identifiant")
)  # before what they number
_LINKING_WORDS = frozenset(("de", "du", "del", "do", "di", "der", "des", "van", "la", "el", "le"))
# Words beside which a name speaks of a sort of people and not of each of them.
_SORT_WORDS = frozenset(
    ("type", "group", "class", "category", "status", "cohort", "arm", "list", "kind", "level", "stage")
)
_LETTERS_IN_ASCII = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "œ": "oe"})
_PLACE_WORDS = frozenset(
    (
        *("zip", "zipcode", "postcode", "postal", "plz", "county", "city", "town", "tract", "fips", "state", "region"),
        *("country", "district", "site", "ward", "hospital", "clinic", "center", "centre", "address"),
    )
)
_CODE_WORDS = frozenset(("id", "code", "cd", "type", "category", "class", "group", "zip", "postcode"))


def name_words(name: str) -> tuple[str, ...]:
    """Words of a column name in lower case and without accents, whatever joins them.

    Example:
        >>> tuple(map(name_words, ("patientNbr", "DATE_OF_BIRTH", "d.time", "diag_1", "Prénom")))
        (('patient', 'nbr'), ('date', 'of', 'birth'), ('d', 'time'), ('diag', '1'), ('prenom',))
    """
    decomposed = unicodedata.normalize("NFKD", name.translate(_LETTERS_IN_ASCII))
    return tuple(word.lower() for word in _WORD.findall("".join(c for c in decomposed if not unicodedata.combining(c))))


def _parts(name: str) -> tuple[str, ...]:
    """The words, a compound of a person or an event and a key taken apart: `patnr`, `Fallnummer`, `idpaciente`."""
    return tuple(part for word in name_words(name) for part in _apart(word))


def _apart(word: str) -> tuple[str, ...]:
    whose = PERSON_WORDS | _PERSON_ABBREVIATIONS | _EVENT_WORDS
    if word in whose or word in KEY_WORDS:
        return (word,)
    for k in range(2, len(word) - 1):
        before, after = word[:k], word[k:]
        if (before in whose and after in _KEY_ENDINGS) or (
            before in _NUMBERING_WORDS and after in whose and len(after) > 4
        ):
            return before, after
    return (word,)


def says_key(name: str) -> bool:
    """Whether the name ends like a key: `id`, `patient_nbr`, `account_number`, `Fallnummer`."""
    parts = _parts(name)
    return bool(parts) and (
        parts[-1] in KEY_WORDS or (len(parts) > 1 and parts[-1] == "number") or parts[0] in ("mrn", "ssn")
    )


def says_person(name: str) -> bool:
    """Whether the name is that of a person's key."""
    return says_key(name) and bool((PERSON_WORDS | _PERSON_ABBREVIATIONS) & set(_parts(name)))


def calls_person(name: str) -> bool:
    """Whether the name is a person's key and nothing else: `case.id` and `patnr`, but not `patient_type_id`."""
    parts = _parts(name)
    if not says_key(name) or len(parts) > 2:
        return False
    return parts[-1] in _PERSON_KEYS or (len(parts) == 2 and parts[0] in PERSON_WORDS | _PERSON_ABBREVIATIONS)


def is_owner(name: str) -> bool:
    """Whether the name is one word for whom or what a row belongs to: `patient`, `case`, `encounter`."""
    parts = name_words(name)
    return len(parts) == 1 and parts[0] in PERSON_WORDS | _PERSON_ABBREVIATIONS | _EVENT_WORDS


def numbers_somebody(name: str) -> bool:
    """Whether the name may be the number of a person or an event, in any order of words: `fallnr`, `numero_dossier`.

    So may be that of a count (`num_stay`): what the cells look like has to speak for it as well.

    Example:
        >>> [numbers_somebody(c) for c in ("N° dossier", "patient_type_id", "num_visits", "subject")]
        [True, False, False, False]
    """
    parts = tuple(part for part in _parts(name) if part not in _LINKING_WORDS)
    if not 1 <= len(parts) <= 3 or (_SORT_WORDS | _PLACE_WORDS) & set(parts):
        return False
    if parts[-1] in _PERSON_KEYS:
        return True
    whose = PERSON_WORDS | _PERSON_ABBREVIATIONS | _EVENT_WORDS
    if not whose & set(parts):
        return False
    return parts[-1] in KEY_WORDS | {"number", "code", "num"} or (parts[0] in _NUMBERING_WORDS and parts[-1] in whose)


def is_somebody(name: str) -> bool:
    """Whether the name is one word for a person or for a case: `patient`, `subject`, `dossier`."""
    parts = name_words(name)
    return len(parts) == 1 and parts[0] in PERSON_WORDS | {"pat", "subj", "case", "fall", "encounter", "respondent"}


def says_event(name: str) -> bool:
    """Whether the name speaks of something that happens to a person: an encounter, a stay, a claim."""
    return bool(_EVENT_WORDS & set(_parts(name)))


def says_place(name: str) -> bool:
    """Whether the name speaks of a place: a postcode, a county, a hospital."""
    return bool(_PLACE_WORDS & set(name_words(name)))


def says_code(name: str) -> bool:
    """Whether numbers under this name are likely codes rather than quantities."""
    return bool(_CODE_WORDS & set(name_words(name)[-1:]))


def calls_code(name: str) -> bool:
    """Whether the last word of a name is that of a code and can be no quantity's: `CODE`, `REASONCODE`, `site_cd`.

    Example:
        >>> calls_code("REASONCODE"), calls_code("code_count"), calls_code("age_group")
        (True, False, False)
    """
    last = name_words(name)[-1:]
    return bool(last) and (last[0] == "cd" or last[0].endswith("code"))


def name_stem(name: str, dropped: frozenset[str]) -> tuple[str, ...]:
    """Words of the name without numbers and without `dropped`, to see which columns belong together."""
    return tuple(word for word in name_words(name) if not word.isdigit() and word not in dropped)
