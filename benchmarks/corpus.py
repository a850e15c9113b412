"""One valid file of every format synthkit reads, made from a table every cell of which can be told in a message."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import mutating as m
import numpy as np
import pandas as pd
from fuzz import Kind

SCHEMA = {
    "name": "toy",
    "columns": {
        "id": {"kind": "identifier"},
        "name": {"kind": "code"},
        "age": {"kind": "numeric", "min": 9e9, "max": 9.9e9, "decimals": 0},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "crea": {"kind": "numeric", "nullable": True},
        "icd": {"kind": "code", "pattern": "[A-Z]+-[A-Z][0-9]+"},
        "admitted": {"kind": "datetime", "min": "2019-01-01", "max": "2021-12-31"},
        "dead": {"kind": "boolean"},
    },
    "targets": [{"column": "dead", "task": "binary", "positive": True}],
    "quasi_identifiers": ["sex"],
    "rules": [{"rule": "implication", "if": {"dead": {"in": [True]}}, "then": {"sex": {"in": ["f", "m"]}}}],
}
SMALL = {
    "independent": {},
    "marginal": {},
    "autoregressive": {"steps": 5, "width": 8, "hidden": 4, "batch_size": 16},
    "tvae": {"steps": 5},
    "ctgan": {"steps": 5},
    "diffusion": {"steps": 5},
}
CONFIGURATION = "model: independent\ndraws: 2\nseed: 3\nmissing: [NA]\nsettings: {}\n"
WHY = "made up for a test of readers"
LAST = "policy.yaml"  # is written last


def table(rows: int = 60) -> pd.DataFrame:
    """People whose every text begins with one word and whose every number with one of two."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": [f"QZSENTINEL{k:04d}" for k in range(rows)],
            "name": rng.choice([f"QZSENTINEL name {k}" for k in range(9)], rows),
            "age": 9182736000 + rng.integers(18, 95, rows),
            "sex": rng.choice(["f", "m"], rows),
            "crea": np.where(rng.random(rows) < 0.2, np.nan, 7364519 + rng.random(rows).round(3)),
            "icd": [f"QZSENTINEL-{chr(65 + k % 5)}{k % 7}" for k in range(rows)],
            "admitted": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 365, rows), unit="D"),
            "dead": rng.random(rows) < 0.4,
        }
    )


