"""The demos: 9,105 real ICU patients (SUPPORT2), 115 made-up ones over time (Synthea), their schemas, and a policy."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.data import shipped_files
from synthkit.errors import TableError
from synthkit.schema.table import Schema

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema.linked import LinkedSchema

DEMO_POLICY = "internal-research.yaml"  # limits by which the demo is judged
SYNTHEA_FOLDER = "synthea_tables"  # a file a table
PACKED = ("support2.parquet", SYNTHEA_FOLDER)  # what lies in this folder
DEMO_FILES = (*PACKED, "support2.yaml", "synthea.yaml", DEMO_POLICY)


def path(name: str) -> Path:
    """Where a file or folder of the demo data lies on disk.

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
    return Path(str(files(__package__) / name)) if name in PACKED else shipped_files.find(name)


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


def synthea() -> dict[str, pd.DataFrame]:
    """Linked tables of 115 made-up patients: encounters, conditions, six measurements over time, and a catalogue.

    **Shape**: patients (115, 6), encounters (4385, 6), conditions (1451, 5), observations (5822, 5), tests (6, 2).

    References:
        J. Walonoski, M. Kramer, J. Nichols et al., "Synthea: an approach, method, and software mechanism for generating
        synthetic patients and the synthetic electronic health care record", 2018.

    Example:
        >>> from synthkit.data import synthea
        >>> {name: len(frame) for name, frame in synthea().items()}
        {'patients': 115, 'encounters': 4385, 'conditions': 1451, 'observations': 5822, 'tests': 6}
    """
    import pandas as pd

    folder = path(SYNTHEA_FOLDER)
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in synthea_schema().tables}


def synthea_schema() -> LinkedSchema:
    """The declared schema of `synthea`: whose rows belong to whom, when they happen, and what contradicts itself.

    Example:
        >>> from synthkit.data import synthea_schema
        >>> synthea_schema().unit
        'patients'
    """
    from synthkit.schema.linked import LinkedSchema

    return LinkedSchema.load(path("synthea.yaml"))
