"""The pages say what the code does: settings, scores, files, commands, the README's example, links."""

from __future__ import annotations

import dataclasses
import importlib.util
import pydoc
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from places import ROOT

import synthkit as sk
from synthkit.cli import audit
from synthkit.cli.app import app
from synthkit.cli.lazy_commands import COMMAND_PLUGINS
from synthkit.data import support2, support2_schema
from synthkit.encoding import raking_margins as targets
from synthkit.encoding.codecs.codec_registry import CODEC_PLUGINS
from synthkit.encoding.coding import Coding
from synthkit.metrics import result
from synthkit.metrics.metric_registry import METRIC_PLUGINS, metrics_of
from synthkit.metrics.utility.user_baselines import USER_BASELINE_LABELS
from synthkit.models.autoregressive.config import AutoregressiveConfig
from synthkit.models.ctgan.config import CTGANConfig
from synthkit.models.diffusion.config import DiffusionConfig
from synthkit.models.registry import MODEL_PLUGINS, MODELS
from synthkit.models.timeline.config import TimelineConfig
from synthkit.models.tvae.model import TVAEConfig
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.models.unit_registry import UNIT_MODELS
from synthkit.pipeline import run_info
from synthkit.pipeline.compare import model_result, setup
from synthkit.pipeline.review.blind_review import REVIEW_KEY_FORMAT
from synthkit.planning import cohort_planner, linked_outlook, outlook
from synthkit.privacy import statement
from synthkit.privacy.accounting import ledger_file, verify_ledger
from synthkit.release import run_folder
from synthkit.release.bundle import manifest, release_register, withdrawal_notice
from synthkit.release.bundle.build_bundle import COMMITMENTS_FORMAT
from synthkit.release.policy import gate_decision, limits
from synthkit.report import json_export
from synthkit.report.section_registry import SECTIONS_GROUP
from synthkit.schema import violations
from synthkit.schema.linked.linked_schema import LINKED_FORMAT
from synthkit.schema.linked.linked_validation import LINKED_VALIDATION_FORMAT
from synthkit.synthesizer import checkpoints, model_files
from synthkit.tables.linked_files import TABLES_FORMAT
from synthkit.training.loop import TrainingPlan
from synthkit.watermark import detection, key, unit_detection, unit_key

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
TEXT = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
ENTRY_POINTS = {MODEL_PLUGINS, CODEC_PLUGINS, METRIC_PLUGINS, SECTIONS_GROUP, COMMAND_PLUGINS}
EXAMPLES = {"package.module.Class"}  # names that stand for a user's own
EXAMPLE = re.search(r"^```python\n(.*?)^```", TEXT["README.md"], flags=re.MULTILINE | re.DOTALL)[1]


def table(page: str, heading: str) -> dict[str, str]:
    """First two cells of the rows of the table whose first heading is this; the first cell is code."""
    body = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT[page], flags=re.MULTILINE)[1]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in body.splitlines()]
    return {row[0].strip("| `"): row[1] for row in cells}


def defaults(record: type) -> dict[str, str]:
    return {f.name: str(f.default) for f in dataclasses.fields(record) if f.default is not dataclasses.MISSING}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[sk.Run, Path]:
    """What the README's example makes of 1,100 patients, with the fast model and a quick evaluation."""
    code = EXAMPLE
    here = tmp_path_factory.mktemp("readme") / "release"
    small = ', config=sk.RunConfig(model="independent", quick=True)'
    for said, meant in [
        ("support2(), ", "support2().head(1_100), "),
        ("seed=1", f"seed=1{small}"),
        ('"release"', repr(str(here))),
    ]:
        assert code.count(said) == 1, said
        code = code.replace(said, meant)
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    assert (names["deaths"]["hospdead"] == 1).all()
    assert len(names["deaths"]) == 100
    return names["run"], here


@pytest.mark.parametrize(
    ("heading", "record"),
    [
        ("setting", AutoregressiveConfig),
        ("ctgan setting", CTGANConfig),
        ("diffusion setting", DiffusionConfig),
        ("tvae setting", TVAEConfig),
        ("timeline setting", TimelineConfig),
        ("linked marginal setting", UnitMarginalConfig),
        ("coding", Coding),
        ("plan", TrainingPlan),
    ],
    ids=str,
)
def test_settings_and_their_defaults(heading, record):
    assert table("docs/models.md", heading) == defaults(record)


def test_settings_of_timeline_under_a_budget():
    said = table("docs/models.md", "timeline private setting")
    assert said == {name: str(value) for name, value in TimelineConfig.PRIVATE_DEFAULTS.items()}


