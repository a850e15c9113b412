"""Files that come with the package: example schemas of public tables, example policies, JSON Schemas of our formats."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from synthkit.errors import ConfigError


def folder() -> Path:
    """Where they lie: inside an installed package; at the top of a checkout, from which the build packs them.

    Example:
        >>> (folder() / "synthkit-schema-1.json").is_file()
        True
    """
    packed = Path(str(files("synthkit") / "schemas"))
    return packed if packed.is_dir() else packed.parents[1] / "schemas"


def schemas() -> Mapping[str, Path]:
    """Example schemas of public tables, by the name of the table.

    Example:
        >>> schemas()["adult"].name
        'adult.yaml'
    """
    return _named("*.yaml")


def linked_schemas() -> Mapping[str, Path]:
    """Example schemas of linked tables, by their name.

    Example:
        >>> linked_schemas()["synthea"].name
        'synthea.yaml'
    """
    return _named("linked/*.yaml")


def policies() -> Mapping[str, Path]:
    """Example policies; nobody answers for their limits.

    Example:
        >>> sorted(policies())
        ['internal-research', 'partner-release', 'public-release']
    """
    return _named("policies/*.yaml")


def formats() -> Mapping[str, Path]:
    """JSON Schemas of what synthkit reads and writes.

    Example:
        >>> "synthkit-gate-1" in formats()
        True
    """
    return _named("*.json")


def find(name: str) -> Path:
    """Where one of them lies.

    Args:
        name: of the file, with or without its ending.

    Raises:
        ConfigError: no such file comes with synthkit.

    Example:
        >>> find("partner-release").name
        'partner-release.yaml'
    """
    known = {**schemas(), **linked_schemas(), **policies(), **formats()}
    found = known.get(name.removesuffix(".yaml").removesuffix(".json"))
    if found is None:
        msg = f"a file must be one of those that come with synthkit; however: {name} is none. Name {_either(known)}"
        raise ConfigError(msg)
    return found


def policy(said: str) -> Path:
    """The file of a policy: a path, or the name of an example where there is no such path.

    Args:
        said: path or name.

    Raises:
        ConfigError: it is neither.

    Example:
        >>> policy("public-release").name
        'public-release.yaml'
    """
    known = policies()
    if not Path(said).exists() and said not in known:
        msg = f"a policy must be a YAML file or an example of ours; however: {said} is neither. Name {_either(known)}"
        raise ConfigError(msg)
    return Path(said) if Path(said).exists() else known[said]


def _named(pattern: str) -> Mapping[str, Path]:
    return {path.stem: path for path in sorted(folder().glob(pattern))}


def _either(known: Mapping[str, Path]) -> str:
    return f"one of {', '.join(known)}"
