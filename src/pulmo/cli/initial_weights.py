"""The option of a network's initial weights."""

from typing import Annotated

import typer

FromScratch = Annotated[
    bool,
    typer.Option(
        "--from-scratch", help="Start from random weights, by the recipe's variant for that."
    ),
]
