"""Whether linked tables were sampled with a key: coins counted table by table, and one p for all of them.

In each table that is there coins are counted as in a single one (see `detection`), which gives a p_t for which
P(p_t <= a) <= a. Coins of different tables are independent, so over the T tables that have some

    p = P(C >= -2 sum_t log p_t),   C chi-square with 2 T degrees of freedom,

is such a p too: P(p <= a) <= a for every a, over keys drawn after, or without knowledge of, the tables.

References:
    Fisher: Statistical methods for research workers (4th edition, 1932), 21.1 (the combination of probabilities).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from synthkit.errors import TableError
from synthkit.watermark.detection import DETECTION_ALPHA, WatermarkDetection, detect

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.watermark.unit_key import UnitWatermarkKey

FORMAT = "synthkit-linked-detection/1"
SMALLEST_P = 1e-300  # of one table: smaller ones count as this


@dataclass(frozen=True, kw_only=True)
class UnitDetection:
    """What a key finds in linked tables.

    Args:
        tables: what it finds in each table that is there, by name.
        tables_of_key: names of the tables the key knows.
        p: probability, at most, of as many heads in tables made without the key; 1 where there is no coin.
    """

    tables: Mapping[str, WatermarkDetection]
    tables_of_key: tuple[str, ...]
    p: float

    def found(self, alpha: float = DETECTION_ALPHA) -> bool:
        """Whether the tables are called ours."""
        return self.p <= alpha

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        each = {name: asdict(found) for name, found in self.tables.items()}
        return {"format": FORMAT, "tables": each, "tables_of_key": list(self.tables_of_key), "p": self.p}


def detect_units(frames: Mapping[str, pd.DataFrame], key: UnitWatermarkKey) -> UnitDetection:
    """Hold linked tables against a key.

    Args:
        frames: tables by name; tables, rows and columns may lack, and others may be there.
        key: of the watermark.

    Raises:
        TableError: no table has a name the key knows, or one of them has no column that it knows.

    Example:
        >>> import pandas as pd
        >>> from synthkit.schema.linked import LinkedSchema
        >>> from synthkit.watermark.unit_key import UnitWatermarkKey
        >>> columns = {"id": {"kind": "identifier"}, "x": {"kind": "numeric"}, "y": {"kind": "numeric"}}
        >>> schema = LinkedSchema(unit="people", tables={"people": {"key": ["id"], "columns": columns}})
        >>> found = detect_units({"people": pd.DataFrame({"x": [1, 2], "y": [3, 4]})}, UnitWatermarkKey.new(schema))
        >>> found.tables["people"].coins
        4
    """
    here = {name: detect(frames[name], key.of_table(name)) for name in key.tables if name in frames}
    if not here:
        msg = "tables must have the names the key knows; however: none has. Name a folder with a file a table: "
        raise TableError(msg + ", ".join(key.tables))
    return UnitDetection(tables=here, tables_of_key=tuple(key.tables), p=combined_p(here.values()))


def combined_p(found: Iterable[WatermarkDetection]) -> float:
    """One p of those of several tables; tables without a coin say nothing.

    Example:
        >>> counts = {"rows": 1, "columns": 1, "columns_of_key": 1, "sets": 1, "sets_of_key": 1, "coins": 9, "heads": 9}
        >>> one = WatermarkDetection(**counts, p=0.05)
        >>> round(combined_p([one]), 4), round(combined_p([one, one]), 4), combined_p([])
        (0.05, 0.0175, 1.0)
    """
    from scipy.stats import chi2

    told = [max(each.p, SMALLEST_P) for each in found if each.coins]
    return float(chi2.sf(-2 * math.fsum(map(math.log, told)), 2 * len(told))) if told else 1.0
