"""SDV's Gaussian copula, and ctgan's CTGAN and TVAE as SDV prepares tables for them."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.baselines.isolation import isolated
from synthkit.encoding.codecs.identifier import fresh
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.columns import Datetime, Identifier, Numeric
from synthkit.schema.conform import conform
from synthkit.schema.derived import with_derived
from synthkit.schema.sdv_metadata import to_sdv
from synthkit.schema.typed_columns import check_structure
from synthkit.tables import table_files
from synthkit.tables.storage import storages

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCES: Mapping[str, str] = {
    "gaussian_copula": "GaussianCopulaSynthesizer",
    "reference_ctgan": "CTGANSynthesizer",
    "reference_tvae": "TVAESynthesizer",
}
_OURS = ("self", "metadata", "locales", "verbose", "enable_gpu")  # arguments of theirs that are no settings


class ReferenceSynthesizer:
    """A synthesizer of SDV or ctgan that learns a table and draws new rows of it, at its own defaults.

    It is given the learned columns of the schema as SDV Metadata V2. Identifiers are never given to it; fresh ones are
    made as for our models. It knows no rule, and rows come as it makes them: none is mended, none drawn again. It
    cannot be saved and writes no ledger. What was done with the table is said in `notes`.

    Args:
        schema: meaning of the columns.
        name: one of `REFERENCES`.
        settings: arguments of its own constructor by name, such as `epochs`; its defaults where not given.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ConfigError: there is no such reference or setting, or a value the reference refuses.
        UnsupportedError: sdv or ctgan is not installed.

    References:
        Patki, Wedge, Veeramachaneni, "The Synthetic Data Vault", 2016, for the Gaussian copula.
        Xu, Skoularidou, Cuesta-Infante, Veeramachaneni, "Modeling tabular data using conditional GAN", 2019, for CTGAN
        and TVAE.
    """

    def __init__(
        self, schema: Schema, name: str, *, settings: Mapping[str, Any] | None = None, device: str = "auto"
    ) -> None:
        if name not in REFERENCES:
            msg = f"a reference must be one of {', '.join(REFERENCES)}; however: `{name}`"
            raise ConfigError(msg)
        self.schema = schema
        self.name = name
        self.seed: int | None = None
        self._fitted = False
        self._dtypes: dict[str, str] = {}
        self._part = Schema(name=schema.name, columns={c: schema.columns[c] for c in schema.learned})
        self._made = _made(name, self._part, settings or {}, device)
        self.notes: tuple[str, ...] = tuple(_notes(schema))

    def fit(
        self, table: pd.DataFrame, *, seed: int | None = None, progress: Callable[[int, int, float], None] | None = None
    ) -> ReferenceSynthesizer:
        """Learn a table; the same seed on the same machine learns the same model.

        Args:
            table: rows.
            seed: of the global generators it draws from, which are as before afterwards; drawn and recorded in `seed`
                if not given.
            progress: called with epoch, epochs and loss, where it has epochs.

        Raises:
            SchemaError: the table is not the one the schema describes, or has fewer than two rows.
            UnsupportedError: the reference refused the table or failed on it.
        """
        check_structure(table, self.schema)
        self.seed = secrets.randbits(31) if seed is None else seed
        self._dtypes = storages(table, self.schema)
        frame = _plain(conform(table, self.schema)[list(self.schema.learned)])
        with isolated(Seeds(self.seed).of("fit"), progress):
            failed = _failure(lambda: self._made.fit({self.schema.name: frame}))
        if failed is not None:
            msg = (
                f"`{self.name}` must be able to learn the table; however: it stopped with {failed}, whose message is "
                "not repeated, for it may hold values. Try fewer columns, or other settings"
            )
            raise UnsupportedError(msg)
        self._fitted = True
        return self

    def sample(self, n: int, *, seed: int | None = None) -> pd.DataFrame:
        """Draw new rows as the reference makes them, in the dtypes of the table it learned.

        Args:
            n: how many rows.
            seed: same seed, same rows; drawn if not given. It is kept in `attrs["synthkit_seed"]` of the frame.

        Raises:
            ConfigError: the reference is not fitted, or the number of rows is negative.

        **Shape**: -> frame of n rows, the schema's columns in order.
        """
        if not self._fitted:
            msg = "a reference must be fitted first; however: it is not. Call fit(table)"
            raise ConfigError(msg)
        if n < 0:
            msg = f"the number of rows must not be negative; however: {n}"
            raise ConfigError(msg)
        seed = secrets.randbits(31) if seed is None else seed
        seeds = Seeds(seed)
        learned = self._drawn(n, seeds) if n else pd.DataFrame({c: [] for c in self.schema.learned}, dtype=object)
        rng = seeds.numpy("identifiers")
        described = set(self.schema.described)
        for name, column in self.schema.columns.items():
            if name not in described:
                kind = column if isinstance(column, Identifier) else Identifier()
                learned[name] = fresh(name, kind, n, rng)
        learned = with_derived(conform(learned, self.schema, partial=True), self.schema)
        out = table_files.as_it_came(learned[list(self.schema.columns)], self.schema, self._dtypes)
        out.attrs["synthkit_seed"] = seed
        return out

    def _drawn(self, n: int, seeds: Seeds) -> pd.DataFrame:
        """Rows of the learned columns from streams of ours: SDV by itself draws the same rows for every seed."""
        with isolated(seeds.of("sample")):
            self._made.reset_sampling()
            self._made._set_random_state(seeds.of("model") % 2**31)  # it has no public name for this
            for name, transformer in self._made.get_transformers().items():
                if transformer is not None:
                    stream = np.random.RandomState(seeds.of(f"column {name}") % 2**31)
                    transformer.set_random_state(stream, "reverse_transform")
            drawn: pd.DataFrame = self._made.sample(num_rows=n)[self.schema.name]
        return drawn.reset_index(drop=True)


def _made(name: str, part: Schema, settings: Mapping[str, Any], device: str) -> Any:
    """The synthesizer of theirs, not yet fitted."""
    try:
        import ctgan  # noqa: F401  # SDV wraps it, and would complain later
        import sdv.single_table as sdv
        from sdv.errors import SynthesizerInputError
        from sdv.metadata import Metadata
    except ImportError as error:
        msg = f"`{name}` needs sdv and ctgan; however: {error.name} is not installed. Run: pip install 'synthkit[sdv]'"
        raise UnsupportedError(msg) from error
    kind = getattr(sdv, REFERENCES[name])
    takes = inspect.signature(kind).parameters
    known = [setting for setting in takes if setting not in _OURS]
    strange = sorted(set(settings) - set(known))
    if strange:
        msg = f"settings of `{name}` must be among: {', '.join(known)}; however: {', '.join(strange)}"
        raise ConfigError(msg)
    ours: dict[str, Any] = {"verbose": True} if "verbose" in takes else {}
    if "enable_gpu" in takes:
        from synthkit.runtime.device import choose_device

        ours["enable_gpu"] = choose_device(device).type != "cpu"
    with isolated(0):
        try:
            return kind(Metadata.load_from_dict(to_sdv(part)), **settings, **ours)
        except (SynthesizerInputError, ValueError, TypeError) as error:
            msg = f"settings of `{name}` must have values it accepts; however: {error}"
            raise ConfigError(msg) from error


def _failure(fit: Callable[[], None]) -> str | None:
    """What sort of error a fit of theirs ended with, None if it did not: their messages quote rows."""
    from sdv import errors

    refused = (errors.InvalidDataError, errors.InvalidDataTypeError, errors.SynthesizerInputError)
    processing = (errors.SynthesizerProcessingError, errors.NonParametricError)
    arithmetic = (ValueError, TypeError, KeyError, IndexError, AssertionError, ArithmeticError, RuntimeError)
    try:
        fit()
    except (*refused, *processing, *arithmetic) as error:
        return type(error).__name__
    return None


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The dtypes SDV reads rightly: nullable booleans as objects, moments in nanoseconds (it counts in them).

    Raises:
        UnsupportedError: moments that nanoseconds cannot hold (before 1678 or after 2262).
    """
    out = {}
    for name, values in frame.items():
        if isinstance(values.dtype, pd.BooleanDtype):
            out[name] = values.astype(object).where(values.notna(), None)
        elif pd.api.types.is_datetime64_dtype(values.dtype):
            try:
                out[name] = values.astype("datetime64[ns]")
            except pd.errors.OutOfBoundsDatetime as error:
                msg = (
                    f"a reference needs moments from 1678 to 2262; however: `{name}` has others. "
                    "Leave the column out of the table and the schema"
                )
                raise UnsupportedError(msg) from error
        else:
            out[name] = values
    return pd.DataFrame(out)


