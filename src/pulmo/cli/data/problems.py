"""How the verbs of `pulmo data` report the files that are not in their manifest."""

from pathlib import Path
from typing import TYPE_CHECKING

from pulmo.cli.console import say_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulmo.datasets.source import Problem


def report_problems(problems: "Sequence[Problem]", manifest: Path) -> int:
    """Says how many files have a problem of each kind, and names a few that failed.

    Returns:
        How many failed; the others are left out by rule.
    """
    from pulmo.workflows.problem_lines import problem_lines

    say_lines(problem_lines(problems, manifest))
    return sum(problem.failed for problem in problems)
