"""Outcomes as a table in Markdown."""

from collections.abc import Sequence

from pulmo.reproduce.baselines import COMPARED
from pulmo.reproduce.outcome import Outcome
from pulmo.stats.estimate import Estimate

_COLUMNS = (
    "run",
    "metric",
    "published",
    "ours",
    "n",
    "file facts alone",
    "16 x 16 thumbnail",
    "16 x 16 thumbnail of the lungs",
    "epochs",
    "minutes",
)


def outcomes_text(title: str, outcomes: Sequence[Outcome]) -> str:
    """Returns a system's outcomes as Markdown: the values, then what differs.

    Args:
        title: of the system.
        outcomes: one or more.
    """
    lines = [f"## {title}", "", f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    for outcome in outcomes:
        for number, value in enumerate(outcome.metrics):
            first = number == 0
            cells = (
                f"`{outcome.recipe}`" if first else "",
                value.name,
                _words(value.published),
                _words(value.ours),
                str(value.ours.n),
                *(_words(value.baselines.get(baseline)) for baseline in COMPARED),
                str(outcome.epochs) if first else "",
                f"{outcome.minutes:.1f}" if first else "",
            )
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "Differences from the publication in all runs:", ""]
    lines += [f"- {sentence}" for sentence in outcomes[0].differs]
    lines += ["", "In each run:", ""]
    for outcome in outcomes:
        counts = ", ".join(f"{n} {label}" for label, n in outcome.labels.items())
        notes = " ".join(outcome.notes)
        lines.append(f"- `{outcome.experiment}`: tested on {outcome.n} ({counts}). {notes}")
    return "\n".join([*lines, ""])


def _words(estimate: Estimate | None) -> str:
    return "-" if estimate is None else str(estimate)
