import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.select import Condition, select


@pytest.fixture
def manifest() -> Manifest:
    count = 6
    return Manifest(
        pd.DataFrame(
            {
                "path": [f"/data/{row}.png" for row in range(count)],
                "sha256": [f"{row:064d}" for row in range(count)],
                "label": ["covid", "normal", "viral", "covid", "normal", "viral"],
                "group": list("abcdef"),
                "source": ["cohen", "cohen", "kermany", "kermany", "nih", "nih"],
                "view": ["PA", None, "AP", "lateral", "PA", None],
                "modality": ["CR", "DX", "CT", None, "X-ray", "X-ray"],
                "age": [50, 17, None, 18, 3, 90],
                "width": 100,
                "height": 100,
                "split": ["train", "test", "val", None, "train", "test"],
            }
        )
    )


@pytest.mark.parametrize(
    ("conditions", "rows", "unknown"),
    [
        (["view=PA|AP"], [0, 2, 4], {"view": 2}),
        (["view!=PA"], [2, 3], {"view": 2}),
        (["view=PA|unknown"], [0, 1, 4, 5], {}),
        (["view!=unknown"], [0, 2, 3, 4], {}),
        (["age>=18"], [0, 3, 5], {"age": 1}),
        (["age<18", "source!=nih"], [1], {"age": 1}),
        (["age = 18|50"], [0, 3], {"age": 1}),
        (["modality=X-ray"], [0, 1, 4, 5], {"modality": 1}),
        (["split=test"], [1, 5], {"split": 1}),
    ],
)
def test_images_that_fulfil_all_conditions_are_taken(
    manifest: Manifest, conditions: list[str], rows: list[int], unknown: dict[str, int]
) -> None:
    selected = select(manifest, [Condition.parse(text) for text in conditions])
    assert selected.manifest == manifest.select(rows)
    assert selected.unknown == unknown


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("view", "condition-invalid"),
        ("=PA", "condition-invalid"),
        ("wiev=PA", "manifest-column-unknown"),
        ("view>PA", "condition-without-order"),
        ("age>1|2", "condition-without-order"),
        ("age>old", "condition-value-invalid"),
        ("age=old", "condition-value-invalid"),
    ],
)
def test_what_is_no_condition_is_refused(manifest: Manifest, text: str, code: str) -> None:
    with refuses(code):
        select(manifest, [Condition.parse(text)])


def test_a_value_may_hold_signs() -> None:
    condition = Condition.parse("origin=Hospital <A>=1")
    assert condition == ("origin", "=", ("Hospital <A>=1",))
