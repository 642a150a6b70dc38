"""ResNet34, VGG16 and DenseNet121 on 25,301 images of eight sources, three classes, 128 px."""

from typing import Final

from pulmo.datasets.split import Plan
from pulmo.reproduce.system import SYSTEMS, Data, DataSet, Experiment, Published, System

# The authors' test: 265 COVID-19 images, and the rest of 15 % of 25,301.
_POSITIVE: Final = 265
_NEGATIVE: Final = 3530

_SETS: Final = (
    DataSet("kermany", "chest_xray"),
    DataSet("radiography", "COVID-19_Radiography_Dataset"),
    DataSet("cohen", "covid-chestxray-dataset"),
    DataSet("figure1", "Figure1-COVID-chestxray-dataset"),
)
_DATA: Final = Data(_SETS, Plan(seed=42, val=0.15, test=0.15), once=True)
_FOLDED: Final = Data(_SETS, Plan(seed=42, test=0.0, folds=4), once=True)


def _results(sensitivity: float, specificity: float) -> tuple[Published, ...]:
    return (
        Published("recall", "covid", sensitivity, _POSITIVE),
        Published("specificity", "covid", specificity, _NEGATIVE),
    )


def _run(recipe: str, *results: float) -> Experiment:
    published = _results(*results) if results else ()
    return Experiment(f"capstone-{recipe}", _DATA, published)


_FAMILIES: Final = ("mobilenetv2", "squeezenet", "efficientnet", "inception")

SYSTEMS.register("capstone")(
    System(
        title="Capstone study: ResNet34, VGG16, DenseNet121 on COVID-19, normal, other pneumonia",
        experiments=(
            _run("baseline", 0.5736, 0.9949),
            _run("baseline-weights", 0.8792, 0.9496),
            _run("baseline-focal", 0.7434, 0.9864),
            _run("baseline-oversampling", 0.7358, 0.9705),
            Experiment("capstone-baseline-cv", _FOLDED, folds=True),
            _run("mobilenetv2-cs-full"),
            _run("squeezenet-cs-full"),
            _run("resnet34-freeze", 0.6642, 0.9844),
            _run("resnet34-cs-fc"),
            _run("resnet34-cs-full", 0.9547, 0.9955),
            _run("resnet34-focal-fc"),
            _run("resnet34-focal-full", 0.8981, 0.9972),
            _run("resnet34-entire", 0.8264, 0.9932),
            _run("resnet34-diff-lr"),
            _run("densenet121-cs-full", 0.9396, 0.9949),
            _run("vgg16-cs-full", 0.9321, 0.9963),
            *(_run(f"{family}-cs-full") for family in _FAMILIES[2:]),
        ),
        differs=(
            (
                "Only some of the eight sources are available; the number of images and their "
                "mixture differ from theirs."
            ),
            "The split is by patient and by copy, theirs was by image.",
            (
                "A random crop is enlarged to the input's size; theirs stayed smaller. The whole "
                "image is classified, not its central crop."
            ),
            "The images are grey, theirs were three equal channels.",
        ),
    )
)