def test_settings_left_open_are_settled_as_the_page_says():
    """Numbers in the meaning of `dropout`, `weight_decay` and `steps` are those a fit comes to."""
    page = TEXT["docs/models.md"]
    choice = r"if not given ([\d.]+), or ([\d.]+) below ([\d,]+) rows"
    for name in ("dropout", "weight_decay"):
        usual, firm, rows = re.search(rf"^\| `{name}` .* {choice}", page, flags=re.MULTILINE).groups()
        edge = int(rows.replace(",", ""))
        assert getattr(AutoregressiveConfig().settled(edge), name) == float(usual)
        assert getattr(AutoregressiveConfig().settled(edge - 1), name) == float(firm)
    found = re.search(
        r"`steps` .* if not given (\d+) epochs, (\d+) below ([\d,]+) rows, at least ([\d,]+) and at most "
        r"([\d,]+) steps, and at least (\d+) from",
        page,
    )
    usual, small, edge, least, most, more = (int(x.replace(",", "")) for x in found.groups())
    assert AutoregressiveConfig(batch_size=10**6).settled(edge).steps == more
    open_ = AutoregressiveConfig(batch_size=100)
    assert (AutoregressiveConfig().settled(1).steps, AutoregressiveConfig().settled(10**9).steps) == (least, most)
    assert open_.settled(edge).steps == min(edge * usual // 100, most)
    assert open_.settled(1000).steps == 1000 * small // 100


def test_every_model_has_a_section():
    assert set(table("docs/models.md", "model")) == set(MODELS)
    sections = set(re.findall(r"^## (\w+)$", TEXT["docs/models.md"], flags=re.MULTILINE))
    assert {*MODELS, *UNIT_MODELS} <= sections


def test_every_score_is_explained_and_no_other(run):
    """A quick one has no learning curve and no LightGBM, which is looked up among the metrics; no counts are given."""
    page = TEXT["docs/evaluation.md"]
    first_cells = "\n".join(re.findall(r"^\| (`.*?`) \|", page, flags=re.MULTILINE))
    targets = "|".join(re.escape(target.column) for target in support2_schema().targets)
    secrets = "|".join(map(re.escape, support2_schema().secrets))
    found = run[0].evaluation
    emitted = {
        re.sub(rf"^utility\.({targets})\.", "utility.<target>.", each.metric)
        for each in (*found.scores, *found.failures)  # too few people for a rate of one in a thousand
    }
    emitted = {re.sub(rf"^attribute\.({secrets})\.\w+\.", "attribute.<secret>.<known>.", metric) for metric in emitted}
    emitted = {re.sub(rf"\.disclosive\.({secrets})$", ".disclosive.<secret>", metric) for metric in emitted}
    emitted = {re.sub(r"^copying\.excess\.\w+$", "copying.excess.<set>", metric) for metric in emitted}
    emitted |= {"fidelity.c2st_lightgbm"} if importlib.util.find_spec("lightgbm") is None else set()
    emitted |= {name for name in metrics_of(support2_schema()) if name == "fidelity.c2st_lightgbm"}
    emitted |= {"utility.<target>.equivalent_sample_size", "identity.meaningful"}
    emitted |= {f"utility.<target>.<name>.{score}" for score in USER_BASELINE_LABELS}
    assert set(re.findall(r"`([\w.<>]+)`", first_cells)) == emitted


def test_the_files_of_a_run_folder(run):
    """Files that only some runs leave are named as such."""
    _, here = run
    documented = set(table("docs/privacy.md", "file"))
    only_some = {"draws/", "synthetic/", "internal/clamped.json", "internal/refits.parquet", "internal/sibling/"}
    left = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
    left = {"model/" if name.startswith("model/") else name for name in left}
    assert documented - only_some == left
    inside = (run_folder.CLAMPED, run_folder.REFITS, f"{run_folder.SIBLING}/")
    folders = {f"{name}/" for name in (run_folder.DRAWS_FOLDER, run_folder.SYNTHETIC_FOLDER)}
    assert only_some == folders | {*(f"{run_folder.INTERNAL_FOLDER}/{name}" for name in inside)}
    assert {model_files.MODEL_CARD, model_files.TENSORS} == {path.name for path in (here / run_folder.MODEL).iterdir()}
    for name in left - {"model/"}:
        assert Path(name).name in TEXT["docs/architecture.md"], name


def test_formats_on_disk():
    formats = set(table("docs/architecture.md", "format"))
    modules = (model_files, checkpoints, setup, targets, ledger_file, model_result, result, run_info, violations)
    modules += (statement, outlook, linked_outlook, cohort_planner)
    modules += (audit, verify_ledger, key, detection, json_export, gate_decision, limits, manifest)
    modules += (release_register, withdrawal_notice, unit_key, unit_detection)
    linked = {LINKED_FORMAT, LINKED_VALIDATION_FORMAT, TABLES_FORMAT, REVIEW_KEY_FORMAT}
    assert formats == {m.FORMAT for m in modules} | {support2_schema().format, COMMITMENTS_FORMAT} | linked


def test_what_the_ledger_says(run):
    """The two kinds of charges that docs/privacy.md quotes, an infinite epsilon, and null for it in the file.

    `independent` trains on no row; a model that does is fitted beside it.
    """
    spent = run[0].ledger
    trained = sk.Ledger.unlimited(unit=None)
    smallest = sk.Synthesizer(support2_schema(), "autoregressive", settings={"steps": 1, "width": 8, "hidden": 4})
    smallest.fit(support2().head(300), seed=1, ledger=trained)
    histograms, training = re.search(
        r"one a coded column \(`(.*?)`\), one for the training \(`(.*?)`", TEXT["docs/privacy.md"]
    ).groups()
    assert histograms in {c.what for c in spent.charges}
    assert training not in {c.what for c in spent.charges}
    assert {c.what for c in trained.charges} >= {histograms, training}
    assert {c.spent.kind for c in (*spent.charges, *trained.charges)} == {"non-private"}
    assert spent.epsilon() == float("inf")
    assert spent.to_dict()["epsilon"] is None


def commands() -> dict[str, set[str]]:
    """Flags by command."""
    group = typer.main.get_command(app)
    return {name: {flag for p in c.params for flag in p.opts} for name, c in group.commands.items()}


def test_command_lines_name_commands_and_flags_that_exist():
    lines = re.findall(r"^synthkit ([\w-]+)(.*)$", TEXT["README.md"], flags=re.MULTILINE)
    assert {name for name, _ in lines} == set(commands()) - {"demo"}
    for name, rest in lines:
        assert set(re.findall(r"(?<!\S)(--?[a-z][\w-]*)", rest.split("  #")[0])) <= commands()[name], name


def test_commands_and_flags_named_in_prose_exist():
    pages = "\n".join(text for name, text in TEXT.items() if name != "docs/cli.md")
    assert set(re.findall(r"`synthkit ([a-z][\w-]*)", pages)) <= set(commands())
    flags = {flag for mine in commands().values() for flag in mine}
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").rglob("*.py"))
    flags |= set(re.findall(r'add_argument\("(--[a-z][\w-]*)', scripts))
    assert set(re.findall(r"`(--[a-z][\w-]*)", pages)) <= flags | {"--help"}


def test_make_targets_exist():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", "\n".join(TEXT.values()), flags=re.MULTILINE))
    assert {"demo", "test", "check"} <= named <= targets


def test_python_names_exist():
    """Dotted names of the package in backticks can be looked up; other such names are groups of entry points."""
    assert set(re.findall(r"`(synthkit\.\w+)` \| `tests/", TEXT["docs/extending/README.md"])) == ENTRY_POINTS
    for name in set(re.findall(r"`(synthkit(?:\.\w+)+)`", "\n".join(TEXT.values()))) - ENTRY_POINTS:
        assert pydoc.locate(name) is not None, name


def test_modules_that_docstrings_and_comments_name_exist():
    """`module.name` in backticks: where the first word is a room, or the name is a class, both can be looked up."""
    code = {path: path.read_text(encoding="utf-8") for path in (ROOT / "synthkit").rglob("*.py")}
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in code}
    rooms = {name.split(".")[1] for name in modules if "." in name}
    wrong = []
    for path, text in code.items():
        for name in set(re.findall(r"(?<!:)`((?:[a-z_]+\.)+\w+)`", text)) - ENTRY_POINTS:
            first, last = name.removeprefix("synthkit.").split(".")[0], name.rsplit(".", 1)[-1]
            if name.endswith((".json", ".txt")) or not (first in rooms or last[0].isupper()):
                continue
            homes = [m for m in modules if f".{m}".endswith(f".{name.rpartition('.')[0]}")]
            if not any(pydoc.locate(f"{m}.{last}") for m in homes) and name.removeprefix("synthkit.") not in EXAMPLES:
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert wrong == []


