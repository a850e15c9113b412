"""Providers of Faker by name: which ones can make the cells of an identifier, and what makes them.

Faker is loaded only where a schema names a provider: no other schema waits for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache

from synthkit.errors import UnsupportedError


def check_provider(provider: str | None) -> None:
    """Refuse a provider that cannot make cells of text by itself; none at all is fine.

    Raises:
        ValueError: it cannot, see `provider_fault`.
    """
    if provider is not None and (why := provider_fault(provider)):
        msg = (
            f"`faker` must name a provider of Faker that gives text and needs no arguments; however: {why}. "
            "Try `name` or `ssn`, or give a `pattern`"
        )
        raise ValueError(msg)


def provider_fault(provider: str) -> str:
    """Why a provider cannot make cells of text by itself, or nothing.

    Where Faker is not installed, only names that no provider can have are refused: such a schema is read everywhere,
    and its rows are drawn where Faker is.

    Args:
        provider: what a schema calls it.

    Example:
        >>> provider_fault("name"), provider_fault("__class__")
        ('', '`__class__` is none')
    """
    if not provider.isidentifier() or provider.startswith("_"):
        return f"`{provider}` is none"
    known = _known()
    if known is None:
        return ""
    if known.get(provider):
        return "" if _works(provider) else f"`{provider}` needs a library that is not installed"
    return f"`{provider}` needs arguments or gives something else" if provider in known else f"`{provider}` is none"


@lru_cache(maxsize=1)
def _known() -> dict[str, bool] | None:
    """Public methods of the providers, and whether each gives text without being told anything."""
    try:
        from faker import Faker
    except ImportError:
        return None
    # what stands on the generator beside the providers (`seed`, `add_provider`) makes no cells
    providers = Faker().factories[0].get_providers()
    found = {name: getattr(each, name) for each in reversed(providers) for name in dir(each) if name[0] != "_"}
    return {name: _gives_text(method) for name, method in found.items() if callable(method)}


@lru_cache(maxsize=64)
def _works(provider: str) -> bool:
    """Whether a provider gives a cell: some of them need libraries that Faker does not bring."""
    from faker import Faker
    from faker.exceptions import BaseFakerException

    faker = Faker()
    faker.seed_instance(0)
    try:
        return isinstance(getattr(faker, provider)(), str)
    except BaseFakerException:
        return False


def _gives_text(method: Callable[..., object]) -> bool:
    try:
        signature = inspect.signature(method)
    except ValueError:  # a class or a function of C that does not say
        return False
    named = (p for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    return signature.return_annotation in (str, "str") and all(p.default is not p.empty for p in named)


def provider_maker(name: str, provider: str, seed: int) -> Callable[[], object]:
    """What gives a new cell whenever it is called.

    Args:
        name: the column, for messages.
        provider: of Faker.
        seed: same seed, same cells.

    Raises:
        UnsupportedError: Faker is not installed, or has no such provider.
    """
    try:
        from faker import Faker
    except ImportError as error:
        msg = (
            f"`{name}` asks for Faker's `{provider}`; however: Faker is not installed. "
            "Run: pip install 'synthkit[fake]'"
        )
        raise UnsupportedError(msg) from error
    faker = Faker()
    faker.seed_instance(seed)
    if why := provider_fault(provider):  # the schema was read where Faker was not installed
        msg = f"`{name}`: Faker must have the provider that makes its cells; however: {why}. Try `name` or `ssn`"
        raise UnsupportedError(msg)
    make: Callable[[], object] = getattr(faker, provider)
    return make
