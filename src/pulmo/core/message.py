"""Message: a sentence for people, with a kind for programs."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """What a person must know.

    Attributes:
        kind: what it is about, such as `few-images`; stable, while the wording may change.
        text: one sentence or a few.
    """

    kind: str
    text: str


def texts(messages: Iterable[Message]) -> tuple[str, ...]:
    """Returns the texts of messages."""
    return tuple(message.text for message in messages)


def listed(names: Iterable[str], joint: str = "and") -> str:
    """Joins names: `a, b and c`; `none` without any."""
    *most, last = [*names] or ["none"]
    return f"{', '.join(most)} {joint} {last}" if most else last
