"""synthkit: share patient tables without sharing patients.

```python
import synthkit as sk
run = sk.synthesize(df, schema="schema.yaml")
run.synthetic; run.report; run.save("release/")
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthkit.comparing import Compared, compare
    from synthkit.config import RunConfig
    from synthkit.errors import SynthkitError
    from synthkit.evaluate.result import Comparison, Evaluation, Score
    from synthkit.evaluate.run import evaluate
    from synthkit.pipeline import synthesize
    from synthkit.privacy.ledger import Ledger
    from synthkit.report.html import Report
    from synthkit.results import Run
    from synthkit.schema.expectations import validate
    from synthkit.schema.table import Schema
    from synthkit.synthesizer import Synthesizer
    from synthkit.tables import read, write

__version__ = "0.1.0"

_HOMES = {
    "Compared": "comparing",
    "Comparison": "evaluate.result",
    "Evaluation": "evaluate.result",
    "Ledger": "privacy.ledger",
    "Report": "report.html",
    "Run": "results",
    "RunConfig": "config",
    "Schema": "schema.table",
    "Score": "evaluate.result",
    "SynthkitError": "errors",
    "Synthesizer": "synthesizer",
    "compare": "comparing",
    "evaluate": "evaluate.run",
    "read": "tables",
    "synthesize": "pipeline",
    "validate": "schema.expectations",
    "write": "tables",
}

__all__ = [
    "Compared",
    "Comparison",
    "Evaluation",
    "Ledger",
    "Report",
    "Run",
    "RunConfig",
    "Schema",
    "Score",
    "Synthesizer",
    "SynthkitError",
    "__version__",
    "compare",
    "evaluate",
    "read",
    "synthesize",
    "validate",
    "write",
]


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: `synthkit --help` needs none of them."""
    if name not in _HOMES:
        msg = f"module 'synthkit' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"synthkit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
