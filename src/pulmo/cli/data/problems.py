"""How the verbs of `pulmo data` report the files that are not in their manifest."""

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pulmo.cli.console import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulmo.datasets.source import Problem

_KINDS: Final = 20
"""So many kinds of reason have a line of their own."""

_NAMED: Final = 5
"""So many files of each kind are named."""

# What differs between reasons of a kind: quoted values, numbers, and a path at the end.
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:[.,]\d+)*")
_PATH: Final = re.compile(r": \S*/.*", re.DOTALL)


def report_problems(problems: "Sequence[Problem]", manifest: Path) -> int:
    """Says how many files have a problem of each kind, and names a few that failed.

    Returns:
        How many failed; the others are left out by rule.
    """
    from pulmo.core.folders import ManifestFiles

    failed = [problem for problem in problems if problem.failed]
    _report_kinds("failed", failed, named=_NAMED)
    _report_kinds("left out", [problem for problem in problems if not problem.failed], named=0)
    if problems:
        say(f"{ManifestFiles(manifest).problems} names all {len(problems)}.")
    return len(failed)


def _report_kinds(what: str, problems: "Sequence[Problem]", *, named: int) -> None:
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
