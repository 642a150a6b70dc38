"""Mirror: what a model says of images whose left is their right."""

from typing import Final

from pulmo import stats
from pulmo.audit.check import Answer, check
from pulmo.audit.context import AuditContext
from pulmo.audit.drops import decided_on, drop, require_enough
from pulmo.radiograph.changes.flip import mirror

MOST: Final = 0.05
"""Share of the decisions that may change."""


@check(
    "mirror",
    question="Does the model decide differently on a mirrored image?",
    claim="decides on at most one mirrored image in twenty differently than on the image itself",
)
def mirrored(context: AuditContext) -> Answer:
    """Warns where more decisions may change; it never fails.

    Most findings of a lung may be on either side, but the heart may not, and a side marker becomes
    unreadable: a model may owe such changes to the anatomy as well as to the marker.
    """
    context.require_network()
    numbers = context.some
    require_enough(context, numbers)
    decided = decided_on(context, mirror(context.images[numbers]), numbers)
    flips = decided != context.sample.decided[numbers]
    share = stats.proportion(flips, context.groups[numbers])
    lost = drop(context, numbers, decided)
    sentence = (
        f"Mirrored, {int(flips.sum())} of {len(numbers)} images are decided on differently; "
        f"the drop of the balanced accuracy is {lost}."
    )
    return Answer(
        "passes" if share.high is not None and share.high <= MOST else "warns",
        sentence,
        {"changed decisions": share, "drop": lost},
    )
