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

from synthkit._version import __version__

if TYPE_CHECKING:
    from synthkit.errors import SynthkitError
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.metrics.runner import evaluate
    from synthkit.pipeline.compare.compare_models import Compared, compare
    from synthkit.pipeline.results import Run
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.pipeline.synthesize import synthesize
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.report.html import Report
    from synthkit.schema.infer.draft import infer_schema
    from synthkit.schema.table import Schema
    from synthkit.schema.validation import validate
    from synthkit.synthesizer.synthesizer import Synthesizer
    from synthkit.tables.table_files import read, write

_HOMES = {
    "Compared": "pipeline.compare.compare_models",
    "EvaluationData": "metrics.evaluation_data",
    "Evaluation": "metrics.result",
    "Ledger": "privacy.accounting.ledger",
    "Report": "report.html",
    "Run": "pipeline.results",
    "RunConfig": "pipeline.run_config",
    "Schema": "schema.table",
    "Score": "metrics.result",
    "SynthkitError": "errors",
    "Synthesizer": "synthesizer.synthesizer",
    "compare": "pipeline.compare.compare_models",
    "evaluate": "metrics.runner",
    "infer_schema": "schema.infer.draft",
    "read": "tables.table_files",
    "synthesize": "pipeline.synthesize",
    "validate": "schema.validation",
    "write": "tables.table_files",
}

__all__ = [
    "Compared",
    "Evaluation",
    "EvaluationData",
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
    "infer_schema",
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
