"""A view as one self-contained HTML page: no script, no network, inline SVG and CSS; and the report that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.files import replacing

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from synthkit.evaluate.result import Evaluation
    from synthkit.schema import Schema


@dataclass(frozen=True)
class Report:
    """A page for people; the same numbers are in evaluation.json.

    Args:
        html: the whole page.
    """

    html: str = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, whole or not at all."""
        path = Path(path)
        with replacing(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return path

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
    run: Mapping[str, Any] | None = None,
    statement: Mapping[str, Any] | None = None,
) -> Report:
    """The report on an evaluation; arguments as for `synthkit.report.view.view`."""
    from synthkit.report.view import view

    page = view(evaluation, ledger=ledger, schema=schema, validation=validation, run=run, statement=statement)
    return Report(render(page))


def render(view: Mapping[str, Any]) -> str:
    """The page that a view describes. Every text is escaped; a chart brings the only markup."""
    return _environment().get_template("page.html").render(**view)


def draw(figure: Mapping[str, Any]) -> Markup:
    """The chart that a figure describes, as SVG for the page."""
    from markupsafe import Markup

    from synthkit.report.charts import CHARTS, embed

    svg = CHARTS[figure["chart"]](figure["data"])
    return Markup(embed(svg, figure["title"], figure["description"], figure["key"]))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from synthkit.report.bars import distribution
    from synthkit.report.words import digits

    environment = Environment(
        loader=PackageLoader("synthkit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(draw=draw, distribution=distribution, digits=digits)
    return environment
