"""A distribution that adds a section to the report: a package with its own template, as pip installs it."""

from __future__ import annotations

from pathlib import Path

from installed import install

MODULE = """
from synthkit.report.section_spec import SectionSpec


def data(context):
    return {{"text": f"<i>{{context.facts['model']}}</i> in fine weather", "count": 1834}}


def shareable(data):
    return {{**data, "count": 1800}}


SECTION = SectionSpec(id="weather", title="Weather", data=data, package="weather_report"{more})
"""
TEMPLATE = "<p data-test-weather>{{ s.text }}, {{ s.count }}</p>\n"
GROUP = "synthkit.report_sections"


def install_weather(site: Path, *, shareable: bool = False) -> None:
    """Write the distribution `weather-report`, version 1.0, into a folder that is on the path."""
    templates = site / "weather_report" / "templates" / "sections"
    templates.mkdir(parents=True)
    (templates / "weather.html").write_text(TEMPLATE, encoding="utf-8")
    module = MODULE.format(more=", shareable=shareable" if shareable else "")
    points = {GROUP: {"weather": "weather_report:SECTION"}}
    install(site, "weather-report", modules={"weather_report/__init__": module}, entry_points=points)
