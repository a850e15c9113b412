"""The ground a comparison stands on: one plan and one split for all models, kept so that it can go on."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import ArtefactError, ConfigError, SchemaError, TableError
from synthkit.io.atomic_files import check_folder, replacing
from synthkit.io.json_types import JSONDict, JSONObject
from synthkit.pipeline import run_info
from synthkit.pipeline.compare.model_result import RESULT, ModelResult
from synthkit.pipeline.linked.linked_facts import linked_facts
from synthkit.pipeline.split import Split, split
from synthkit.release import run_folder as folder
from synthkit.report import Report
from synthkit.runtime.seeds import system_generator
from synthkit.schema import Schema
from synthkit.schema.linked.either_schema import load_either
from synthkit.tables import table_files

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema.linked import LinkedSchema

FORMAT = "synthkit-comparison/1"
ENTRANTS = "models"


@dataclass(frozen=True, kw_only=True)
class ComparisonPlan:
    """What all models share, and a comparison that goes on must share with its beginning.

    Args:
        seed: root of every random choice but roles and coins.
        train: rows fitted on.
        holdout: rows held out.
        rows: synthetic rows a draw.
        draws: synthetic tables of each model.
        quick: whether to evaluate on samples.
    """

    seed: int
    train: int
    holdout: int
    rows: int
    draws: int
    quick: bool

    @classmethod
    def of(cls, parts: Split, config: RunConfig, *, seed: int) -> ComparisonPlan:
        """The plan for a split, as asked for."""
        train = int(parts.train.sum())
        return cls(
            seed=seed if config.seed is None else config.seed,
            train=train,
            holdout=int(parts.holdout.sum()),
            rows=config.rows or train,
            draws=config.draws,
            quick=config.quick,
        )


@dataclass(frozen=True, kw_only=True)
class ComparisonSetup:
    """A folder with the plan and the split of a comparison.

    Args:
        folder: where everything is kept.
        schema: meaning of the table.
        plan: what all models share.
        parts: who of the table is fitted on; INTERNAL.
        linked: meaning of all tables, where the table is that of the units of linked ones.
    """

    folder: Path
    schema: Schema
    plan: ComparisonPlan
    parts: Split
    linked: LinkedSchema | None = None

    @staticmethod
    def place(path: Path, name: str) -> Path:
        """The folder of a model."""
        return path / ENTRANTS / name

    @staticmethod
    def check(path: Path) -> None:
        """Refuse a place before any work is done for it.

        Raises:
            ArtefactError: it is not empty and no comparison's, is a file, or cannot be written to.
        """
        check_folder(path, overwrite=True, marks=(folder.COMPARISON,))

    @classmethod
    def of(
        cls,
        path: Path,
        frame: pd.DataFrame,
        schema: Schema,
        config: RunConfig,
        *,
        anew: bool,
        linked: LinkedSchema | None = None,
    ) -> ComparisonSetup:
        """Go on with the comparison in a folder, or begin one.

        Args:
            path: the folder.
            frame: the table, in canonical dtypes.
            schema: its meaning.
            config: seed, rows, draws and quick.
            anew: whether what is there is removed.
            linked: meaning of all tables, where the table is that of the units of linked ones.

        Raises:
            ArtefactError: the folder holds a comparison of another table, schema or plan, or is damaged.
        """
        if anew or not (path / folder.COMPARISON).exists():
            return cls._begun(path, frame, schema, config, linked)
        return cls._resumed(path, frame, schema, config, linked)

    @classmethod
    def _begun(
        cls, path: Path, frame: pd.DataFrame, schema: Schema, config: RunConfig, linked: LinkedSchema | None
    ) -> ComparisonSetup:
        parts = split(frame, schema, system_generator())
        plan = ComparisonPlan.of(parts, config, seed=secrets.randbits(31))
        if (path / ENTRANTS).exists():
            shutil.rmtree(path / ENTRANTS)
        (path / folder.INTERNAL_FOLDER).mkdir(parents=True, exist_ok=True)
        (path / folder.REPORT_FILE).unlink(missing_ok=True)
        out = cls(folder=path, schema=schema, plan=plan, parts=parts, linked=linked)
        out._keep([], "")  # from now on the folder is known as a comparison's
        (linked or schema).save(path / folder.SCHEMA_FILE)
        table_files.write(parts.roles, path / folder.INTERNAL_FOLDER / folder.ROLES_FILE)
        return out

    @classmethod
    def _resumed(
        cls, path: Path, frame: pd.DataFrame, schema: Schema, config: RunConfig, linked: LinkedSchema | None
    ) -> ComparisonSetup:
        try:
            plan = ComparisonPlan(**read(path)["plan"])
            before = load_either(path / folder.SCHEMA_FILE)
            parts = Split.from_roles(
                frame, schema, table_files.read(path / folder.INTERNAL_FOLDER / folder.ROLES_FILE).frame()
            )
        except (TableError, SchemaError, KeyError, TypeError) as error:
            msg = (
                f"{path} must hold a comparison of this table; however: its roles do not fit, or a file is damaged "
                f"({type(error).__name__}). Choose another folder, or say --overwrite to begin anew"
            )
            raise ArtefactError(msg) from error
        asked = ComparisonPlan.of(parts, config, seed=plan.seed)
        other = [key for key, value in asdict(plan).items() if getattr(asked, key) != value]
        other += ["schema"] if before != (linked or schema) else []
        if other:
            msg = (
                f"{path} must go on as it began; however: {', '.join(other)} changed. "
                "Ask for the same again, choose another folder, or say --overwrite to begin anew"
            )
            raise ArtefactError(msg)
        return cls(folder=path, schema=schema, plan=plan, parts=parts, linked=linked)

    def finished(self, name: str, settings: JSONObject) -> ModelResult | None:
        """The outcome of a model that is done; None if it is still to be fitted.

        Raises:
            ArtefactError: it was fitted with other settings, or its outcome is damaged.
        """
        path = self.place(self.folder, name) / RESULT
        if not path.exists():
            return None
        outcome = ModelResult.read(path)
        if outcome.settings != json.loads(json.dumps(dict(settings))):
            msg = (
                f"`{name}` must be compared with the settings it was fitted with; however: they changed. "
                f"Remove {path.parent}, or say --overwrite to begin anew"
            )
            raise ArtefactError(msg)
        return outcome

    def tell(self, outcomes: Sequence[ModelResult], source: str) -> Report:
        """Write comparison.json and the page on these outcomes."""
        page = folder.comparison_page(self._keep(outcomes, source))
        page.save(self.folder / folder.REPORT_FILE)
        return page

    def _keep(self, outcomes: Sequence[ModelResult], source: str) -> JSONDict:
        plan = asdict(self.plan)
        if self.linked is None:
            facts = run_info.facts(self.schema, source, {}, plan=plan)
        else:
            facts = linked_facts(self.linked, source, {}, plan=plan)
        data = {
            **facts,
            "format": FORMAT,
            "entrants": [json.loads(outcome.to_json()) for outcome in outcomes],
        }
        with replacing(self.folder / folder.COMPARISON) as temporary:
            temporary.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
        return data


def read(path: Path) -> JSONDict:
    """The content of comparison.json in a folder.

    Raises:
        ArtefactError: it is not there, or damaged.
    """
    data = folder.plain_data(path / folder.COMPARISON)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        msg = (
            f"{path / folder.COMPARISON} must have format {FORMAT}; however: it has not. Say --overwrite to begin anew"
        )
        raise ArtefactError(msg)
    return data


def refuse_unclear(models: Sequence[str], settings: JSONObject, plain: Collection[str] = ()) -> None:
    """Refuse models named twice, and settings of nobody.

    Args:
        models: who is compared.
        settings: by model.
        plain: further names that settings may go by.

    Raises:
        ConfigError: a model is named twice, or settings are of none of them.
    """
    twice = sorted({name for name in models if list(models).count(name) > 1})
    if twice:
        msg = f"each model must be named once; however: {', '.join(twice)} more than once. Remove the repetition"
        raise ConfigError(msg)
    idle = sorted({*settings} - {*models} - {*plain})
    if idle:
        msg = f"settings must belong to a model of the comparison; however: {', '.join(idle)}. Name it under models too"
        raise ConfigError(msg)
