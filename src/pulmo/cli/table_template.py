"""A table of predictions to fill in."""

from typing import Annotated, Final

import typer

_ROWS: Final = (
    "path,label,p_covid,p_normal,patient,source,view,sex,age",
    "images/0001.png,covid,0.93,0.07,p17,North Hospital,PA,F,64",
    "images/0002.png,normal,0.12,0.88,p18,North Hospital,AP,M,41",
)


def _print_template(*, wanted: bool) -> None:
    """Prints a table with two rows, and ends."""
    if wanted:
        for row in _ROWS:
            typer.echo(row)
        raise typer.Exit


Template = Annotated[
    bool,
    typer.Option(
        "--template",
        callback=_print_template,
        is_eager=True,
        help="Print a table of predictions with two rows, to fill in, and end.",
    ),
]
