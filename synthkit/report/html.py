"""A view as one self-contained HTML page: no script, no network, inline SVG and CSS; and the report that holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import ArtefactError
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import MALFORMED_DATA_ERRORS

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from synthkit.metrics.result import Evaluation
    from synthkit.report.audience import Tier
    from synthkit.schema import Schema


@dataclass(frozen=True)
class Report:
    """A page for people; the same numbers are in evaluation.json.

    Args:
        html: the whole page.
        twin: what the page is drawn from, as plain data in the format `synthkit-report/1`; none of a comparison.
    """

    html: str = field(repr=False)
    twin: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, whole or not at all."""
        path = Path(path)
        with replacing(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return path

    def save_twin(self, path: str | Path) -> Path:
        """Write what the page says as JSON, whole or not at all."""
        path = Path(path)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.twin, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
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
    ledger: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    validation: Mapping[str, Any] | None = None,
    statement: Mapping[str, Any] | None = None,
    gate: Mapping[str, Any] | None = None,
    hashes: Mapping[str, str] | None = None,
    tier: Tier = "internal",
) -> Report:
    """The report on an evaluation; arguments as for `synthkit.report.view_model.view`."""
    from synthkit.report.json_export import pointed, twin
    from synthkit.report.view_model import view

    said = twin(
        view(
            evaluation,
            ledger=ledger,
            schema=schema,
            validation=validation,
            statement=statement,
            gate=gate,
            hashes=hashes,
            tier=tier,
        )
    )
    return Report(render(pointed(said)), said)


def redraw(twin: Mapping[str, Any]) -> str:
    """The page of a twin: byte for byte the same wherever it is drawn by the same versions.

    Raises:
        ArtefactError: it is not what a page is drawn from.
    """
    from synthkit.report.json_export import pointed

    try:
        return render(pointed(twin))
    except MALFORMED_DATA_ERRORS as error:
        msg = (
            f"report.json must be what synthkit writes; however: no page can be drawn from it ({type(error).__name__})."
        )
        raise ArtefactError(msg + " It was altered") from error


def render(view: Mapping[str, Any]) -> str:
    """The page that a view describes. Every text is escaped; a chart brings the only markup.

    Raises:
        ValueError: the page asks for what the view does not have.
    """
    from jinja2 import TemplateError

    from synthkit.report.audience import CLASSES, WORDS

    page = _environment().get_template("page.html")
    try:
        return page.render(**view, classed=CLASSES[view["tier"]], tags=WORDS)
    except TemplateError as error:
        msg = "a view must have all that a page asks for; however: something is not there"
        raise ValueError(msg) from error


def draw(figure: Mapping[str, Any]) -> Markup:
    """The chart that a figure describes, as SVG for the page."""
    from markupsafe import Markup

    from synthkit.report.charts.vega import embed

    svg = _drawn(figure["chart"], json.dumps(figure["data"]))
    return Markup(embed(svg, figure["title"], figure["description"], figure["key"]))


@lru_cache(maxsize=128)
def _drawn(chart: str, data: str) -> str:
    """A chart is drawn once, though a page is made in memory, for its folder, and for others to see.

    Raises:
        TypeError: a text where a chart needs a number, or the other way round.
    """
    from jsonschema import ValidationError  # type: ignore[import-untyped]  # what Altair makes its own from

    from synthkit.report.charts.curves import CURVES
    from synthkit.report.charts.vega import CHARTS

    try:
        return {**CHARTS, **CURVES}[chart](json.loads(data))
    except ValidationError as error:
        msg = f"a chart `{chart}` must have numbers and texts where they belong; however: they are of another type"
        raise TypeError(msg) from error


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from synthkit.report.charts.column_bars import distribution
    from synthkit.report.labels import digits

    environment = Environment(
        loader=PackageLoader("synthkit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(draw=draw, distribution=distribution, digits=digits)
    return environment
