"""Which texts beside the digits of a column are units, and which are parts of codes."""

from __future__ import annotations

import re

from synthkit.schema.digits import SURROUNDING_BLANKS, has_powers

CURRENCIES = frozenset(("$", "€", "£", "¥", "US$", "USD", "EUR", "GBP", "JPY", "CHF", "Fr.", "kr"))
_UNIT_NAMES = (
    "% ‰ ng µg ug mcg mg g kg nl µl ml mL dl dL l L kcal kJ mm cm m km in ft lb lbs oz mmHg kPa bpm °C °F C F K "
    "m/s km/h h hr hrs min s sec ms d days y yr yrs years weeks months /min U IU mU mIU mol mmol nmol pmol µmol umol "
    "mEq kg/m2 kg/m² g/dl g/dL g/l g/L mg/dl mg/dL mg/l mg/L mg/kg ng/ml ng/mL pg/ml pg/mL µg/l U/l U/L IU/l IU/L "
    "mmol/l mmol/L µmol/l µmol/L umol/L mEq/L"
)
_KNOWN_UNITS = CURRENCIES | frozenset(_UNIT_NAMES.split())
_UNIT_SIGNS = re.compile(r"[%‰°²³µ\u03bc^]|[^\W\d_]/[^\W\d_]")  # what stands in units, and hardly ever in codes
_NUMBER_WITHOUT_LETTERS = re.compile(r"[^\w]*\d[\d.,:-]*[^\w]*")  # a word of digits: of a date, or of "1 of 3"
_MAX_UNIT_LENGTH = 40


def is_measurement_unit(text: str, *, apart: bool) -> bool:
    """Whether a text that stands behind all numbers of a column is their unit.

    A known one is, and so is one with a sign of units. Where a blank stands between, whatever it says is, unless one of
    its words is digits alone: V10 and 3A are codes, and "12 March 2021" is no 12.

    Args:
        text: what stands behind the digits, without the blanks around it.
        apart: whether a blank stands before it in all cells.

    Example:
        >>> [is_measurement_unit(text, apart=True) for text in ("ng/L", "beats per minute", "10^9/L", "of 3")]
        [True, True, True, False]
        >>> [is_measurement_unit(text, apart=False) for text in ("kg/m2", "ng/L", "/nl", "A", "/B", "-A")]
        [True, True, True, False, False, False]
    """
    if not text or text in _KNOWN_UNITS or text.replace("\u03bc", "\u00b5") in _KNOWN_UNITS:
        return True
    if len(text) > _MAX_UNIT_LENGTH:
        return False
    if has_powers(text):
        return apart
    letter = text[0].isalpha() or text[0] in "%‰°*×·"
    if not apart:
        return (letter and _UNIT_SIGNS.search(text) is not None) or re.fullmatch(r"/[^\W\d_]{2,3}", text) is not None
    words = re.split(f"[{SURROUNDING_BLANKS}]+", text)
    return (letter or text[0] in "/(") and not any(_NUMBER_WITHOUT_LETTERS.fullmatch(word) for word in words)
