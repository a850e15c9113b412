"""A policy names who answers for it; what cannot be meant is refused field by field; the examples load and say so."""

from __future__ import annotations

import json

import jsonschema
import pytest
from places import ROOT

from synthkit.errors import ConfigError
from synthkit.release.policy.limits import Policy

SCHEMAS = ROOT / "schemas"
EXAMPLES = sorted((SCHEMAS / "policies").glob("*.yaml"))
WHO = {"id": "ours-v1", "owner": "A. Custodian", "justification": "a partner under contract"}
WHOLE = {"format": "synthkit-policy/1", "policy": WHO, "membership": {"eps_lb_max": 1.0}}


def test_the_published_schema_is_up_to_date_and_says_what_each_field_is():
    """If this fails: save_json_schema("schemas/synthkit-policy-1.json", Policy.json_schema()) of schema.json_schema."""
    published = json.loads((SCHEMAS / "synthkit-policy-1.json").read_text(encoding="utf-8"))
    assert published == Policy.json_schema()
    for part in (published, *published["$defs"].values()):
        assert part["description"]
        assert all(each.get("description") for each in part["properties"].values())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_examples_keep_the_published_schema_and_misspelt_ones_do_not(path):
    data = json.loads(Policy.load(path).model_dump_json(by_alias=True))
    jsonschema.validate(data, Policy.json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "memberships": {}}, Policy.json_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_examples_load_and_say_that_they_are_examples(path):
    policy = Policy.load(path)
    assert policy.example
    assert policy.policy.id == f"{path.stem}-v1"
    assert "illustrative" in path.read_text(encoding="utf-8").splitlines()[0]


def test_there_are_three_and_the_public_one_is_strictest():
    inside, partner, public = (Policy.load(path) for path in EXAMPLES)
    limits = [p.membership.eps_lb_max for p in (inside, partner, public)]
    assert limits == sorted(limits, reverse=True)
    assert public.dp.required
    assert not partner.dp.required


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"policy": {**WHO, "owner": "  "}}, "policy.owner: must have at least 3 letters"),
        ({"policy": {k: v for k, v in WHO.items() if k != "justification"}}, "policy.justification: must be given"),
        ({"membership": {"eps_lb_max": -1}}, "membership.eps_lb_max: must be greater than 0"),
        ({"membership": {"generalisation_gap_max": -0.1}}, "membership.generalisation_gap_max: must be 0 or greater"),
        ({"membership": {"eps_max": 1}}, "membership.eps_max: is an unknown key"),
        ({"attribute": {"excess_max_upper": 5}}, "attribute.excess_max_upper: must be 1 or less"),
        ({"format": "synthkit-policy/9"}, "format: must be synthkit-policy/1"),
        ({"policy": {**WHO, "owner": "<required>"}}, "policy.owner: must be filled in by whoever"),
        ({"policy": {**WHO, "justification": "todo"}}, "policy.justification: must be filled in"),
        ({"utility": {"calibration_slope": [1.25, 0.8]}}, "utility.calibration_slope: must be the lower"),
        (
            {"utility": {"calibration_slope": [float("nan"), 1]}},
            "utility.calibration_slope.0: must be a finite number",
        ),
        ({"membership": {"tpr_at_fpr": {"fpr": 0.05, "max_upper": 0.1}}}, "must be one of the rates that are measured"),
        ({"evidence": {"draws": 0}}, "evidence.draws: must be 1 or greater"),
    ],
)
def test_every_field_that_cannot_be_meant_is_named(changed, said):
    with pytest.raises(ConfigError, match="must name its owner, its justification") as error:
        Policy.parse({**WHOLE, **changed})
    assert said in str(error.value)


def test_membership_may_only_be_left_out_on_purpose():
    with pytest.raises(ConfigError, match="membership: must be given"):
        Policy.parse({k: v for k, v in WHOLE.items() if k != "membership"})
    assert Policy.parse({**WHOLE, "membership": None}).membership is None


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="must be readable; however: No such file"):
        Policy.load(tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1, 2", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yaml must be valid YAML; however, line 1, column 9"):
        Policy.load(broken)
    empty = tmp_path / "empty.yaml"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="the file: must be a mapping"):
        Policy.load(empty)
