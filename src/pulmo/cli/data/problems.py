"""How the verbs of `pulmo data` tell what is not in their manifest: a table beside it."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulmo.cli.console import say
from pulmo.core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulmo.datasets.source import Problem

_NAMED: Final = 20
"""So many failures are named on the terminal, and so many kinds of reason are counted."""

# What differs between reasons of a kind: quoted values, numbers, and a path at the end.
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:[.,]\d+)*")
_PATH: Final = re.compile(r": \S*/.*", re.DOTALL)


def report_problems(problems: "Sequence[Problem]", manifest: Path) -> int:
    """Writes a manifest's problems into a table beside it and says what they are.

    The table of an earlier run is removed if there are none.

    Returns:
        how many failed; the others are left out by rule.

    Raises:
        InputError: the table cannot be written.
    """
    table = manifest.with_name(f"{manifest.stem}.problems.csv")
    if not problems:
        table.unlink(missing_ok=True)
        return 0
    _write(problems, table)
    failed = [problem for problem in problems if problem.failed]
    for problem in failed[:_NAMED]:
        say(f"{problem.path}: {problem.reason}")
    if len(failed) > _NAMED:
        say(f"and {len(failed) - _NAMED} more")
    _count("failed", failed)
    _count("left out", [problem for problem in problems if not problem.failed])
    say(f"{table} names all {len(problems)}.")
    return len(failed)


def _write(problems: "Sequence[Problem]", table: Path) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("path", "reason", "failed"))
    rows.writerows((path, reason, str(failed).lower()) for path, reason, failed in problems)
    # The name of a file may hold bytes that are no characters.
    write_atomically(table, text.getvalue().encode(errors="backslashreplace"))


def _count(what: str, problems: "Sequence[Problem]") -> None:
    kinds = Counter(_VALUES.sub("…", _PATH.sub("", problem.reason)) for problem in problems)
    for kind, count in kinds.most_common(_NAMED):
        say(f"{what}: {count} ({kind})")
    rest = sum(count for _, count in kinds.most_common()[_NAMED:])
    if rest:
        say(f"{what}: {rest} (other reasons)")
