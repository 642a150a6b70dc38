"""What the evaluations say of the images that the model was judged on."""

from collections.abc import Callable
from typing import Final

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Said
from pulmo.checklists.phrases import counted, figures, images, listed
from pulmo.core.sources import is_stated
from pulmo.evaluate.evaluation import Evaluation

_UNSURE: Final = (
    "It cannot be seen from these files that no training image is among them: add --data with "
    "the manifest of the training, whose whole test must be what was evaluated; or show it."
)
_NO_OTHER: Final = (
    "No evaluation given has a source that the model was not trained on; evaluate the bundle on "
    "one and add --evaluation, or say why there is none."
)
_UNNOTED: Final = (
    "An evaluation of a test notes no access to it: say whether it is among those counted."
)
_WHOSE: Final = "Say whose images these are: a source may hold those of another."
_UNSTATED: Final = (
    "Of some images it is not stated which hospital they are from, so that it is not known "
    "whether any of those evaluated are from elsewhere. Say where they are from."
)


def judged(artefacts: Artefacts) -> Said:
    """Says on which images it was judged."""
    return of_each(artefacts, _judged, "data")


def sizes(artefacts: Artefacts) -> Said:
    """Says how many images and groups each evaluation has."""
    return of_each(
        artefacts,
        lambda evaluation: f"{evaluation.data.groups:,} groups; {counted(evaluation.data.labels)}",
        "data.n, data.groups, data.labels",
    )


def internal(artefacts: Artefacts) -> Said:
    """Says which evaluations are on a test from sources that the model was trained on."""
    known = _training_sources(artefacts)

    def tell(evaluation: Evaluation) -> str | None:
        shared = sorted(known & _sources(evaluation))
        if evaluation.data.split != "test" or not shared:
            return None
        return (
            f"test images of sources that are in the training too ({listed(shared)}); "
            f"{figures(evaluation.overall)}"
        )

    said = of_each(artefacts, tell, "data.split, data.sources, overall")
    return said._replace(gap="" if _tests_are_held_out(artefacts) else _UNSURE)


def external(artefacts: Artefacts) -> Said:
    """Says which evaluations are on sources that the model was not trained on."""
    known = _training_sources(artefacts)

    if not all(map(is_stated, known)):
        raise Gap(_UNSTATED)

    def tell(evaluation: Evaluation) -> str | None:
        new = sorted(name for name in _sources(evaluation) - known if is_stated(name))
        if _made_the_model(artefacts, evaluation) or not new:
            return None
        counts = counted({name: sum(evaluation.data.sources[name].values()) for name in new})
        return f"no training image is of {counts}; all of it: {figures(evaluation.overall)}"

    unsure = any(
        not is_stated(name) for each in artefacts.evaluations for name in _sources(each) - known
    )
    otherwise = _UNSTATED if unsure else _NO_OTHER
    said = of_each(artefacts, tell, "data.split, data.sources, overall", otherwise)
    return said._replace(gap=f"{_WHOSE} {_UNSTATED}" if unsure else _WHOSE)


def left_out(artefacts: Artefacts) -> Said:
    """Says which images took no part in an evaluation."""
    return of_each(
        artefacts,
        lambda evaluation: (
            f"left out for a label that the model does not know: "
            f"{counted(evaluation.data.skipped)}; could not be read: "
            f"{len(evaluation.data.failed):,}"
        ),
        "data.skipped, data.failed",
    )


def test_accesses(artefacts: Artefacts) -> Said:
    """Says how often a test was evaluated with this model."""
    tests = [one.data for one in artefacts.evaluations if one.data.split == "test"]
    gap = _UNNOTED if any(data.test_accesses is None for data in tests) else ""
    if artefacts.test_accesses:
        count = len(artefacts.test_accesses)
        text = f"Accesses to a test that are noted beside the bundle: {count}."
        return Said(text, "test-access.jsonl", gap)
    counts = [one.data.test_accesses for one in artefacts.evaluations]
    stated = [str(times) for times in counts if times is not None]
    if not stated:
        raise Gap("Say how often the test was evaluated with this model: no file given says it.")
    text = f"Accesses to its test with this model, each evaluation included: {listed(stated)}."
    return Said(text, "evaluation.json: data.test_accesses", gap)


def not_updated(artefacts: Artefacts) -> Said:
    """Says that what was judged is what ships."""
    return of_each(
        artefacts,
        lambda _: "the bundle's own model.onnx was judged as it is; nothing was refitted",
        "model.sha256",
    )


def of_each(
    artefacts: Artefacts,
    tell: Callable[[Evaluation], str | None],
    field: str,
    otherwise: str = "No evaluation given states it.",
) -> Said:
    """Says something of each evaluation of which there is something to say."""
    if not artefacts.evaluations:
        raise Gap("Add --evaluation with the folder of an evaluation (`pulmo evaluate`).")
    found = []
    for number, evaluation in enumerate(artefacts.evaluations, start=1):
        words = tell(evaluation)
        if words:
            several = f" {number}" if len(artefacts.evaluations) > 1 else ""
            data = evaluation.data
            of = f"split {data.split}" if data.split else "no split named"
            if _made_the_model(artefacts, evaluation):
                of += ", with images that made the model: no test"
            found.append(f"Evaluation{several} ({of}, {images(data.n)}): {words.rstrip('.')}.")
    if not found:
        raise Gap(otherwise)
    return Said(" ".join(found), f"evaluation.json: {field}")


def _judged(evaluation: Evaluation) -> str:
    by = {name: sum(of.values()) for name, of in evaluation.data.sources.items()}
    return f"{counted(evaluation.data.labels)}; sources: {counted(by)}"


def _made_the_model(artefacts: Artefacts, evaluation: Evaluation) -> bool:
    """Whether images that trained or chose the model are known to be among those evaluated."""
    data, training = evaluation.data, artefacts.card.training
    return data.split in {"train", "val"} or data.manifest_sha256 == training.manifest_sha256


def _tests_are_held_out(artefacts: Artefacts) -> bool:
    """Whether every test that was evaluated is all of that of the training's manifest."""
    given = artefacts.of_the_model().given_images
    tests = [one.data for one in artefacts.evaluations if one.data.split == "test"]
    return given is not None and all(data.manifest_sha256 == given.test_sha256 for data in tests)


def _training_sources(artefacts: Artefacts) -> set[str]:
    return {name for by in artefacts.card.training.sources.values() for name in by}


def _sources(evaluation: Evaluation) -> set[str]:
    return {name for name, by in evaluation.data.sources.items() if sum(by.values())}
