"""A master's project: NASNetLarge, VGG16, Xception and InceptionResNetV2, two and four classes."""

from typing import Final

from pulmo.datasets.split import Plan
from pulmo.reproduce.system import SYSTEMS, Data, DataSet, Experiment, Published, System

_COHEN: Final = DataSet("cohen", "covid-chestxray-dataset")
_PLAN: Final = Plan(seed=0, val=0.15, test=0.2)
_ALONE: Final = Data((_COHEN,), _PLAN)
_FOUR: Final = Data(
    (_COHEN, DataSet("kermany", "chest_xray")),
    _PLAN,
    {"viral": 143, "bacterial": 197, "covid": 140, "normal": 200},
)


def _accuracy(value: float, n: int = 136) -> tuple[Published, ...]:
    return (Published("accuracy", None, value, n),)


SYSTEMS.register("fabiani")(
    System(
        title="Master's project: four ImageNet networks on Cohen's and Kermany's images",
        experiments=(
            Experiment("fabiani-xception", _FOUR, _accuracy(0.86)),
            Experiment("fabiani-vgg16", _FOUR, _accuracy(0.84)),
            Experiment("fabiani-xception-binary", _ALONE, _accuracy(0.76, 70)),
            Experiment("fabiani-inceptionresnetv2", _FOUR, _accuracy(0.80)),
            Experiment("fabiani-binary", _FOUR, _accuracy(0.99)),
            Experiment("fabiani-binary-finetuned", _FOUR, _accuracy(0.97)),
            Experiment("fabiani-nasnetlarge", _FOUR, _accuracy(0.78)),
        ),
        differs=(
            (
                "The images of each class are drawn anew, as many as theirs at most, and split by "
                "patient."
            ),
            "Their PA filter let Kermany's images pass, which are all AP; ours takes both views.",
        ),
    )
)
