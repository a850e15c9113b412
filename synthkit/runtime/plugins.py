"""Plugins: what other installed distributions add to a registry, declared by entry points."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from synthkit.errors import ConfigError


def plugins(group: str, taken: Collection[str]) -> dict[str, object]:
    """Load the entry points of a group: what they point to, by name, in the order of the names.

    Args:
        group: of the entry points, `synthkit.metrics` for example.
        taken: names that synthkit's own registry has.

    Raises:
        ConfigError: a name is taken, by synthkit or by another distribution, or a plugin cannot be imported.

    References:
        Entry points specification, Python Packaging User Guide.

    Example:
        >>> plugins("synthkit.nothing_like_this", taken=())
        {}
    """
    owners = dict.fromkeys(taken, "synthkit")
    found: dict[str, object] = {}
    for point in sorted(entry_points(group=group), key=lambda each: (each.name, each.value)):
        if point.name in owners:
            msg = (
                f"a name in `{group}` must be given once; however: {_owner(point)} offers `{point.name}`, which is of "
                f"{owners[point.name]}. Rename one of them, or uninstall it"
            )
            raise ConfigError(msg)
        found[point.name] = _loaded(point)
        owners[point.name] = _owner(point)
    return found


def _loaded(point: EntryPoint) -> object:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        msg = (
            f"a plugin in `{point.group}` must be importable; however: {_owner(point)} is not "
            f"({type(error).__name__}). Repair its installation, or uninstall it"
        )
        raise ConfigError(msg) from error


def _owner(point: EntryPoint) -> str:
    """Distribution and module of a plugin, in words."""
    distribution = "a distribution without a name" if point.dist is None else point.dist.name
    return f"{distribution} ({point.value})"
