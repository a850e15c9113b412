"""A page as one self-contained HTML file: no script, no network, inline SVG and CSS; and the report that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from html import escape
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import ArtefactError
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import MALFORMED_DATA_ERRORS
from synthkit.report.section_spec import OWN_PACKAGE

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from synthkit.io.json_types import JSON
    from synthkit.metrics.result import Evaluation
    from synthkit.report.audience import Tier
    from synthkit.report.inputs import GateJson, LedgerJson, StatementJson, ValidationJson
    from synthkit.report.records import Figure, Page
    from synthkit.report.section_spec import AnySection
    from synthkit.schema import Schema


LINKED_KIND = "Synthetic data report on linked tables"  # of a page, which says what its sections are


@dataclass(frozen=True)
class Report:
    """A page for people; the same numbers are in evaluation.json.

    Args:
        html: the whole page.
        document: what the page is drawn from, as plain data in the format `synthkit-report/1`; none of a comparison.
    """

    html: str = field(repr=False)
    document: Mapping[str, JSON] = field(default_factory=dict, repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, whole or not at all."""
        path = Path(path)
        with replacing(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return path

    def save_json(self, path: str | Path) -> Path:
        """Write what the page says as JSON, whole or not at all."""
        path = Path(path)
        with replacing(path) as temporary:
            temporary.write_text(dumps(self.document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    def save_pdf(self, path: str | Path) -> Path:
        """Write the page as PDF, whole or not at all.

        Raises:
            ArtefactError: WeasyPrint is not installed.
        """
        from synthkit.report.pdf import write_pdf

        return write_pdf(self.html, path)

    def _repr_html_(self) -> str:
        """The page in a frame of its own: its style cannot touch the notebook, and it may run no script."""
        return (
            f'<iframe title="Synthetic data report" sandbox="" srcdoc="{escape(self.html)}" '
            'style="width:100%;height:720px;border:1px solid #8884;border-radius:6px"></iframe>'
        )


def build(
    evaluation: Evaluation,
    *,
    ledger: LedgerJson | None = None,
    schema: Schema | None = None,
    validation: Mapping[str, ValidationJson] | None = None,
    statement: StatementJson | None = None,
    gate: GateJson | None = None,
    hashes: Mapping[str, str] | None = None,
    tier: Tier = "internal",
) -> Report:
    """The report on an evaluation; arguments as for `synthkit.report.view_model.page_data`."""
    from synthkit.report.json_export import to_json, with_pointers
    from synthkit.report.section_registry import section_registry
    from synthkit.report.view_model import page_data

    page = page_data(
        evaluation,
        ledger=ledger,
        schema=schema,
        validation=validation,
        statement=statement,
        gate=gate,
        hashes=hashes,
        tier=tier,
    )
    document = to_json(page)
    return Report(render(with_pointers(document), section_registry()), document)


def redraw(document: Mapping[str, JSON]) -> str:
    """The page of a report's JSON: byte for byte the same wherever it is drawn by the same versions.

    Raises:
        ArtefactError: it is not what a page is drawn from, or has a section that is not installed.
    """
    from synthkit.report.json_export import with_pointers
    from synthkit.report.linked_section_registry import linked_sections
    from synthkit.report.section_registry import outside_sections, section_registry

    try:
        page = with_pointers(document)
        if page["kind"] == LINKED_KIND:
            return render(page, linked_sections())
        brought = outside_sections(str(section["id"]) for section in page["sections"])
        lacking = [name for name, by in brought.items() if by is None]
        if lacking:
            msg = (
                "report.json must have sections that are installed; however: no page can be drawn from it: nothing "
                f"installed here brings its section `{lacking[0]}`. Install what does"
            )
            raise ArtefactError(msg)
        return render(page, section_registry())
    except MALFORMED_DATA_ERRORS as error:
        msg = (
            f"report.json must be what synthkit writes; however: no page can be drawn from it ({type(error).__name__})."
        )
        raise ArtefactError(msg + " It was altered") from error


def render(page: Page, specs: Mapping[str, AnySection]) -> str:
    """The page that plain data describes. Every text is escaped; a chart brings the only markup.

    Args:
        page: its sections as plain data.
        specs: by id, how each section is drawn.

    Raises:
        KeyError: a section has no spec.
        ValueError: the page asks for what the data does not have.
    """
    from jinja2 import TemplateError

    from synthkit.report.audience import EDITION_WORDS, TAG_WORDS

    used = {str(section["id"]): specs[str(section["id"])] for section in page["sections"]}
    template = _environment(tuple(sorted({spec.package for spec in used.values()}))).get_template("page.html")
    try:
        return template.render(**page, classed=EDITION_WORDS[page["tier"]], tags=TAG_WORDS, specs=used)
    except TemplateError as error:
        msg = "the data of a page must have all that it asks for; however: something is not there"
        raise ValueError(msg) from error


def draw(figure: Figure) -> Markup:
    """The chart that a figure describes, as SVG for the page."""
    from markupsafe import Markup

    from synthkit.report.charts.vega import embed

    svg = _drawn(figure["chart"], dumps(figure["data"]))
    return Markup(embed(svg, figure["title"], figure["description"], figure["key"]))


@lru_cache(maxsize=128)
def _drawn(chart: str, data: str) -> str:
    """A chart is drawn once, though a page is made in memory, for its folder, and for others to see.

    Raises:
        TypeError: a text where a chart needs a number, or the other way round.
    """
    from jsonschema import ValidationError  # type: ignore[import-untyped]  # what Altair makes its own from

    from synthkit.report.charts.curves import CURVES
    from synthkit.report.charts.event_lines import DRAWN_CHARTS
    from synthkit.report.charts.linked_curves import LINKED_CHARTS
    from synthkit.report.charts.model_points import MODEL_CHARTS
    from synthkit.report.charts.telling_bars import TELLING_CHARTS
    from synthkit.report.charts.vega import CHARTS

    try:
        return {**CHARTS, **CURVES, **MODEL_CHARTS, **LINKED_CHARTS, **DRAWN_CHARTS, **TELLING_CHARTS}[chart](
            loads(data)
        )
    except ValidationError as error:
        msg = f"a chart `{chart}` must have numbers and texts where they belong; however: they are of another type"
        raise TypeError(msg) from error


@cache
def _environment(packages: tuple[str, ...]) -> Environment:
    """Templates of synthkit by their names, those of sections by `PACKAGE:NAME`: none stands in another's place."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

    from synthkit.report.charts.column_bars import distribution
    from synthkit.report.labels import digits

    sections = {package: PackageLoader(package) for package in packages}
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(OWN_PACKAGE), PrefixLoader(sections, delimiter=":")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(draw=draw, distribution=distribution, digits=digits)
    return environment
