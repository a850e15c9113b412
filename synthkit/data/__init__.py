"""The demo: 9,105 real ICU patients (SUPPORT2), their schema, and an example of a policy by which it is judged."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.data import shipped_files
from synthkit.errors import TableError
from synthkit.schema.table import Schema

if TYPE_CHECKING:
    import pandas as pd

DEMO_POLICY = "internal-research.yaml"  # limits by which the demo is judged
DEMO_FILES = ("support2.parquet", "support2.yaml", DEMO_POLICY)


def path(name: str) -> Path:
    """Where a file of the demo data lies on disk.

    Args:
        name: one of `DEMO_FILES`.

    Raises:
        TableError: if there is no such file in the package.

    Example:
        >>> path("support2.yaml").name
        'support2.yaml'
    """
    if name not in DEMO_FILES:
        msg = f"demo data must be one of {', '.join(DEMO_FILES)}; however: {name}. Name one of these"
        raise TableError(msg)
    return Path(str(files(__package__) / name)) if name.endswith(".parquet") else shipped_files.find(name)


def support2() -> pd.DataFrame:
    """The SUPPORT2 table: seriously ill hospitalised patients, their physiology, costs and survival.

    **Shape**: (9105, 48), missing cells as the study left them. Licence: CC BY 4.0.

    References:
        W. A. Knaus, F. E. Harrell, J. Lynn et al., "The SUPPORT prognostic model: objective estimates of survival for
        seriously ill hospitalized adults", 1995 (UCI Machine Learning Repository 880).

    Example:
        >>> from synthkit.data import support2
        >>> support2().shape
        (9105, 48)
    """
    import pandas as pd

    return pd.read_parquet(path("support2.parquet"))


def support2_schema() -> Schema:
    """The declared schema of `support2`, with units, bounds, targets and row rules.

    Example:
        >>> from synthkit.data import support2_schema
        >>> support2_schema().columns["meanbp"].unit
        'mmHg'
    """
    return Schema.load(path("support2.yaml"))
