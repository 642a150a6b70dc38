import pytest

from pulmo.core.errors import UsageError
from pulmo.core.labels import LABELS, LabelScheme, check_label, class_numbers


def test_a_scheme_orders_and_merges() -> None:
    scheme = LabelScheme(("covid", "other"), {"viral": "other", "bacterial": "other"})
    assert list(class_numbers(LABELS, scheme.order, scheme.merge)) == [0, 1, 1, -1, -1, 1]


@pytest.mark.parametrize(
    ("order", "merge", "message"),
    [
        (("covid",), {}, "two or more"),
        (("covid", "covid"), {}, "two or more"),
        (("covid", "nromal"), {}, "Did you mean 'normal'"),
        (("covid", "normal"), {"viral": "other"}, "not in labels.order"),
        (("covid", "normal"), {"covid": "normal"}, "both"),
        (("covid", "normal"), {"x": "normal"}, "no label 'x'"),
    ],
)
def test_a_bad_scheme_is_refused(
    order: tuple[str, ...], merge: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        LabelScheme(order, merge)


def test_a_label_is_returned() -> None:
    assert check_label("viral") == "viral"
