"""MiniVGGNet from scratch on Kermany's 5856 images, normal against pneumonia."""

from typing import Final

from pulmo.datasets.split import Plan
from pulmo.reproduce.system import SYSTEMS, Data, DataSet, Experiment, System

_SETS: Final = (DataSet("kermany", "chest_xray"),)

SYSTEMS.register("minivgg")(
    System(
        title="MiniVGGNet feature inference: normal against pneumonia on Kermany's images",
        experiments=(
            Experiment("minivgg", Data(_SETS, Plan(seed=0, keep="test")), variant="official"),
            Experiment("minivgg", Data(_SETS, Plan(seed=0)), variant="regrouped"),
        ),
        differs=(
            "They published no value.",
            (
                "Their re-split of the merged folders was by image; ours is by patient, and we add "
                "the official split without the training images of the test's patients."
            ),
        ),
    )
)
