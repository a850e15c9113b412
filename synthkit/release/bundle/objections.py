"""What stands against a release, and the reason somebody gave for making it all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from synthkit.errors import ConfigError
from synthkit.io.json_types import JSON, JSONObject

NO_GATE = "NO GATE"
MAX_REASON_LENGTH = 500  # characters of a reason


@dataclass(frozen=True)
class Standing:
    """How a run stands when it is to leave.

    Args:
        verdict: the gate's, or `NO GATE`.
        against: what stands against it, a sentence each; nothing if it may leave.
    """

    verdict: str
    against: tuple[str, ...] = ()

    def with_objections(self, sentences: Sequence[str]) -> Standing:
        """The same with more against it."""
        return Standing(self.verdict, (*self.against, *sentences))

    def override_entry(self, although: str | None) -> dict[str, JSON] | None:
        """What the manifest says of it: None if nothing stands against the release, else verdict, sentences and reason.

        Args:
            although: why the release is made all the same, by whoever answers for it.

        Raises:
            ConfigError: something stands against it and no reason is given; a reason is given and nothing does; or the
                reason is no line of text.

        Example:
            >>> Standing("PASS").override_entry(None)
            >>> Standing("NO GATE", ("no policy was applied",)).override_entry("a first look")["reason"]
            'a first look'
        """
        if not self.against:
            if although is None:
                return None
            msg = "--although gives a reason against something; however: the gate says PASS. Leave it away"
            raise ConfigError(msg)
        if although is None:
            msg = (
                f"a release must pass its gate; however: {'; '.join(self.against)}. See to what `synthkit gate` says, "
                "or say why the release is made all the same: --although REASON. The manifest keeps it"
            )
            raise ConfigError(msg)
        return {"verdict": self.verdict, "against": list(self.against), "reason": one_line(although)}


def release_standing(gate: JSONObject | None, day: dt.date) -> Standing:
    """How a gate lets a run stand on a day; a run that was never held against a policy does not pass.

    Args:
        gate: in the format `synthkit-gate/1`, None if there is none.
        day: the day of the release.

    Example:
        >>> release_standing(None, dt.date(2026, 1, 31)).against
        ('no policy was applied: there is no gate',)
    """
    if gate is None:
        return Standing(NO_GATE, ("no policy was applied: there is no gate",))
    verdict = str(gate["verdict"])
    against = []
    if verdict != "PASS":
        worse = [f"{line['clause']} {line['verdict']}" for line in gate["lines"] if line["verdict"] != "PASS"]
        against.append(f"the gate says {verdict}" + (f" ({', '.join(worse)})" if worse else ""))
    last = gate.get("valid_until")
    if last is not None and day > dt.date.fromisoformat(last):
        against.append(f"the gate relied on its evaluation until {last}")
    return Standing(verdict, tuple(against))


def one_line(reason: str) -> str:
    """A reason that somebody gives and that others will read.

    Raises:
        ConfigError: it is no line of 1 to 500 printable characters.

    Example:
        >>> one_line(" the contract has ended ")
        'the contract has ended'
    """
    said = reason.strip()
    if not said or len(said) > MAX_REASON_LENGTH or not said.isprintable():
        msg = (
            f"a reason must be one line of 1 to {MAX_REASON_LENGTH} printable characters; however: it is not. "
            "Write another"
        )
        raise ConfigError(msg)
    return said


def printable(text: str) -> str:
    r"""Words of a stranger as one line that a terminal shows as it is.

    Example:
        >>> printable("fine\x1b[2J")
        'fine?[2J'
    """
    return "".join(each if each.isprintable() else "?" for each in text)
