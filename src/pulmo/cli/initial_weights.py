"""The options of a network's initial weights, and what to do where they cannot be had."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from pulmo.core.errors import UsageError, WeightsError

FromScratch = Annotated[
    bool,
    typer.Option(
        "--from-scratch", help="Start from random weights, by the recipe's variant for that."
    ),
]


@contextmanager
def weights_advice(
    advice: str = "Name a safetensors file of them with --set model.weights=FILE",
) -> Iterator[None]:
    """Adds to an error what a person can do who has not the published weights.

    Args:
        advice: how the command takes weights from a file, as the begin of a sentence.
    """
    try:
        yield
    except WeightsError as error:
        raise UsageError(
            "weights-unavailable",
            f"{error} {advice}, or start from random weights with --from-scratch.",
        ) from error
