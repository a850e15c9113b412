"""Models of linked tables compared: each in its process, the folder goes on where it was."""

from __future__ import annotations

import pytest
from small_hospital import SMALL, broken, small_hospital

from synthkit.errors import ArtefactError, ConfigError, TableError
from synthkit.pipeline.either_tables import compare
from synthkit.pipeline.run_config import RunConfig
from synthkit.schema.linked import LinkedSchema

SCHEMA = LinkedSchema.parse(SMALL)
QUICK = RunConfig(quick=True, units=12, draws=2, seed=1, device="cpu")


BOTH = ["timeline", "independent"]
TOO_WIDE = {"timeline": {"width": 10**15}}  # no machine has the memory, and only the training asks for it


def test_models_meet_the_same_units_and_one_that_fails_is_listed(tmp_path):
    """The one that fails comes first: the other goes on, and is not fitted twice."""
    out, tables = tmp_path / "c", small_hospital()
    made = compare(tables, SCHEMA, models=BOTH, settings=TOO_WIDE, out=out, config=QUICK)
    assert [(o.name, o.done) for o in made.outcomes] == [("timeline", False), ("independent", True)]
    failed, outcome = made.outcomes
    assert failed.reason == "its process ended with an error of its own (RuntimeError)"
    assert not failed.scores
    assert failed.reason in made.report.html
    assert not (out / "models" / "timeline").exists()
    assert len(outcome.rows) == 2
    assert outcome.broken_rows == 0
    assert outcome.rules > 10
    assert outcome.score("fidelity.integrity")["value"] == 0
    assert broken(dict(made.synthetic("independent")), units=12) == []
    assert list(made.table().columns) == ["independent"]
    assert "fidelity.integrity" in made.table().index
    assert repr(made).endswith("timeline (failed), independent)")
    for name in ("comparison.json", "report.html", "schema.yaml", "internal/roles.parquet"):
        assert (out / name).is_file()
    kept = (out / "models" / "independent" / "result.json").stat().st_mtime_ns
    again = compare(tables, SCHEMA, models=["independent"], out=out, config=QUICK)
    assert (out / "models" / "independent" / "result.json").stat().st_mtime_ns == kept
    assert again.plan == made.plan
    with pytest.raises(ConfigError, match="entrants that finished; however: `timeline`"):
        made.synthetic("timeline")
    with pytest.raises(ArtefactError, match="must go on as it began; however: rows changed"):
        compare(tables, SCHEMA, models=["independent"], out=out, config=QUICK.model_copy(update={"units": 13}))


@pytest.mark.parametrize(
    ("models", "settings", "said"),
    [
        ([], {}, "among independent, marginal, timeline; however: none is named"),
        (["ctgan"], {}, "among independent, marginal, timeline; however: `ctgan`"),
        (["timeline", "timeline"], {}, "named once; however: timeline more than once"),
        (["timeline"], {"independent": {"x": 1}}, "must belong to a model of the comparison; however: independent"),
    ],
)
def test_what_cannot_be_compared_is_refused(models, settings, said, tmp_path):
    with pytest.raises(ConfigError, match=said):
        compare(small_hospital(), SCHEMA, models=models, settings=settings, out=tmp_path / "c")


def test_too_few_units_are_refused(tmp_path):
    with pytest.raises(TableError, match="split from 40 units on; however: `patients` has 12"):
        compare(small_hospital(12), SCHEMA, models=["independent"], out=tmp_path / "c")
