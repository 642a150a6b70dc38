"""Mirror: the decisions on images with left and right exchanged."""

from typing import Final

from pulmo import stats
from pulmo.audit.check import Message, Outcome, check
from pulmo.audit.context import AuditContext
from pulmo.audit.drops import decided_on, drop, require_enough
from pulmo.radiograph.changes.flip import mirror

MAX_CHANGED: Final = 0.05
"""Greatest share of decisions that may change."""


@check(
    "mirror",
    question="Does the model decide differently on a mirrored image?",
    statement="At most 5 % of the decisions change when an image is mirrored.",
)
def mirrored(context: AuditContext) -> Outcome:
    """Warns where more decisions may change; it never fails.

    Most findings in a lung may be on either side, but the heart may not, and a side marker becomes
    unreadable: a decision may change because of the anatomy as well as because of the marker.
    """
    context.require_network()
    numbers = context.some
    require_enough(context, numbers)
    decided = decided_on(context, mirror(context.images[numbers]), numbers)
    flips = decided != context.sample.decided[numbers]
    share = stats.proportion(flips, context.groups[numbers])
    lost = drop(context, numbers, decided)
    message = Message(
        "changed-decisions",
        f"Mirroring the image changes {int(flips.sum())} of {len(numbers)} decisions: "
        f"{share.in_text}. The balanced accuracy drops by {lost.in_text}.",
    )
    return Outcome(
        "passes" if share.high is not None and share.high <= MAX_CHANGED else "warns",
        (message,),
        {"changed decisions": share, "drop": lost},
    )
