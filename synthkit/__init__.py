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
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.pipeline.compare.compare_models import Compared
    from synthkit.pipeline.either_tables import compare, evaluate, infer_schema, synthesize, validate
    from synthkit.pipeline.linked.linked_results import LinkedRun
    from synthkit.pipeline.results import Run
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.report.html import Report
    from synthkit.schema.linked.linked_schema import LinkedSchema
    from synthkit.schema.table import Schema
    from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
    from synthkit.synthesizer.synthesizer import Synthesizer
    from synthkit.tables.table_files import read, write

_HOMES = {
    "Compared": "pipeline.compare.compare_models",
    "EvaluationData": "metrics.evaluation_data",
    "Evaluation": "metrics.result",
    "Ledger": "privacy.accounting.ledger",
    "LinkedEvaluationData": "metrics.linked.linked_evaluation_data",
    "LinkedRun": "pipeline.linked.linked_results",
    "LinkedSchema": "schema.linked.linked_schema",
    "LinkedSynthesizer": "synthesizer.linked_synthesizer",
    "Report": "report.html",
    "Run": "pipeline.results",
    "RunConfig": "pipeline.run_config",
    "Schema": "schema.table",
    "Score": "metrics.result",
    "SynthkitError": "errors",
    "Synthesizer": "synthesizer.synthesizer",
    "compare": "pipeline.either_tables",
    "evaluate": "pipeline.either_tables",
    "infer_schema": "pipeline.either_tables",
    "read": "tables.table_files",
    "synthesize": "pipeline.either_tables",
    "validate": "pipeline.either_tables",
    "write": "tables.table_files",
}

__all__ = [
    "Compared",
    "Evaluation",
    "EvaluationData",
    "Ledger",
    "LinkedEvaluationData",
    "LinkedRun",
    "LinkedSchema",
    "LinkedSynthesizer",
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
