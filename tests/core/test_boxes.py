from pulmo.core.boxes import Box, boxes_of_text, boxes_to_text


def test_boxes_survive_their_text() -> None:
    boxes = (Box("Pneumonie \u00e0 droite", 0.1, 0.25, 0.5, 0.125), Box("Mass", 0, 0, 1, 1))
    assert boxes_of_text(boxes_to_text(boxes)) == boxes


def test_no_box_is_no_text() -> None:
    assert boxes_to_text(()) is None
    assert boxes_of_text(None) == ()