def build(place: Path) -> None:
    """Write the corpus; takes a minute."""
    from synthkit import RunConfig, synthesize
    from synthkit.release.bundle.build_bundle import release
    from synthkit.release.bundle.signature import keygen
    from synthkit.schema import Schema
    from synthkit.schema.expectation_suite import expectation_suite
    from synthkit.synthesizer.synthesizer import Synthesizer
    from synthkit.tables import table_files
    from synthkit.watermark import WatermarkKey

    schema, frame = Schema(**SCHEMA), table()
    schema.save(place / "schema.yaml")
    for name in ("table.csv", "table.parquet", "table.arrow"):
        table_files.write(frame, place / name, mark={"content": "synthetic"})
    synthesize(frame, schema, seed=1, config=RunConfig(model="independent", quick=True)).save(place / "run")
    asked = RunConfig(model="marginal", quick=True, epsilon=3.0, delta=1e-4, ledger=place / "table.ledger.json")
    synthesize(frame, _declared(), seed=1, config=asked).save(place / "private")
    for name, settings in SMALL.items():
        Synthesizer(schema, name, settings=settings).fit(frame, seed=1).save(place / "models" / name)
    keygen(place / "custodian")
    release(place / "private", place / "bundle.zip", key=place / "custodian.key", although=WHY)
    WatermarkKey.new(schema).save(place / "key.json")
    (place / "suite.json").write_text(
        json.dumps(expectation_suite(Schema(columns={"age": {"kind": "numeric", "min": 0}})))
    )
    (place / "config.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (place / "gaps.csv").write_bytes((place / "table.csv").read_bytes())
    shutil.copyfile(policy(), place / LAST)


def policy() -> Path:
    """An example of a policy that comes with the package."""
    return next(iter(sorted(Path(__file__).parent.parent.rglob("internal-research.yaml"))))


def _declared() -> Any:
    """The schema with a declarer of everything, as a budget asks."""
    from synthkit.schema import Schema

    said = json.loads(json.dumps(SCHEMA))
    said["declared_by"] = "A. Custodian: made up"
    said["columns"]["crea"] |= {"min": 0, "max": 1e7, "decimals": 3}
    said["columns"]["name"]["levels"] = [f"QZSENTINEL name {k}" for k in range(9)]
    said["columns"]["icd"]["levels"] = [f"QZSENTINEL-{chr(65 + k)}{j}" for k in range(5) for j in range(7)]
    return Schema(**said)


def command(*words: str) -> Callable[[Path], str]:
    """What the command line prints; `{file}` stands for the changed file, `{place}` for the corpus.

    A refusal is raised again, with everything that was printed as its message.
    """

    def read(path: Path) -> str:
        from synthkit.cli.app import REFUSED, app
        from synthkit.errors import SynthkitError

        place = next(each for each in path.parents if (each / "schema.yaml").exists() and (each / "models").exists())
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            try:
                code = app([word.format(file=path, place=place) for word in words], standalone_mode=False)
            except SystemExit as error:
                code = error.code
        if code == REFUSED:
            raise SynthkitError(said.getvalue())
        return said.getvalue()

    return read


def _schema(path: Path) -> object:
    from synthkit.schema import Schema
    from synthkit.schema.conform import conform
    from synthkit.schema.expectation_suite import expectation_suite, helper_columns

    schema = Schema.load(path)
    assert Schema.loads(schema.dumps()) == schema
    expectation_suite(schema)
    return helper_columns(conform(table(6), schema), schema)


def _table(path: Path) -> object:
    from synthkit import RunConfig
    from synthkit.io.provenance_marks import read_mark
    from synthkit.pipeline.load_table import load_mapped_table, read_raw
    from synthkit.schema import Schema
    from synthkit.schema.conform import conform
    from synthkit.schema.typed_columns import check_structure
    from synthkit.tables import table_files

    schema = Schema(**SCHEMA)
    if not table_files.is_text(path):
        read_mark(path)
    raw = read_raw(path, RunConfig())
    load_mapped_table(path, schema, RunConfig(epsilon=1.0, delta=1e-6))
    check_structure(raw, schema)
    return conform(raw, schema)


def _drafted(path: Path) -> object:
    from synthkit.schema.infer.draft import infer_schema
    from synthkit.tables import table_files

    return infer_schema(table_files.read(path).frame())


def _model(path: Path) -> object:
    from synthkit.synthesizer.model_files import lawful
    from synthkit.synthesizer.synthesizer import Synthesizer

    folder = next(each for each in path.parents if (each / "synthesizer.json").exists())
    loaded = Synthesizer.load(folder, device="cpu")
    with lawful(folder):
        return loaded.sample(2, seed=1)


def _bundle(place: Path) -> Callable[[bytes, random.Random], bytes]:
    """A bundle one of whose members says something else, listed and signed as if it were whole."""

    def change(content: bytes, rng: random.Random) -> bytes:
        from synthkit.release.bundle import manifest as manifests
        from synthkit.release.bundle.signature import sign
        from synthkit.release.bundle.zip_archive import pack, unpack

        members = unpack(content)
        ways = {".json": m.json_bytes, ".yaml": m.yaml_bytes, ".parquet": m.either(m.by_bytes, m.at_the_end)}
        name = rng.choice([name for name in members if name != manifests.SIGNATURE])
        members[name] = ways.get(Path(name).suffix, m.by_bytes)(members[name], rng)
        if rng.random() < 0.1:
            members[rng.choice(["../x", "/x", "a\\b", "draws/", "x.parquet", "Synthetic.parquet"])] = members[name]
        if name != manifests.NAME:
            said = json.loads(members[manifests.NAME])
            said["members"] = [
                {**each, "bytes": len(members[each["name"]]), "sha256": sha256(members[each["name"]]).hexdigest()}
                for each in said["members"]
            ]
            members[manifests.NAME] = json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"
        members[manifests.SIGNATURE] = sign(members[manifests.NAME], place / "custodian.key")
        return pack(members)

    return change


def kinds(place: Path) -> dict[str, Kind]:
    """Every kind of input over the corpus that `build` wrote; what they import is loaded now, for all of them."""
    import altair  # noqa: F401
    import great_expectations  # noqa: F401

    import synthkit.synthesizer.synthesizer  # noqa: F401
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.privacy.accounting.verify_ledger import LedgerVerification
    from synthkit.release import run_folder as folder
    from synthkit.release.policy.limits import Policy
    from synthkit.schema.validation import validate
    from synthkit.watermark import WatermarkKey

    def recounted(path: Path) -> object:
        return LedgerVerification.of(path).to_dict()

    def extra(path: Path) -> object:
        return validate(table(6).iloc[:0], _only_age(), extra=path)

    models = {
        f"{what}, {name}": Kind(share, f"models/{name}/{file}", change, _model)
        for name in SMALL
        for what, share, file, change in (
            ("card of a model", 0.02 if name == "independent" else 0.006, "synthesizer.json", m.json_bytes),
            (
                "tensors of a model",
                0.01 if name == "independent" else 0.006,
                "model.safetensors",
                m.either(m.by_bytes, m.safetensors),
            ),
        )
    }
    return {
        "schema": Kind(0.12, "schema.yaml", m.yaml_bytes, _schema),
        "CSV": Kind(0.16, "table.csv", m.either(m.lines, m.lines, m.by_bytes), _table),
        "CSV, drafted": Kind(0.02, "gaps.csv", m.either(m.lines, m.by_bytes), _drafted),
        "Parquet, bytes": Kind(0.08, "table.parquet", m.by_bytes, _table),
        "Parquet, footer": Kind(0.1, "table.parquet", m.at_the_end, _table),
        "Arrow": Kind(0.05, "table.arrow", m.either(m.by_bytes, m.at_the_end), _table),
        "evaluation": Kind(0.06, "run/evaluation.json", m.json_bytes, lambda path: folder.evaluation(path.parent)),
        "ledger": Kind(0.06, "private/ledger.json", m.json_bytes, recounted),
        "policy": Kind(0.06, "policy.yaml", m.yaml_bytes, Policy.load),
        "configuration": Kind(0.05, "config.yaml", m.yaml_bytes, lambda path: RunConfig.of(path).budget),
        "key of a watermark": Kind(0.05, "key.json", m.json_bytes, WatermarkKey.load),
        "suite": Kind(0.01, "suite.json", m.json_bytes, extra),
        **models,
        "archive": Kind(0.05, "bundle.zip", m.by_bytes, _unpacked),
        "bundle": Kind(0.01, "bundle.zip", _bundle(place), command("verify", "{file}")),
        "report": Kind(0.002, "run/evaluation.json", m.json_bytes, command("report", "{place}/run")),
        "report on a statement": Kind(
            0.002, "private/statement.json", m.json_bytes, command("report", "{place}/private")
        ),
        "gate": Kind(
            0.002,
            "run/evaluation.json",
            m.json_bytes,
            command("gate", "{place}/run", "--policy", "{place}/policy.yaml"),
        ),
        "release": Kind(
            0.002,
            "private/run.json",
            m.json_bytes,
            command("release", "{place}/private", "--out", "{place}/out.zip", "--overwrite", "--although", WHY),
        ),
        "validate": Kind(0.002, "table.csv", m.lines, command("validate", "{file}", "--schema", "{place}/schema.yaml")),
        "impute": Kind(
            0.005,
            "gaps.csv",
            m.lines,
            command("impute", "{place}/models/independent", "{file}", "--out", "{place}/o.csv", "--overwrite"),
        ),
        "score": Kind(
            0.005,
            "gaps.csv",
            m.lines,
            command("score", "{place}/models/independent", "{file}", "--out", "{place}/o.csv", "--overwrite"),
        ),
        "detect": Kind(0.005, "gaps.csv", m.lines, command("detect", "{file}", "--key", "{place}/key.json")),
    }


def _only_age() -> Any:
    from synthkit.schema import Schema

    return Schema(columns={name: {"kind": "code", "nullable": True} for name in SCHEMA["columns"]})


def _unpacked(path: Path) -> object:
    from synthkit.release.bundle.zip_archive import unpack

    return unpack(path.read_bytes())
