"""The page that a stranger's report.json draws, drawn in a process of its own.

Where no memory is left the engine of charts ends the process it is in, whoever else is in it.
`python -m synthkit.release.bundle.drawn_page` reads a task from stdin and answers on stdout, both JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile

from synthkit.errors import ArtefactError
from synthkit.io.json_types import JSONObject
from synthkit.runtime.processes import crash_reason, start_module
from synthkit.runtime.resource_limits import DEFAULT_TIME_LIMIT, resource_limits

PAGE_MODULE = "synthkit.release.bundle.drawn_page"


def drawn_page(report: JSONObject, seconds: float = DEFAULT_TIME_LIMIT) -> str:
    """The page of a report's JSON, as `synthkit.report.html.redraw` draws it.

    The process has the bound on memory of the one that asks.

    Args:
        report: the JSON.
        seconds: of the processor that the drawing may take.

    Raises:
        ArtefactError: it is not what a page is drawn from, or there is not enough time or memory to draw it.
    """
    task = json.dumps({"report": report, "seconds": seconds})
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = start_module(PAGE_MODULE, complaints)
        try:
            said, _ = process.communicate(task.encode())
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        if process.returncode:
            complaints.seek(0)
            why = crash_reason(process.returncode, complaints.read())
            msg = f"report.json must draw a page within the memory a bundle may ask for; however: {why}"
            raise ArtefactError(msg + ". Ask for a smaller one")
    answer = json.loads(said)
    if "fault" in answer:
        raise ArtefactError(answer["fault"])
    return str(answer["page"])


def main() -> None:
    """Draw the report on stdin; its page goes to stdout, or what is wrong with it."""
    from synthkit.report.html import redraw

    task = json.load(sys.stdin)
    try:
        with resource_limits(task["seconds"]):
            answer = {"page": redraw(task["report"])}
    except ArtefactError as error:
        answer = {"fault": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
