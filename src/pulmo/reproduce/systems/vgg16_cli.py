"""The Keras command line: a frozen VGG16 on 50 images at 224 px, ten of them the test."""

from typing import Final

from pulmo.datasets.split import Plan
from pulmo.reproduce.system import SYSTEMS, Data, DataSet, Experiment, Published, System

_FOLDERS: Final = {"covid": "covid", "normal": "normal"}
_DATA: Final = Data(
    (DataSet("folder", "devindatt/dataset", _FOLDERS, "devindatt"),),
    Plan(seed=42, val=0.2, test=0.2),
)

SYSTEMS.register("vgg16-cli")(
    System(
        title="Keras command line: a frozen VGG16 on 50 images",
        experiments=(
            Experiment(
                "vgg16-cli",
                _DATA,
                (
                    Published("accuracy", None, 0.9, 10),
                    Published("recall", "covid", 0.8, 5),
                    Published("specificity", "covid", 1.0, 5),
                ),
            ),
        ),
        differs=(
            "Ten images are too few for a conclusion, theirs or ours: read the intervals.",
            (
                "Of their normal images 12 are bacterial and 6 viral pneumonia of Kermany's; they "
                "are called normal here as there."
            ),
            "Theirs validated on the test; ours keeps ten images for each.",
            "All positions of the last maps are pooled; theirs took the first 4 x 4 of 7 x 7.",
        ),
    )
)
