"""Numbers to pages: an evaluation becomes a view, the view one self-contained HTML file."""

from synthkit.report.html import Report, build

__all__ = ["Report", "build"]
