"""`python -m synthkit`: the command where its script is on no path."""

from __future__ import annotations

from synthkit.cli.app import main

if __name__ == "__main__":
    main()
