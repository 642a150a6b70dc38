"""What the parts say of artefacts that lack something: no more than is there."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pulmo.checklists.artefacts import Artefacts, Gap, Images, Trained
from pulmo.checklists.parts import (
    audited,
    evaluated,
    images,
    metrics,
    model,
    splits,
    training,
)
from pulmo.core.recipe import load_recipe
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.test_access import Access


def _with_table(artefacts: Artefacts, table: pd.DataFrame) -> Artefacts:
    """Puts a table in the place of the manifest."""
    checked = Manifest(table)
    found = inspect_manifest(checked, "images.parquet", 0)
    tests = Manifest(checked.frame[checked.frame["split"] == "test"]).sha256
    return replace(artefacts, given_images=Images("images.parquet", checked.frame, found, tests))


def _with_evaluation(artefacts: Artefacts, data: dict[str, Any], **parts: Any) -> Artefacts:  # noqa: ANN401 - whatever an evaluation holds
    """Changes the evaluation and its data."""
    evaluation = artefacts.evaluations[0]
    changed = evaluation.data.model_copy(update=data)
    return replace(
        artefacts, evaluations=(evaluation.model_copy(update={"data": changed, **parts}),)
    )


@pytest.fixture(scope="module")
def mute(full: Artefacts, table: pd.DataFrame) -> Artefacts:
    """A manifest of an unknown source that states as little as it may."""
    columns = ["path", "sha256", "label", "group", "width", "height"]
    return _with_table(full, table[columns].assign(source="ours"))


def test_a_manifest_that_does_not_state_it_is_a_gap(mute: Artefacts) -> None:
    for part in (
        images.sources,
        images.licences,
        images.origins,
        images.views,
        images.modalities,
        images.people,
        splits.sides,
        splits.apart,
    ):
        with pytest.raises(Gap):
            part(mute)
    assert splits.folds(mute).text == "No folds of cross-validation."
    assert images.files(mute).text == (
        "Formats: not stated 12. Depths: not stated 12. Pixels: width 100 to 111, height 90 to 90."
    )
    assert "patient 12" in images.missing(mute).text
    assert "(findings: none)" in images.labels(mute).text


def test_many_values_are_cut_short_and_say_so(full: Artefacts) -> None:
    assert images.origins(full).text.endswith("hospital 4 1, and 3 further values.")
    assert images.origins(full).text.startswith(
        "Where the sources have the images from: not stated 4, hospital 0 1, "
    )
    assert "and 4 more)" in images.labels(full).text
    assert '"a finding, number 0" 1' in images.labels(full).text


def test_known_sources_alone_leave_nothing_open(full: Artefacts, table: pd.DataFrame) -> None:
    known = _with_table(full, table.assign(source=["kermany", "cohen"] * 6))
    said = images.sources(known)
    assert said.gap == ""
    assert "cohen (6 images): Cohen et al." in said.text
    own = table.assign(source=["kermany", "mine"] * 6, origin=None)
    said = images.sources(_with_table(full, own.assign(root=pd.Series([None, "/mine"] * 6))))
    assert "kermany (6 images)" in said.text
    assert "mine (hospital not stated) (6 images)" in said.gap


def test_groups_on_two_sides_are_reported(full: Artefacts, table: pd.DataFrame) -> None:
    patients = table.assign(patient=table["group"], split=["train", "val"] * 6)
    said = splits.apart(_with_table(full, patients))
    assert "6 groups are in several splits (12 images)." in said.text
    assert "not named" not in said.text
    same = _with_table(full, patients.assign(sha256="0" * 64))
    assert "Files of identical content: 1 (12 images)" in images.copies(same).text


def test_another_manifest_says_nothing_of_the_model(full: Artefacts, mute: Artefacts) -> None:
    assert not full.has_other_images
    assert full.without_other_images() is full
    assert mute.has_other_images
    with pytest.raises(Gap, match="Give the manifest that the model was trained on"):
        _ = mute.without_other_images().images
    assert training.used(full).text == "The model three-way was trained on it: A card for tests."
    with pytest.raises(Gap, match=r"images\.parquet is not the training manifest of three-way"):
        training.used(mute)


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ("none", "Started from random weights."),
        ("timm", "Started from the pretrained weights of timm."),
        ("base.safetensors, SHA-256 12", "Started from base.safetensors, SHA-256 12."),
    ],
)
def test_initial_weights(full: Artefacts, weights: str, text: str) -> None:
    network = full.card.network.model_copy(update={"weights": weights})
    card = full.card.model_copy(update={"network": network})
    assert model.start(replace(full, card=card)).text == text


def test_the_least_loss_is_named_only_if_it_is_the_least(full: Artefacts) -> None:
    assert "the lowest" not in model.chosen_epoch(full).text
    best = full.card.training.model_copy(update={"best_epoch": 5})
    card = full.card.model_copy(update={"training": best})
    assert "(validation loss 0.2400, the lowest of the run)" in (
        model.chosen_epoch(replace(full, card=card)).text
    )


def test_an_unstated_modality_is_said_to_be_so(full: Artefacts) -> None:
    unstated = full.card.training.model_copy(update={"modalities": ()})
    card = full.card.model_copy(update={"training": unstated})
    assert "one image, of the modality X-ray;" in model.image_alone(full).text
    assert "whose modality is not stated" in model.image_alone(replace(full, card=card)).text


def test_a_recipe_is_stated_as_it_is(full: Artefacts) -> None:
    assert "rotation up to 10 degrees" in training.augmentation(full).text
    assert "views: PA and AP; modalities: all" in training.choice(full).text
    assert "ends after 3 without gain" in training.optimisation(full).text
    settings = [f"augment.{name}=0" for name in full.run.recipe.augment]
    plain = replace(full, given_run=Trained(load_recipe("demo", settings), ()))
    assert training.augmentation(plain).text == "No augmentation."
    assert "loss cross-entropy." in training.imbalance(plain).text


def test_an_evaluation_of_what_made_the_model_is_no_test(full: Artefacts) -> None:
    whole = {"split": None, "manifest_sha256": full.card.training.manifest_sha256}
    for data in ({"split": "train"}, {"split": "val"}, whole):
        seen = _with_evaluation(full, data)
        assert "with training or validation images: no test" in metrics.overall(seen).text
        for part in (evaluated.internal, evaluated.external):
            with pytest.raises(Gap):
                part(seen)


def test_a_test_is_internal_only_if_it_is_known_to_be_held_out(full: Artefacts) -> None:
    said = evaluated.internal(full)
    assert "test images from sources of the training (east)" in said.text
    assert said.gap == ""
    for unsure in (
        replace(full, given_images=None),
        _with_evaluation(full, {"manifest_sha256": "f" * 64}),
    ):
        assert "no training image is among them" in evaluated.internal(unsure).gap


def test_external_images_are_of_sources_that_were_not_trained_on(full: Artefacts) -> None:
    said = evaluated.external(full)
    assert "there are no training images from west 6,000; all images: Accuracy 0.501" in said.text
    assert said.gap
    east = _with_evaluation(full, {"sources": {"east": {"covid": 3}, "west": {"covid": 0}}})
    with pytest.raises(Gap, match="No given evaluation has an external source"):
        evaluated.external(east)
    west = _with_evaluation(full, {"sources": {"west": {"covid": 3}}, "split": None})
    assert "(no split named, 9,001 images)" in evaluated.external(west).text
    with pytest.raises(Gap):
        evaluated.internal(west)


def test_of_images_from_no_stated_hospital_nothing_is_external(full: Artefacts) -> None:
    unsure = {"sources": {"mine (hospital not stated)": {"covid": 3}}, "split": None}
    with pytest.raises(Gap, match="hospital of some images is not stated"):
        evaluated.external(_with_evaluation(full, unsure))
    training = full.card.training.model_copy(update={"sources": {"covid": {"folder": 3}}})
    trained = replace(full, card=full.card.model_copy(update={"training": training}))
    with pytest.raises(Gap, match="hospital of some images is not stated"):
        evaluated.external(trained)


def test_accesses(full: Artefacts, bare: Artefacts, access: Access) -> None:
    assert evaluated.test_accesses(full).text.endswith("with this model: 2.")
    assert evaluated.test_accesses(full).gap == ""
    noted = evaluated.test_accesses(replace(full, test_accesses=(access, access)))
    assert noted.text == "Evaluations of a test, by the list in the bundle's folder: 2."
    unnoted = _with_evaluation(full, {"test_accesses": None})
    assert evaluated.test_accesses(replace(unnoted, test_accesses=(access,))).gap.startswith(
        "An evaluation of a test has no number"
    )
    for silent in (bare, unnoted):
        with pytest.raises(Gap, match="no given file states it"):
            evaluated.test_accesses(silent)


def test_several_evaluations_are_numbered(full: Artefacts) -> None:
    twice = replace(full, evaluations=full.evaluations * 2)
    text = metrics.overall(twice).text
    assert "Evaluation 1 (split test, 9,001 images): Accuracy" in text
    assert "Evaluation 2 (split test, 9,001 images): Accuracy" in text


def test_an_evaluation_without_it_is_a_gap(full: Artefacts) -> None:
    poor = _with_evaluation(
        full,
        {},
        contrasts=(),
        subgroups=(),
        warnings=(),
        sweep=(),
        precision_recall={},
        decision=full.evaluations[0].decision.model_copy(update={"auc": None}),
    )
    for part in (metrics.within_sources, metrics.subgroups, metrics.warnings):
        with pytest.raises(Gap, match="No given evaluation"):
            part(poor)
    assert "net benefit" in metrics.measures(full).text
    assert "net benefit" not in metrics.measures(poor).text
    assert "AUC" in metrics.at_threshold(full).text
    assert "AUC" not in metrics.at_threshold(poor).text


def test_an_audit_that_leaves_nothing_open_is_a_gap(full: Artefacts) -> None:
    assert audited.checks(full).text == (
        "shortcuts fails: Seen in shortcuts.png. turns passes: Seen in turns.png."
    )
    assert audited.not_shown(full).text == "FAILED (shortcuts): See a.png."
    clean = full.audit.model_copy(update={"not_shown": ()})
    with pytest.raises(Gap, match="Every check of the audit passes"):
        audited.not_shown(replace(full, given_audit=clean))
