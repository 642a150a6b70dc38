"""Options: what a user says of a table of predictions that its columns do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """What a user says of a table.

    Attributes:
        positive: the classes that count as positive.
        threshold: summed probability of these from which a result is positive.
        merge: label -> class that it counts as.
        truth: the column of the true class; None if its name says so.
        decision: the column of the class decided on; None likewise.
        score: the one column of probabilities that is meant, of the positive class if its name does
            not say of which; None if the names of the columns say it.
        group: the column of what belongs together, such as the patient; None if its name says so.
    """

    positive: tuple[str, ...] = ()
    threshold: float | None = None
    merge: Mapping[str, str] = field(default_factory=dict)
    truth: str | None = None
    decision: str | None = None
    score: str | None = None
    group: str | None = None
