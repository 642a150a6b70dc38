"""The statements of evaluations on their images."""

from collections.abc import Callable
from typing import Final

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Statement
from pulmo.checklists.phrases import counted, images, listed, values
from pulmo.core.sources import is_stated
from pulmo.evaluate.evaluation import Evaluation

_UNSURE: Final = (
    "These files do not show that no training image is among them. Give the training manifest, "
    "whose whole test must be the evaluated images, or show it in another way."
)
_NO_OTHER: Final = (
    "No given evaluation has an external source. Evaluate the bundle on images of another source "
    "and give that evaluation, or state why there is none."
)
_UNNOTED: Final = "An evaluation of a test has no number. State whether it is among those counted."
_WHOSE: Final = "State where these images are from: a source may contain images of another."
_UNSTATED: Final = (
    "The hospital of some images is not stated, so it is unknown whether evaluated images are "
    "external. State where they are from."
)


def evaluated_images(artefacts: Artefacts) -> Statement:
    """States the evaluated images."""
    return of_each(artefacts, _images_by_source, "data")


def sizes(artefacts: Artefacts) -> Statement:
    """States how many images and groups each evaluation has."""
    return of_each(
        artefacts,
        lambda evaluation: f"{evaluation.data.groups:,} groups; {counted(evaluation.data.labels)}",
        "data.n, data.groups, data.labels",
    )


def internal(artefacts: Artefacts) -> Statement:
    """States which evaluations are on a test from sources that the model was trained on."""
    known = _training_sources(artefacts)

    def text_of(evaluation: Evaluation) -> str | None:
        shared = sorted(known & _sources(evaluation))
        if evaluation.data.split != "test" or not shared:
            return None
        return (
            f"test images from sources of the training ({listed(shared)}); "
            f"{values(evaluation.overall)}"
        )

    statement = of_each(artefacts, text_of, "data.split, data.sources, overall")
    return statement._replace(gap="" if _tests_are_held_out(artefacts) else _UNSURE)


def external(artefacts: Artefacts) -> Statement:
    """States which evaluations are on sources that the model was not trained on."""
    known = _training_sources(artefacts)

    if not all(map(is_stated, known)):
        raise Gap(_UNSTATED)

    def text_of(evaluation: Evaluation) -> str | None:
        new = sorted(name for name in _sources(evaluation) - known if is_stated(name))
        if _made_the_model(artefacts, evaluation) or not new:
            return None
        counts = counted({name: sum(evaluation.data.sources[name].values()) for name in new})
        return (
            f"there are no training images from {counts}; all images: {values(evaluation.overall)}"
        )

    unsure = any(
        not is_stated(name) for each in artefacts.evaluations for name in _sources(each) - known
    )
    otherwise = _UNSTATED if unsure else _NO_OTHER
    statement = of_each(artefacts, text_of, "data.split, data.sources, overall", otherwise)
    return statement._replace(gap=f"{_WHOSE} {_UNSTATED}" if unsure else _WHOSE)


def left_out(artefacts: Artefacts) -> Statement:
    """States which images took no part in an evaluation."""
    return of_each(
        artefacts,
        lambda evaluation: (
            f"left out because of an unknown label: "
            f"{counted(evaluation.data.skipped)}; could not be read: "
            f"{len(evaluation.data.failed):,}"
        ),
        "data.skipped, data.failed",
    )


def test_accesses(artefacts: Artefacts) -> Statement:
    """States how often a test was evaluated with this model."""
    tests = [one.data for one in artefacts.evaluations if one.data.split == "test"]
    gap = _UNNOTED if any(data.test_accesses is None for data in tests) else ""
    if artefacts.test_accesses:
        count = len(artefacts.test_accesses)
        text = f"Evaluations of a test, by the list in the bundle's folder: {count}."
        return Statement(text, "test-access.jsonl", gap)
    counts = [one.data.test_accesses for one in artefacts.evaluations]
    stated = [str(times) for times in counts if times is not None]
    if not stated:
        raise Gap(
            "State how often the test was evaluated with this model: no given file states it."
        )
    text = f"Number of evaluations of the test with this model: {listed(stated)}."
    return Statement(text, "evaluation.json: data.test_accesses", gap)


def not_updated(artefacts: Artefacts) -> Statement:
    """States that the evaluated model is the shipped one."""
    return of_each(
        artefacts,
        lambda _: (
            "the bundle's own model.onnx was evaluated without a change; nothing was refitted"
        ),
        "model.sha256",
    )


def of_each(
    artefacts: Artefacts,
    text_of: Callable[[Evaluation], str | None],
    field: str,
    otherwise: str = "No given evaluation states it.",
) -> Statement:
    """Returns one statement of all evaluations for which `text_of` returns a text."""
    if not artefacts.evaluations:
        raise Gap("Give the folder of an evaluation (`pulmo evaluate`).")
    found = []
    for number, evaluation in enumerate(artefacts.evaluations, start=1):
        words = text_of(evaluation)
        if words:
            several = f" {number}" if len(artefacts.evaluations) > 1 else ""
            data = evaluation.data
            of = f"split {data.split}" if data.split else "no split named"
            if _made_the_model(artefacts, evaluation):
                of += ", with training or validation images: no test"
            found.append(f"Evaluation{several} ({of}, {images(data.n)}): {words.rstrip('.')}.")
    if not found:
        raise Gap(otherwise)
    return Statement(" ".join(found), f"evaluation.json: {field}")


def _images_by_source(evaluation: Evaluation) -> str:
    by = {name: sum(of.values()) for name, of in evaluation.data.sources.items()}
    return f"{counted(evaluation.data.labels)}; sources: {counted(by)}"


def _made_the_model(artefacts: Artefacts, evaluation: Evaluation) -> bool:
    """Whether images that trained or chose the model are known to be among those evaluated."""
    data, training = evaluation.data, artefacts.card.training
    return data.split in {"train", "val"} or data.manifest_sha256 == training.manifest_sha256


def _tests_are_held_out(artefacts: Artefacts) -> bool:
    """Whether every test that was evaluated is all of that of the training's manifest."""
    given = artefacts.without_other_images().given_images
    tests = [one.data for one in artefacts.evaluations if one.data.split == "test"]
    return given is not None and all(data.manifest_sha256 == given.test_sha256 for data in tests)


def _training_sources(artefacts: Artefacts) -> set[str]:
    return {name for by in artefacts.card.training.sources.values() for name in by}


def _sources(evaluation: Evaluation) -> set[str]:
    return {name for name, by in evaluation.data.sources.items() if sum(by.values())}
