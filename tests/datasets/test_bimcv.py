import pytest

from pulmo.core.labels import LABELS as VOCABULARY
from pulmo.datasets.bimcv import EXCLUDED, LABELS, exclusion_of, findings_of


def test_the_table_is_of_labels() -> None:
    assert {*LABELS.values()} == {"normal", "pneumonia", "other", None}
    assert {*filter(None, LABELS.values())} < {*VOCABULARY}
    assert not LABELS.keys() & EXCLUDED.keys()
    # The paper counts 174 findings and 19 diagnoses, with the two words that exclude.
    assert 185 < len(LABELS) < 195
    assert all(word == " ".join(word.split()) != "" for word in LABELS)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("['normal']", ["normal"]),
        ("[' COPD signs ', 'double  J stent', '', 'COPD signs']", ["COPD signs", "double J stent"]),
        ("[\"pneumonia\"\t'nodule']", ["pneumonia", "nodule"]),
        (" [ ] ", []),
        ("['a', 'b',]", ["a", "b"]),
    ],
)
def test_a_list_of_findings(text: str, findings: list[str]) -> None:
    assert findings_of(text) == findings


@pytest.mark.parametrize(
    "text", ["", "normal", "['normal'", "['a' 'b']", "['a', b]", "['a',]x", "[", "[']", "['a'b]"]
)
def test_what_is_no_list(text: str) -> None:
    with pytest.raises(ValueError, match="are no list"):
        findings_of(text)


def test_words_that_leave_an_image_out() -> None:
    assert exclusion_of(["normal", "suboptimal study"]) == "its study is suboptimal"
    assert exclusion_of(["exclude"]) == "the set excludes it"
    assert exclusion_of(["normal"]) is None
