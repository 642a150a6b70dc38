"""The test images, what the models say of them, and how they are drawn."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fixtures.lungs import Blind
from fixtures.refuses import refuses
from pulmo.audit.context import AuditContext
from pulmo.audit.found_lungs import FoundLungs
from pulmo.audit.parts import AuditOptions, Part
from pulmo.bundle.card import Card
from pulmo.bundle.outcome import probabilities
from pulmo.core.labels import LabelScheme
from pulmo.core.noted import UNKNOWN
from pulmo.datasets.cache import cache_folder
from pulmo.lungs import shipped_finder
from pulmo.lungs.mask_files import find_masks
from pulmo.radiograph import read_radiograph
from pulmo.stats.overlap import dice

MakeCard = Callable[..., Card]
MakeRows = Callable[..., pd.DataFrame]
MakeContext = Callable[..., AuditContext]


LUNGS = {"region": "lungs", "lungs": shipped_finder().sha256}


def brightness(images: NDArray[np.uint8]) -> NDArray[np.floating]:
    mean = images.mean(axis=(1, 2)) / 255
    return np.stack([-mean, mean], axis=1)


def test_rows_of_unknown_labels_take_no_part(
    make_rows: MakeRows, tell: MakeContext, make_card: MakeCard
) -> None:
    rows = make_rows(["normal", "other", "covid", "viral"])
    scheme = LabelScheme(("normal", "covid"), {"viral": "covid"})
    card = make_card().model_copy(update={"labels": scheme})
    context = tell(rows, np.full((4, 2), 0.5), card=card)
    assert context.rows["class"].tolist() == ["normal", "covid", "covid"]
    assert context.rows.index.tolist() == [0, 1, 2]
    assert context.truth.tolist() == [0, 1, 1]
    assert context.skipped == 1
    assert context.known_rows(rows)["label"].tolist() == ["normal", "covid", "viral"]


def test_no_image_to_evaluate_is_an_error(make_rows: MakeRows, tell: MakeContext) -> None:
    with refuses("labels-not-of-model", "normal, covid"):
        tell(make_rows(["other"]), np.full((1, 2), 0.5))


def test_parts_must_agree(
    make_rows: MakeRows, make_context: MakeContext, make_card: MakeCard
) -> None:
    one = make_context(make_rows(["normal"]), brightness)
    two = make_context(make_rows(["normal"]), brightness, card=make_card(("covid", "normal")))
    with refuses("models-differ"):
        AuditContext([*one.parts, *two.parts], one.options)


def test_drawn_images_are_read_and_answered(
    write_images: MakeRows, make_context: MakeContext
) -> None:
    rows = write_images(["normal"] * 20 + ["covid"] * 20)
    context = make_context(rows, brightness)
    assert context.images.shape == (40, 64, 64)
    expected = probabilities(brightness(context.images).astype(np.float32), 1.0)
    np.testing.assert_allclose(context.probabilities, expected)
    np.testing.assert_array_equal(context.sample.decided, expected.argmax(axis=1))
    np.testing.assert_allclose(context.decisions.positive_probability, expected[:, 1])
    numbers = np.array([30, 2, 2])
    changed = context.predict(lambda images: 255 - images, numbers)
    expected = probabilities(brightness(255 - context.images[numbers]).astype(np.float32), 1.0)
    np.testing.assert_allclose(changed, expected)


def test_each_row_is_answered_by_the_model_of_its_part(
    write_images: MakeRows, make_context: MakeContext, make_card: MakeCard
) -> None:
    card = make_card()
    cool = make_context(
        write_images(["normal"] * 3), lambda some: np.tile([0.0, 1.0], (len(some), 1))
    )
    warm = make_context(
        write_images(["covid"] * 2, 3),
        lambda some: np.tile([0.0, 3.0], (len(some), 1)),
        card=card.model_copy(update={"temperature": 3.0}),
    )
    both = AuditContext([*cool.parts, *warm.parts], cool.options)
    assert both.part.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_allclose(both.probabilities[:, 1], 1 / (1 + np.exp(-1)))
    logits = both.networks.run(both.images[[4, 0]], np.array([4, 0])).logits
    assert logits[:, 1].tolist() == [3.0, 1.0]


def test_what_is_not_a_number_is_an_error(make_rows: MakeRows, tell: MakeContext) -> None:
    context = tell(make_rows(["normal"]), np.array([[np.nan, 1.0]]))
    with refuses("output-not-finite", "fake"):
        _ = context.outputs


def test_groups_are_numbered_without_gaps(make_rows: MakeRows, tell: MakeContext) -> None:
    rows = make_rows(["normal"] * 4).assign(group=["b", "a", "b", "c"])
    context = tell(rows, np.full((4, 2), 0.5))
    assert context.groups.tolist() == [0, 1, 0, 2]
    sample = context.sample_of(context.probabilities[[3, 0]], np.array([3, 0]))
    assert sample.groups.tolist() == [1, 0]
    assert sample.truth.tolist() == [0, 0]


def test_some_images_are_drawn_of_each_class_in_proportion(
    make_rows: MakeRows, tell: MakeContext
) -> None:
    rows = make_rows(["normal"] * 90 + ["covid"] * 10)
    context = tell(rows, np.full((100, 2), 0.5))
    assert context.some.tolist() == list(range(100))
    few = AuditContext(context.parts, AuditOptions(context.options.cache, limit=20))
    assert len(few.some) == 20
    assert np.bincount(few.truth[few.some]).tolist() == [18, 2]
    assert (np.diff(few.some) > 0).all()
    again = AuditContext(context.parts, AuditOptions(context.options.cache, limit=20))
    np.testing.assert_array_equal(few.some, again.some)


def test_each_check_has_its_own_randomness(make_rows: MakeRows, tell: MakeContext) -> None:
    context = tell(make_rows(["normal"]), np.full((1, 2), 0.5))
    first, again, other = (context.generator(name).random() for name in ("a", "a", "b"))
    assert first == again != other


def test_masks_are_found_and_shaped_like_the_input(
    write_images: MakeRows, make_context: MakeContext
) -> None:
    rows = write_images(["normal"] * 2)
    bare = make_context(rows, brightness)
    assert bare.has_mask(rows).tolist() == [False, False]
    root = bare.options.cache.parent / "masks"
    (root / "images" / "000001.png").unlink()
    masked = make_context(rows, brightness, options=AuditOptions(cache_folder(), find_masks(root)))
    assert masked.has_mask(rows).tolist() == [True, False]
    lungs = masked.masks_of(rows.iloc[:1])
    assert lungs.shape == (1, 64, 64)
    assert 0.05 < lungs.mean() < 0.6


def test_a_part_is_a_model_and_its_rows(make_rows: MakeRows, make_context: MakeContext) -> None:
    rows = make_rows(["normal", "covid"])
    part = make_context(rows, brightness, fit=rows.iloc[:1]).parts[0]
    assert isinstance(part, Part)
    assert part.fitted["path"].tolist() == rows["path"].tolist()[:1]


def test_a_folder_without_masks_is_refused(tmp_path: Path) -> None:
    with refuses("lung-masks-missing"):
        find_masks(tmp_path)


def test_masks_show_the_part_of_the_image_that_the_model_sees(
    write_images: MakeRows, make_context: MakeContext, make_card: MakeCard, tmp_path: Path
) -> None:
    rows = write_images(["normal", "covid"] * 4)
    card = make_card()
    seen = card.model_copy(update={"input": card.input.model_copy(update=LUNGS)})
    folder = find_masks(tmp_path / "masks")
    for lungs in (folder, FoundLungs(shipped_finder(), tmp_path / "cache")):
        options = AuditOptions(tmp_path / "cache", lungs)
        whole = make_context(rows, brightness, card=card, options=options)
        part = make_context(rows, brightness, card=seen, options=options)
        part.model.network.finder = Blind([rows["sha256"].iloc[5]])
        assert part.image_notes == {UNKNOWN: len(rows)}
        cropped, masks = part.masks_of(rows), whole.masks_of(rows)
        assert part.image_notes == {UNKNOWN: len(rows), "no-lungs": 1}
        assert whole.image_notes == {UNKNOWN: len(rows)}
        assert not np.array_equal(part.images, whole.images)
        assert np.array_equal(part.images[5], whole.images[5])
        assert np.array_equal(cropped[5], masks[5])
        for row, mask in enumerate(cropped):
            if row == 5:
                continue
            found = shipped_finder().find(read_radiograph(rows["path"].iloc[row]))
            box, drawn = found.box(0.05), folder.of(rows["path"].iloc[row])
            assert box is not None
            assert drawn is not None
            of_image = read_radiograph(drawn).pixels if lungs is folder else found.mask
            truth = box.of(np.asarray(of_image, np.float32))
            resized = cv2.resize(truth, mask.shape, interpolation=cv2.INTER_LINEAR) > 0.5
            assert dice(mask[None], resized[None])[0] > 0.95


def test_models_that_see_the_lungs_by_other_networks_differ(
    make_rows: MakeRows, make_context: MakeContext, make_card: MakeCard
) -> None:
    card = make_card()
    seen = card.model_copy(update={"input": card.input.model_copy(update=LUNGS)})
    one, two = (make_context(make_rows(["normal"]), brightness, card=seen) for _ in range(2))
    one.model.network.finder, two.model.network.finder = Blind(()), Blind(())
    AuditContext([*one.parts, *two.parts], one.options)
    two.model.network.finder.sha256 = "1" * 64
    with refuses("models-differ"):
        AuditContext([*one.parts, *two.parts], one.options)
