"""The checklists: whole, truthful with everything there is, and open without it."""

import re

import pytest

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import (
    CHECKLISTS,
    Checklist,
    Item,
    Row,
    Statement,
    answer,
    fill,
    tally,
)


def _row(name: str, number: str, artefacts: Artefacts) -> Row:
    return next(row for row in fill(CHECKLISTS[name], artefacts) if row.item.number == number)


def _text(row: Row) -> str:
    return "\n".join(said.text for said in row.statements)


@pytest.fixture(params=sorted(CHECKLISTS))
def checklist(request: pytest.FixtureRequest) -> Checklist:
    return CHECKLISTS[request.param]


def test_every_item_has_a_number_a_topic_and_a_paraphrase(checklist: Checklist) -> None:
    items = checklist.items
    assert len({item.number for item in items}) == len(items)
    assert all(item.number and item.topic and item.asks.endswith(".") for item in items)
    assert all(item.todo.endswith(".") or not item.todo for item in items)


def test_every_item_has_an_answer_or_says_what_to_write(checklist: Checklist) -> None:
    assert all(item.parts or item.todo for item in checklist.items)


def test_the_numbers_are_those_of_the_guidelines() -> None:
    claim = [item.number for item in CHECKLISTS["claim"].items]
    assert claim == [str(number) for number in range(1, 45)]
    tripod = [item.number for item in CHECKLISTS["tripod-ai"].items]
    assert list(dict.fromkeys(re.sub(r"\D", "", number) for number in tripod)) == [
        str(number) for number in range(1, 28)
    ]
    assert len(tripod) == 52
    datasheet = CHECKLISTS["datasheet"].sections
    assert [len(section.items) for section in datasheet] == [3, 15, 11, 3, 5, 6, 7]
    for place, section in enumerate(datasheet, start=1):
        numbers = [item.number for item in section.items]
        assert numbers == [f"{place}.{number}" for number in range(1, len(numbers) + 1)]


def test_with_everything_each_item_with_parts_is_answered(
    checklist: Checklist, full: Artefacts
) -> None:
    for row in fill(checklist, full):
        assert bool(row.statements) == bool(row.item.parts), row
        assert all(said.text.endswith(".") and said.where for said in row.statements)


def test_with_the_card_alone_gaps_say_what_is_missing(
    checklist: Checklist, bare: Artefacts
) -> None:
    rows = fill(checklist, bare)
    for row in rows:
        places = {said.where.partition(":")[0] for said in row.statements}
        assert places <= {"card.json", "model.onnx, MODEL_CARD.md"}, row
        assert len(row.statements) == len(row.item.parts) or row.gaps
    gaps = " ".join(gap for row in rows for gap in row.gaps)
    whole = ("the manifest", "an evaluation", "the run", "an audit")
    missing = whole if checklist.of_model else ("the manifest",)
    assert all(f"Give {what}" in gaps or f"of {what}" in gaps for what in missing)


def test_a_gap_is_never_silently_filled(checklist: Checklist, full: Artefacts) -> None:
    for row in fill(checklist, full):
        assert not row.item.todo or row.gaps[-1] == row.item.todo
    rows = fill(checklist, full)
    assert sum(tally(rows)) == len(checklist.items)


def test_an_item_is_answered_in_part_if_a_part_or_a_person_is_missing(full: Artefacts) -> None:
    def says(_: Artefacts) -> Statement:
        return Statement("So.", "a.json: b")

    def doubts(_: Artefacts) -> Statement:
        return Statement("So.", "a.json: b", "Say why.")

    def lacks(_: Artefacts) -> Statement:
        raise Gap("Add it.")

    parts = ((says,), (says, lacks), (doubts,), (lacks,), ())
    rows = [answer(Item("1", "One", "What.", each), full) for each in parts[:4]]
    rows += [answer(Item("1", "One", "What.", each, "Write."), full) for each in parts]
    gaps = [(), ("Add it.",), ("Say why.",), ("Add it.",), ("Write.",)]
    gaps += [("Add it.", "Write."), ("Say why.", "Write."), ("Add it.", "Write."), ("Write.",)]
    assert [row.gaps for row in rows] == gaps
    assert tally(rows) == (1, 5, 3)
    assert str(tally(rows)) == ("9 items: 1 answered from the artefacts, 5 in part, 3 open.")


def test_a_few_answers_in_full(full: Artefacts) -> None:
    assert _text(_row("claim", "24", full)) == "Started from random weights."
    assert _text(_row("claim", "26", full)).splitlines()[0] == (
        "The weights of epoch 4 of 5 were kept (validation loss 0.3000)."
    )
    assert _text(_row("claim", "23", full)) == (
        "Python 3.11.7, pulmo 0.1.0, torch 2.15.0; Linux; cpu, fp32, threads: 1."
    )
    assert _text(_row("claim", "39", full)) == (
        "Evaluation (split test, 9,001 images): covid decided as covid 2,901, viral 60, normal "
        "40; viral decided as covid 70, viral 2,900, normal 32; normal decided as none."
    )
    sides = _text(_row("claim", "19", full)).splitlines()[0]
    assert sides.startswith("train: 6 (50.0 %; covid 2, viral 2, normal 2); val: 2 (16.7 %; ")
    # The first six images have ages from 40 to 45.
    people = _text(_row("claim", "36", full)).splitlines()[0]
    assert (
        "train: age of 6 of 6 stated (median 42.5 years, 40 to 45), sex not stated 2, F 2, M 2"
        in people
    )
    assert "val: age of 0 of 2 stated, sex F 1, M 1" in people
    assert "on no side: age of 0 of 2 stated" in people
    assert _text(_row("claim", "20", full)).startswith(
        "The splits are separated by group (one patient, and known copies). No group of images is "
        "in two splits. The patient of 2 of 12 images is unknown"
    )
    assert "fold 0 2, fold 1 2, fold 2 2" in _text(_row("claim", "19", full))
    imbalance = _text(_row("tripod-ai", "13", full)).splitlines()[0]
    assert imbalance == "Class weights covid 2, oversampling none, loss focal (alpha 1, gamma 2)."


def test_a_source_that_is_not_known_is_a_gap(full: Artefacts) -> None:
    row = _row("claim", "7", full)
    assert "kermany (6 images): Kermany et al. 2018" in _text(row)
    assert row.gaps == (
        "State where these images are from, and under which terms: ours | yours (6 images).",
    )


def test_sentences_lose_their_folders(checklist: Checklist, full: Artefacts) -> None:
    said = " ".join(_text(row) for row in fill(checklist, full))
    assert "jane" not in said
    assert "Jane" not in said
