"""Every codec by name: which columns it is for, how it is fitted, and what it asks under a budget."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from synthkit.encoding import private_levels, private_numbers
from synthkit.encoding.codecs import categorical, combination, datetime_steps, numeric
from synthkit.encoding.codecs.codec import Codec, JsonObject
from synthkit.encoding.codecs.spec import CodecSpec, PrivateFit
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.runtime.plugins import plugins
from synthkit.schema import Datetime, Numeric

CODEC_PLUGINS = "synthkit.codecs"  # entry points by which other distributions add a CodecSpec
CODECS: dict[str, CodecSpec] = {  # the keys stand in saved models
    "numeric": CodecSpec(
        codec=numeric.NumericCodec,
        handles=lambda column: len(column.members) == 1 and isinstance(column.column, Numeric),
        fit=numeric.fit_column,
        private=PrivateFit(queries=private_numbers.number_queries, fit=private_numbers.fit_number),
    ),
    "steps": CodecSpec(
        codec=datetime_steps.StepsCodec,
        handles=lambda column: len(column.members) == 1 and isinstance(column.column, Datetime),
        fit=datetime_steps.fit_column,
        private=PrivateFit(queries=private_numbers.step_queries, fit=private_numbers.fit_steps),
    ),
    "levels": CodecSpec(
        codec=categorical.LevelsCodec,
        handles=lambda column: len(column.members) == 1 and not isinstance(column.column, Numeric | Datetime),
        fit=categorical.fit_column,
        private=PrivateFit(queries=private_levels.level_queries, fit=private_levels.fit_levels),
    ),
    "combination": CodecSpec(
        codec=combination.CombinationCodec,
        handles=lambda column: len(column.members) > 1,
        fit=combination.fit_column,
        private=PrivateFit(queries=private_levels.combination_queries, fit=private_levels.fit_combination),
    ),
}


@cache
def all_codecs() -> Mapping[str, CodecSpec]:
    """Our codecs, and behind them those of installed plugins.

    Raises:
        ConfigError: a plugin's name is taken, or what it points to is no `CodecSpec`.
    """
    found = dict(CODECS)
    for name, spec in plugins(CODEC_PLUGINS, taken=CODECS).items():
        if not isinstance(spec, CodecSpec):
            msg = (
                f"a plugin in `{CODEC_PLUGINS}` must be a CodecSpec; however: `{name}` is a `{type(spec).__name__}`. "
                "Repair its entry point, or uninstall it"
            )
            raise ConfigError(msg)
        found[name] = spec
    return found


def spec_for(column: CodedColumn, chosen: Mapping[str, str]) -> CodecSpec:
    """The codec of a column: the one that was chosen for it, else ours for its kind.

    Args:
        column: as it is coded.
        chosen: names of codecs, by coded column.

    Raises:
        ConfigError: there is no such codec, or it cannot code the column.
    """
    name = chosen.get(column.name)
    if name is None:
        return next(spec for spec in CODECS.values() if spec.handles(column))
    if name not in all_codecs():
        msg = (
            f"the codec of `{column.name}` must be one of {', '.join(all_codecs())}; however: `{name}`. Install the "
            "distribution that offers it, or choose another"
        )
        raise ConfigError(msg)
    spec = all_codecs()[name]
    if not spec.handles(column):
        msg = f"the codec of `{column.name}` must be able to code it; however: `{name}` is for others. Choose another"
        raise ConfigError(msg)
    return spec


def private_fit(column: CodedColumn, chosen: Mapping[str, str]) -> PrivateFit:
    """How the codec of a column is fitted under a budget; asked before anything is charged.

    Raises:
        UnsupportedError: its codec cannot be.
    """
    spec = spec_for(column, chosen)
    if spec.private is None:
        msg = (
            f"under a privacy budget a codec must be fitted to noisy answers; however: `{chosen[column.name]}`, the "
            f"codec of `{column.name}`, cannot be. Choose another"
        )
        raise UnsupportedError(msg)
    return spec.private


def refuse_unknown(chosen: Mapping[str, str], columns: Mapping[str, CodedColumn]) -> None:
    """Refuse codecs chosen for columns that are not coded by themselves.

    Raises:
        ConfigError: there are such columns.
    """
    strange = [name for name in chosen if name not in columns]
    if strange:
        msg = (
            f"codecs must be chosen for coded columns, which are {', '.join(columns)}; however: "
            f"{', '.join(f'`{name}`' for name in strange)}. Leave them out"
        )
        raise ConfigError(msg)


def saved(codec: Codec) -> JsonObject:
    """A codec as plain data, under the name by which it is read back.

    Raises:
        ConfigError: it is in no registry, so that nobody could read it back.
    """
    for name, spec in all_codecs().items():
        if spec.codec is type(codec):
            return {"codec": name, **codec.to_dict()}
    msg = (
        f"a codec must be registered to be saved; however: {type(codec).__name__} is not. Add an entry point in "
        f"`{CODEC_PLUGINS}` to its distribution"
    )
    raise ConfigError(msg)


def read_back(data: JsonObject) -> Codec:
    """The codec that `saved` gave.

    Raises:
        UnsupportedError: it is the codec of a distribution that is not installed.
    """
    name = data["codec"]
    if name not in all_codecs():
        msg = (
            f"a saved model's codecs must be installed; however: `{name}` is not. Install the distribution that offers "
            f"it as an entry point in `{CODEC_PLUGINS}`"
        )
        raise UnsupportedError(msg)
    return all_codecs()[name].codec.from_dict({key: value for key, value in data.items() if key != "codec"})