def _notes(schema: Schema) -> Iterator[str]:
    """What was done with the table so that the reference could learn it."""
    yield (
        f"Made by others: SDV {version('sdv')} and ctgan {version('ctgan')}, Business Source License 1.1. "
        "It reads the raw rows and writes no ledger; it cannot be saved."
    )
    kinds = {name: schema.columns[name] for name in schema.learned}
    numbers = [c for c in kinds.values() if isinstance(c, Numeric | Datetime)]
    if any(c.nullable for c in numbers):
        yield (
            "Missing numbers and moments are filled with the column's mean before it learns, and taken away again "
            "at random, in the same share, from what it draws: which cells are missing together is not learned."
        )
    if any(c.nullable for c in kinds.values() if not isinstance(c, Numeric | Datetime)):
        yield "A missing level is a level of its own."
    if any(isinstance(c, Numeric) for c in numbers):
        yield "Numbers are rounded as in the table and kept between the smallest and the largest of it."
    if any(isinstance(c, Datetime) for c in numbers):
        yield "Moments are learned as numbers of nanoseconds."
    if schema.derived:
        yield "Derived columns are not given to it; they are computed as for synthkit's own models."
    if len(schema.described) < len(schema.columns):
        yield "Identifiers are not given to it; fresh ones are made as for synthkit's own models."
    if schema.rules:
        yield "It is not told of the row rules; rows that break one are counted, neither mended nor drawn again."
