"""The errors synthkit raises, as one tree; every message says what must hold, what came, and what to do.

SynthkitError
├── ConfigError            a run configuration or an argument that cannot be meant
├── TableError             a file or frame that cannot be read, written or split
├── SchemaError            a schema that contradicts itself, or a table that contradicts its schema
├── EncodingError          values a fitted encoder has no code for
├── BudgetExceededError    a charge the privacy budget cannot pay
├── UnsupportedError       something this model cannot do (another one may)
├── ArtefactError          a saved model or run folder that is missing, damaged or from another format
├── WorkerError            a process or a machine that shared work and was lost, or cannot be reached
└── DocumentError          JSON or YAML that cannot be read, or is larger or deeper than any file of ours
"""

from __future__ import annotations


class SynthkitError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(SynthkitError):
    """A run configuration or an argument that cannot be meant."""


class TableError(SynthkitError):
    """A file or frame that cannot be read, written or split."""


class SchemaError(SynthkitError):
    """A schema that contradicts itself, or a table that contradicts its schema."""


class EncodingError(SynthkitError):
    """Values for which a fitted encoder has no code."""


class BudgetExceededError(SynthkitError):
    """A charge the privacy budget cannot pay; raised before anything is released."""


class UnsupportedError(SynthkitError):
    """Something this model cannot do."""


class ArtefactError(SynthkitError):
    """A saved model or run folder that is missing, damaged or from another format."""


class WorkerError(SynthkitError):
    """A process or a machine that shared work and was lost, or cannot be reached."""


class DocumentError(SynthkitError, ValueError):
    """JSON or YAML that cannot be read, or is larger or deeper than any file of ours."""


class MetricError(SynthkitError):
    """A metric that cannot be computed on these tables; it becomes a listed failure, and the others go on."""
