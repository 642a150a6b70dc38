"""The Markdown of a filled checklist."""

from dataclasses import replace
from pathlib import Path

from fixtures.refuses import refuses
from pulmo.checklists.artefacts import Artefacts
from pulmo.checklists.checklist import CHECKLISTS, fill, tally
from pulmo.checklists.markdown import escape, render, write_checklists


def _page(name: str, artefacts: Artefacts) -> str:
    checklist = CHECKLISTS[name]
    return render(checklist, fill(checklist, artefacts), artefacts)


def test_a_cell_stays_a_cell() -> None:
    assert escape("a | b\n c \\| <img> & *d*") == r"a \| b c \\\| &lt;img> &amp; \*d\*"


def test_the_first_line_counts_what_is_answered_and_open(full: Artefacts) -> None:
    page = _page("claim", full)
    rows = fill(CHECKLISTS["claim"], full)
    whole, part, gaps = tally(rows)
    assert whole + part + gaps == 44
    assert page.splitlines()[0] == "# CLAIM 2024: three-way"
    assert page.splitlines()[2] == f"{tally(rows)} Missing answers are marked **GAP**."
    assert page.count("**GAP:**") >= part + gaps


def test_every_row_has_as_many_cells_as_its_head(full: Artefacts) -> None:
    for name in CHECKLISTS:
        width = 0
        for line in _page(name, full).splitlines():
            if not line.startswith("|"):
                width = 0
                continue
            cells = line.replace(r"\|", "").count("|") - 1
            assert cells == (width or cells), line
            width = cells


def test_a_row_in_full(full: Artefacts) -> None:
    page = _page("tripod-ai", full)
    row = (
        "| **15** Output (development) | The output, and how its thresholds were found. | A "
        "probability for each class, softmax(logits / 1.25), the temperature fitted on the "
        "validation images. A result is positive when the summed probability of covid and viral "
        "is at least 0.4321, which was chosen on the validation images for a sensitivity of 0.95 "
        "(reached there: sensitivity 0.951 (0.911-0.981), specificity 0.801 "
        "(0.711-0.881)).<br>**GAP:** State why this sensitivity is aimed at. | card.json: "
        "temperature, decision |"
    )
    assert row in page.splitlines()
    assert (
        "| **18a** Funding | Who paid, and their role. | **GAP:** Name them, or say none. |  |"
        in page
    )


def test_it_says_what_was_read(full: Artefacts, bare: Artefacts) -> None:
    page = _page("claim", full)
    assert "| images.parquet | 12 images, the training manifest of the model; " in page
    assert "| evaluation.json | 9,001 images, split test; " in page
    assert f"| audit.json | 2 checks on 2 images; {'e' * 64} |" in page
    page = _page("claim", bare)
    for name in ("manifest", "run", "evaluation.json", "audit.json"):
        assert f"| {name} | not given |" in page
    training = full.card.training.model_copy(update={"manifest_sha256": "0" * 64})
    other = replace(full, card=full.card.model_copy(update={"training": training}))
    unsplit = other.evaluations[0].data.model_copy(update={"split": None})
    evaluation = other.evaluations[0].model_copy(update={"data": unsplit})
    page = _page("claim", replace(other, evaluations=(evaluation,)))
    assert "not the training manifest of the model, so it is not used for the model" in page
    assert "9,001 images, no split named; " in page
    assert "images.parquet:" not in page
    assert "images.parquet:" in _page("datasheet", other)


def test_the_datasheet_counts_by_label(full: Artefacts, bare: Artefacts) -> None:
    page = _page("datasheet", full)
    assert "| label | covid | viral | normal | all |\n" in page
    assert "| all | 4 | 4 | 4 | 12 |" in page
    assert r"| ours \| yours | 2 | 2 | 2 | 6 |" in page
    assert "| age | 2 | 2 | 2 | 6 |" in page
    assert "| age band | " in page
    assert "| modality | 0" not in page
    given = full.images
    many = given.inspection.crossings["view"].model_copy(
        update={"others": 1200, "of_others": {"covid": 3}}
    )
    crossings = given.inspection.crossings | {"view": many}
    inspection = given.inspection.model_copy(update={"crossings": crossings})
    more = replace(full, given_images=replace(given, inspection=inspection))
    assert "| 1,200 further values | 3 | 0 | 0 | 3 |" in _page("datasheet", more)
    assert "## Counts of images" not in _page("datasheet", bare)


def test_what_a_person_may_have_written_is_not_lost(full: Artefacts, tmp_path: Path) -> None:
    written = write_checklists(full, tmp_path)
    assert [each.path.name for each in written] == ["CLAIM.md", "DATASHEET.md", "TRIPOD-AI.md"]
    assert all(each.path.read_text().startswith(f"# {each.title}: ") for each in written)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "CLAIM.md").unlink()
    with refuses("file-exists", "DATASHEET.md"):
        write_checklists(full, tmp_path)
    assert not (tmp_path / "CLAIM.md").exists()
    write_checklists(full, tmp_path / "again")
    assert {path.name: data for path, data in before.items()} == {
        path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()
    }
