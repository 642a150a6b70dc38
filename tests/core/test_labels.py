import pytest

from fixtures.refuses import refuses
from pulmo.core.labels import LABELS, LabelScheme, check_label, class_numbers


def test_a_scheme_orders_and_merges() -> None:
    scheme = LabelScheme(("covid", "other"), {"viral": "other", "bacterial": "other"})
    assert list(class_numbers(LABELS, scheme.order, scheme.merge)) == [0, 1, 1, -1, -1, 1]


@pytest.mark.parametrize(
    ("order", "merge", "refused"),
    [
        (("covid",), {}, ("labels-too-few",)),
        (("covid", "covid"), {}, ("labels-too-few",)),
        (("covid", "nromal"), {}, ("label-unknown", "Did you mean 'normal'")),
        (("covid", "normal"), {"viral": "other"}, ("merge-target-unknown",)),
        (("covid", "normal"), {"covid": "normal"}, ("label-ordered-and-merged",)),
        (("covid", "normal"), {"x": "normal"}, ("label-unknown", "'x'")),
    ],
)
def test_a_bad_scheme_is_refused(
    order: tuple[str, ...], merge: dict[str, str], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        LabelScheme(order, merge)


def test_a_label_is_returned() -> None:
    assert check_label("viral") == "viral"
