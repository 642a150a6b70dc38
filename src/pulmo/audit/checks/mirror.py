"""Mirror: what a model says of films whose left is their right."""

from typing import Final

from pulmo.audit.check import Answer, check
from pulmo.audit.drops import decided_on, drop, require_enough
from pulmo.audit.subject import Subject
from pulmo.evaluate.intervals import proportion_estimate
from pulmo.radiograph.changes.flip import mirror

MOST: Final = 0.05
"""Share of the decisions that may change."""


@check(
    "mirror",
    question="Does the model decide differently on a mirrored film?",
    claim="decides on at most one mirrored film in twenty differently than on the film itself",
)
def mirrored(subject: Subject) -> Answer:
    """Warns where more decisions may change; it never fails.

    Most findings of a lung may be on either side, but the heart may not, and a side marker becomes
    unreadable: a model may owe such changes to the anatomy as well as to the marker.
    """
    subject.require_network()
    numbers = subject.some
    require_enough(subject, numbers)
    decided = decided_on(subject, mirror(subject.pictures[numbers]), numbers)
    flips = decided != subject.sample.decided[numbers]
    share = proportion_estimate(flips, subject.groups[numbers], "there are no pictures")
    lost = drop(subject, numbers, decided)
    sentence = (
        f"Mirrored, {int(flips.sum())} of {len(numbers)} films are decided on differently; "
        f"the drop of the balanced accuracy is {lost}."
    )
    return Answer(
        "passes" if share.high is not None and share.high <= MOST else "warns",
        sentence,
        {"changed decisions": share, "drop": lost},
    )
