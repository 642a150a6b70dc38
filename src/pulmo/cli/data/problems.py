"""How the verbs of `pulmo data` tell what is not in their manifest: a table beside it."""

import csv
import io
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulmo.cli.console import say
from pulmo.core.files import write_atomically
from pulmo.core.folders import ManifestFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulmo.datasets.source import Problem

_KINDS: Final = 20
"""Kinds of reason that are told apart on the terminal."""

_NAMED: Final = 5
"""Files that are named there of each kind."""

# What differs between reasons of a kind: quoted values, numbers, and a path at the end.
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:[.,]\d+)*")
_PATH: Final = re.compile(r": \S*/.*", re.DOTALL)


def write_problems(problems: "Sequence[Problem]", manifest: Path) -> None:
    """Writes a manifest's problems into a table beside it, before the manifest is written.

    The table of an earlier run is removed if there are none.

    Raises:
        InputError: the table cannot be written.
    """
    table = ManifestFiles(manifest).problems
    if not problems:
        table.unlink(missing_ok=True)
        return
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("path", "reason", "failed"))
    rows.writerows((path, reason, str(failed).lower()) for path, reason, failed in problems)
    # The name of a file may hold bytes that are no characters.
    write_atomically(table, text.getvalue().encode(errors="backslashreplace"))


def tell_problems(problems: "Sequence[Problem]", manifest: Path) -> int:
    """Says how many files have a problem of each kind, and names a few that failed.

    Returns:
        How many failed; the others are left out by rule.
    """
    failed = [problem for problem in problems if problem.failed]
    _tell_kinds("failed", failed, named=_NAMED)
    _tell_kinds("left out", [problem for problem in problems if not problem.failed], named=0)
    if problems:
        say(f"{ManifestFiles(manifest).problems} names all {len(problems)}.")
    return len(failed)


def _tell_kinds(what: str, problems: "Sequence[Problem]", *, named: int) -> None:
    kinds: defaultdict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        kinds[_VALUES.sub("…", _PATH.sub("", problem.reason))].append(problem)
    commonest = sorted(kinds.items(), key=lambda item: -len(item[1]))
    for kind, found in commonest[:_KINDS]:
        if named and len(found) == 1:
            say(f"{found[0].path}: {found[0].reason}")
            continue
        alike = len({problem.reason for problem in found}) == 1
        say(f"{what}: {len(found)} ({found[0].reason if alike else kind})")
        for problem in found[:named]:
            own = "" if alike else f": {problem.reason}"
            say(f"  {problem.path}{own}")
        if named and len(found) > named:
            say(f"  and {len(found) - named} more")
    if rest := sum(len(found) for _, found in commonest[_KINDS:]):
        say(f"{what}: {rest} (other reasons)")
