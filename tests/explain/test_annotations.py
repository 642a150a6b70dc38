import numpy as np
from numpy.typing import NDArray

from pulmo.decide.detections import Detection
from pulmo.explain.annotations import Annotations, draw_annotations

GREY = np.full((200, 300, 3), 120, np.uint8)
SLOPE = np.tile(np.linspace(0, 1, 300, dtype=np.float32), (200, 1))


def changed(annotations: Annotations, evidence: NDArray[np.float32] | None) -> NDArray[np.bool_]:
    """Which pixels of a grey image differ."""
    drawn = draw_annotations(GREY, evidence, annotations)
    assert (GREY == 120).all()
    return np.asarray((drawn != GREY).any(axis=2))


def test_nothing_is_drawn_where_nothing_is_known() -> None:
    assert not changed(Annotations(), SLOPE).any()
    assert Annotations().legend == ""


def test_the_outline_follows_the_edge_of_the_lungs() -> None:
    lungs = np.zeros((20, 30), bool)
    lungs[5:15, 5:10] = True
    there = changed(Annotations(outline=lungs), None)
    edge = np.zeros((200, 300), bool)
    edge[50:150, 50:100] = True
    edge[58:142, 58:92] = False
    assert there.any()
    assert there[edge].mean() > 0.4
    assert not there[70:130, 65:85].any()
    assert not there[:, 120:].any()


def test_contours_lie_at_their_shares_of_the_scale() -> None:
    there = changed(Annotations(contours=True), SLOPE)
    columns = np.flatnonzero(there[5:-5].all(axis=0))
    for level in (0.25, 0.5, 0.75):
        assert np.abs(columns - level * 299).min() <= 2
    assert not there[:, 100:140].any()
    assert not changed(Annotations(contours=True), None).any()


def test_a_detection_is_boxed_on_the_painted_image_alone() -> None:
    annotations = Annotations(detections=[Detection(0.2, 0.25, 0.4, 0.5, 3.14)])
    there = changed(annotations, SLOPE)
    assert there[50:150, 60].all()
    assert there[149, 60:180].all()
    assert not there[80:120, 80:160].any()
    assert not changed(annotations, None).any()


def test_the_letters_stand_at_the_patients_sides() -> None:
    right_at_left = draw_annotations(GREY, None, Annotations(patient_right="left"))
    right_at_right = draw_annotations(GREY, None, Annotations(patient_right="right"))
    r_left, l_right = right_at_left[:40, 10:28], right_at_left[:40, -28:-10]
    l_left, r_right = right_at_right[:40, 10:28], right_at_right[:40, -28:-10]
    np.testing.assert_array_equal(r_left, r_right)
    np.testing.assert_array_equal(l_left, l_right)
    assert (r_left != l_left).any()
    assert (right_at_left[60:] == 120).all()


def test_the_legend_says_what_is_drawn_and_no_more() -> None:
    legend = Annotations(contours=True, patient_right="left").legend
    assert "25, 50 and 75 %" in legend
    assert "sides" in legend
    assert "lungs" not in legend
    assert "Boxes" not in legend
