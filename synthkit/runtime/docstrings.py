"""Google-style docstrings as data: the text of each argument, for help and for descriptions."""

from __future__ import annotations

import re

_DOCSTRING_ARGUMENT = re.compile(r"^    (?P<name>\w+): (?P<text>.+)$")


def arguments(doc: str) -> dict[str, str]:
    r"""Name and text of each entry under `Args:`, in their order.

    Args:
        doc: the docstring, its lines after the first indented by four or not at all.

    Example:
        >>> arguments("A draw.\n\n    Args:\n        rows: how many;\n            none if not given.\n")
        {'rows': 'how many; none if not given.'}
    """
    lines = [line[4:] if line.startswith("    ") else line for line in doc.splitlines()]
    found: dict[str, str] = {}
    inside = name = ""
    for line in lines:
        if line and not line.startswith(" "):
            inside, name = line, ""
        elif inside == "Args:" and (entry := _DOCSTRING_ARGUMENT.match(line)):
            name = entry["name"]
            found[name] = re.sub(r"^\(YAML: `\w+`\) ", "", entry["text"])
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found