def test_paths_of_the_repository_exist():
    """Files and folders of the repository in backticks are there; those of a run folder are tested above."""
    for name in set(re.findall(r"`((?:synthkit|tests|schemas|benchmarks|docs)/[\w./-]*)`", "\n".join(TEXT.values()))):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", TEXT)
def test_links_lead_somewhere(page):
    """Relative links end at a file that is there, and at a heading of it if they name one."""
    prose = re.sub(r"^```.*?^```", "", TEXT[page], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}, target


def test_every_page_is_found_from_the_readme():
    """Those of worked examples from their index."""
    linked = set(re.findall(r"\]\(([^)#]+)\)", TEXT["README.md"]))
    index = "docs/extending/README.md"
    linked |= {f"docs/extending/{name}" for name in re.findall(r"\]\(([^)#]+)\)", TEXT[index]) if index in linked}
    assert set(TEXT) - {"README.md"} <= linked


def test_the_readme_stays_short():
    assert len(TEXT["README.md"].splitlines()) < 130


def test_the_picture_is_drawn_from_itself_alone():
    """A well-formed SVG with a title and a description, which asks for nothing outside itself."""
    text = (ROOT / "docs" / "picture.svg").read_text(encoding="utf-8")
    names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
    assert {"title", "desc"} <= names
    assert not names & {"image", "script", "use"}
    assert set(re.findall(r"https?://[^\"\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "prefers-color-scheme: dark" in text


def test_the_notice_names_the_data_in_the_package():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for path in (ROOT / "synthkit" / "data").glob("*.parquet"):
        assert path.relative_to(ROOT).as_posix() in notice
    assert support2_schema().licence in notice
