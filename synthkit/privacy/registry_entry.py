"""A statement in the keys of the public registry of deployments of differential privacy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthkit.errors import ConfigError, UnsupportedError
from synthkit.io.json_types import JSONDict, JSONObject

# The keys of the registry's third tier, in its order; whatever else it has is filled in by those who keep it.
REGISTRY_KEYS: Mapping[str, tuple[str, ...]] = {
    "basic": (
        "name",
        "data_curators",
        "description",
        "intended_use",
        "data_product_type",
        "data_product_region",
        "data_product_sector",
        "publication_date",
    ),
    "dp_variant": ("variant_name", "data_domain", "unprotected_quantities"),
    "privacy_loss": (
        "privacy_unit",
        "privacy_unit_details",
        "number_of_privacy_units",
        "privacy_parameters",
        "privacy_parameters_details",
    ),
    "deployment_model": (
        "model_name",
        "model_name_details",
        "trust_assumptions",
        "actors",
        "release_type",
        "release_type_details",
        "data_source_type",
        "data_source_type_details",
        "access_type",
        "access_type_details",
    ),
    "implementation": (
        "preprocessing_and_hyperparameter_tuning",
        "mechanisms",
        "composition",
        "post_processing",
        "justification",
        "utility",
        "additional_information",
    ),
}
VARIANTS = ("Pure DP", "Approximate DP", "Zero-concentrated DP", "Renyi DP", "Custom")


def record(statement: JSONObject, known: JSONObject | None = None) -> JSONDict:
    """A draft of an entry: what a statement says in the registry's keys, None where only people know.

    Args:
        statement: in the format `synthkit-statement/1`.
        known: what people know, by `section.key`, over what the statement says.

    Returns:
        `deployment`, a section a key of `REGISTRY_KEYS`, each with all its keys.

    Raises:
        UnsupportedError: the statement promises nothing.
        ConfigError: `known` has a key that the registry does not have.

    References:
        OpenDP: deployments registry, schema of a deployment (2026).
    """
    if statement["privacy_loss"]["privacy_parameters"].get("epsilon") is None:
        msg = (
            "an entry in the registry needs a finite epsilon; however: nothing is promised, epsilon is infinite. "
            "Make the release under a budget"
        )
        raise UnsupportedError(msg)
    said = {**_told(statement), **_checked(known or {})}
    return {
        "deployment": {
            section: {key: said.get(f"{section}.{key}") for key in keys} for section, keys in REGISTRY_KEYS.items()
        }
    }


def unfilled(entry: JSONObject) -> tuple[str, ...]:
    """The keys of a draft that people still have to fill in, as `section.key`."""
    return tuple(
        f"{section}.{key}"
        for section, keys in REGISTRY_KEYS.items()
        for key in keys
        if entry["deployment"][section][key] in (None, "")
    )


def _checked(known: JSONObject) -> JSONObject:
    for name in known:
        section, _, key = name.partition(".")
        if key not in REGISTRY_KEYS.get(section, ()):
            msg = f"an entry in the registry must have its keys only; however: `{name}`. Known: `section.key` of KEYS"
            raise ConfigError(msg)
    return known


def _told(statement: JSONObject) -> JSONDict:
    """What the statement says, by `section.key`."""
    plain = {
        f"{section}.{key}": value
        for section in ("basic", "dp_variant", "privacy_loss", "deployment_model", "accounting", "implementation")
        for key, value in statement[section].items()
    }
    parameters = {k: v for k, v in statement["privacy_loss"]["privacy_parameters"].items() if v is not None}
    bound = statement["contribution_bound"]["max_rows_per_unit"]
    return {
        **{name: _text(value) for name, value in plain.items()},
        "privacy_loss.privacy_parameters": parameters,
        "privacy_loss.privacy_unit_details": _sentences(
            statement["privacy_loss"]["privacy_unit_details"],
            None if bound is None else f"At most {bound} rows of each are used",
        ),
        "privacy_loss.privacy_parameters_details": _sentences(*statement["sentences"][:2]),
        "deployment_model.access_type": "Non-interactive",
        "implementation.composition": _sentences(
            statement["accounting"]["composition"], *sorted(set(statement["accountant"]))
        ),
        "implementation.post_processing": _text(statement["accounting"]["post_processing"]),
        "implementation.mechanisms": _mechanisms(statement),
        "implementation.additional_information": _sentences(statement["sentences"][2], *statement["caveats"]),
    }


def _mechanisms(statement: JSONObject) -> str:
    """Mechanisms, libraries with versions, and what is done about arithmetic, timing and access."""
    libraries = ", ".join(f"{name} {version}" for name, version in statement["libraries"].items())
    return _sentences(
        f"Mechanisms: {_text(statement['implementation']['mechanisms'])}",
        f"Libraries: {libraries}" if libraries else None,
        f"Arithmetic: {_text(statement['noise_arithmetic'])}",
        f"Randomness: {_text(statement['rng'])}",
        "Timing: one release, made before anybody outside can ask for anything",
        "Access: what is computed from real rows without noise is marked INTERNAL and stays with the custodian",
    )


def _text(value: Any) -> Any:
    """A list or a record as one line; everything else as it is."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _sentences(*parts: str | None) -> str:
    return " ".join(part.rstrip(".") + "." for part in parts if part)
