"""Every kind of input that is made wrong: its valid file, the way it is changed, and who reads it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from benchmarks.stress import changed_inputs as m
from benchmarks.stress import readers
from benchmarks.stress.corpus import SMALL, WHY
from benchmarks.stress.fuzz import Kind
from benchmarks.stress.readers import command
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.signature import sign
from synthkit.release.bundle.zip_archive import pack, unpack

FEW = 0.006  # share of the inputs of a model that takes long to load


def kinds(place: Path) -> dict[str, Kind]:
    """Every kind of input over the corpus that lies in `place`; what they import is loaded now, for all of them."""
    import altair  # noqa: F401
    import great_expectations  # noqa: F401

    return {**_of_tables(), **_of_documents(), **_of_models(), **_of_bundles(place), **_of_commands()}


def _of_tables() -> dict[str, Kind]:
    return {
        "schema": Kind(0.12, "schema.yaml", m.yaml_bytes, readers.schema),
        "CSV": Kind(0.16, "table.csv", m.either(m.lines, m.lines, m.by_bytes), readers.checked_table),
        "CSV, drafted": Kind(0.02, "gaps.csv", m.either(m.lines, m.by_bytes), readers.drafted),
        "Parquet, bytes": Kind(0.08, "table.parquet", m.by_bytes, readers.checked_table),
        "Parquet, footer": Kind(0.1, "table.parquet", m.at_the_end, readers.checked_table),
        "Arrow": Kind(0.05, "table.arrow", m.either(m.by_bytes, m.at_the_end), readers.checked_table),
    }


def _of_documents() -> dict[str, Kind]:
    return {
        "evaluation": Kind(0.06, "run/evaluation.json", m.json_bytes, readers.evaluation),
        "ledger": Kind(0.06, "private/ledger.json", m.json_bytes, readers.recounted),
        "policy": Kind(0.06, "policy.yaml", m.yaml_bytes, readers.policy),
        "configuration": Kind(0.05, "config.yaml", m.yaml_bytes, readers.configuration),
        "key of a watermark": Kind(0.05, "key.json", m.json_bytes, readers.key),
        "suite": Kind(0.01, "suite.json", m.json_bytes, readers.suite),
    }


def _of_models() -> dict[str, Kind]:
    tensors = m.either(m.by_bytes, m.safetensors)
    out = {}
    for name in SMALL:
        card, weights = (0.02, 0.01) if name == "independent" else (FEW, FEW)
        place = f"models/{name}"
        out[f"card of a model, {name}"] = Kind(card, f"{place}/synthesizer.json", m.json_bytes, readers.model)
        out[f"tensors of a model, {name}"] = Kind(weights, f"{place}/model.safetensors", tensors, readers.model)
    return out


def _of_bundles(place: Path) -> dict[str, Kind]:
    return {
        "archive": Kind(0.05, "bundle.zip", m.by_bytes, readers.unpacked),
        "bundle": Kind(0.01, "bundle.zip", _bundle(place), command("verify", "{file}")),
    }


def _of_commands() -> dict[str, Kind]:
    """Whole commands; `private` and `run` are run folders of the corpus."""
    gate = command("gate", "{place}/run", "--policy", "{place}/policy.yaml")
    again = ("--out", "{place}/out.zip", "--overwrite", "--although", WHY)
    model, filled = "{place}/models/independent", ("--out", "{place}/o.csv", "--overwrite")
    validated = command("validate", "{file}", "--schema", "{place}/schema.yaml")
    said = {
        "report": ("run/evaluation.json", m.json_bytes, command("report", "{place}/run")),
        "report on a statement": ("private/statement.json", m.json_bytes, command("report", "{place}/private")),
        "gate": ("run/evaluation.json", m.json_bytes, gate),
        "release": ("private/run.json", m.json_bytes, command("release", "{place}/private", *again)),
        "validate": ("table.csv", m.lines, validated),
    }
    cheap = {
        "impute": ("gaps.csv", m.lines, command("impute", model, "{file}", *filled)),
        "score": ("gaps.csv", m.lines, command("score", model, "{file}", *filled)),
        "detect": ("gaps.csv", m.lines, command("detect", "{file}", "--key", "{place}/key.json")),
    }
    both = ((0.002, said), (0.005, cheap))
    return {name: Kind(share, *each) for share, every in both for name, each in every.items()}


def _bundle(place: Path) -> Callable[[bytes, random.Random], bytes]:
    """A bundle one of whose members says something else, listed and signed as if it were whole."""

    def change(content: bytes, rng: random.Random) -> bytes:
        members = unpack(content)
        ways = {".json": m.json_bytes, ".yaml": m.yaml_bytes, ".parquet": m.either(m.by_bytes, m.at_the_end)}
        name = rng.choice([name for name in members if name != manifests.SIGNATURE])
        members[name] = ways.get(Path(name).suffix, m.by_bytes)(members[name], rng)
        if rng.random() < 0.1:
            members[rng.choice(["../x", "/x", "a\\b", "draws/", "x.parquet", "Synthetic.parquet"])] = members[name]
        if name != manifests.MANIFEST:
            said = json.loads(members[manifests.MANIFEST])
            said["members"] = [
                {**each, "bytes": len(members[each["name"]]), "sha256": sha256(members[each["name"]]).hexdigest()}
                for each in said["members"]
            ]
            members[manifests.MANIFEST] = json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"
        members[manifests.SIGNATURE] = sign(members[manifests.MANIFEST], place / "custodian.key")
        return pack(members)

    return change
