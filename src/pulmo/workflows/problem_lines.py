"""The files that are not in a manifest, as lines for people: counted by kind, a few named."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pulmo.core.folders import ManifestFiles
from pulmo.datasets.source import Problem

_KINDS: Final = 20
"""So many kinds of reason have a line of their own."""

_NAMED: Final = 5
"""So many files of each kind are named."""

# What differs between reasons of a kind: quoted values, numbers, and a path at the end.
_VALUES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(?:[.,]\d+)*")
_PATH: Final = re.compile(r": \S*/.*", re.DOTALL)


def problem_lines(problems: Sequence[Problem], manifest: Path) -> Iterator[str]:
    """Yields how many files have a problem of each kind, and names a few that failed."""
    yield from _kinds("failed", [each for each in problems if each.failed], named=_NAMED)
    yield from _kinds("left out", [each for each in problems if not each.failed], named=0)
    if problems:
        yield f"{ManifestFiles(manifest).problems} names all {len(problems)}."


def _kinds(what: str, problems: Sequence[Problem], *, named: int) -> Iterator[str]:
    kinds: defaultdict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        kinds[_VALUES.sub("…", _PATH.sub("", problem.reason))].append(problem)
    commonest = sorted(kinds.items(), key=lambda item: -len(item[1]))
    for kind, found in commonest[:_KINDS]:
        if named and len(found) == 1:
            yield f"{found[0].path}: {found[0].reason}"
            continue
        alike = len({problem.reason for problem in found}) == 1
        yield f"{what}: {len(found)} ({found[0].reason if alike else kind})"
        for problem in found[:named]:
            yield f"  {problem.path}{'' if alike else f': {problem.reason}'}"
        if named and len(found) > named:
            yield f"  and {len(found) - named} more"
    if rest := sum(len(found) for _, found in commonest[_KINDS:]):
        yield f"{what}: {rest} (other reasons)"
