"""COVID-CT: COVID-19 against other diseases on CT slices, on the published split and by paper."""

from typing import Final

from pulmo.datasets.split import Plan
from pulmo.reproduce.system import SYSTEMS, Data, DataSet, Experiment, Published, System

_SETS: Final = (DataSet("covid-ct", "COVID-CT"),)
_OFFICIAL: Final = Data(_SETS, Plan(seed=0, keep="all"))
_REGROUPED: Final = Data(_SETS, Plan(seed=0, val=0.15, test=0.27))
_TEST: Final = 203
_DENSENET: Final = (
    Published("accuracy", None, 0.86, _TEST),
    Published("f1", "covid", 0.85, _TEST),
    Published("auc", "covid", 0.94, _TEST),
)


SYSTEMS.register("covid-ct")(
    System(
        title="COVID-CT: COVID-19 against other diseases on slices of chest CT",
        experiments=(
            Experiment("starter-ct", _OFFICIAL, _DENSENET, variant="official"),
            Experiment("starter-ct", _REGROUPED, variant="regrouped"),
            Experiment("fabiani-ct", _OFFICIAL, _DENSENET),
            Experiment("fabiani-ct-xception", _OFFICIAL, _DENSENET),
            Experiment("fabiani-ct-vgg16", _OFFICIAL, _DENSENET),
            Experiment("fabiani-ct-nasnetlarge", _OFFICIAL, _DENSENET),
        ),
        differs=(
            "The published values are those of the set's authors, of a DenseNet-169.",
            (
                "Their test has 203 images. Ours lacks four of another infection that they call "
                "COVID-19, and two that are in both classes."
            ),
            (
                "A publication whose images they put on two sides is on the more withheld one "
                "here; its other images take no part."
            ),
        ),
    )
)
