from pathlib import Path

from pulmo.radiograph import KINDS, Note

PAGE = Path(__file__).parents[2] / "docs" / "images.md"


def test_a_note_reads_as_its_sentence() -> None:
    assert str(Note("aspect", "It was resampled.")) == "It was resampled."


def test_the_page_lists_every_kind() -> None:
    rows = PAGE.read_text().partition("## Kinds of notes")[2].splitlines()
    listed = dict(row[3:].removesuffix(" |").split("` | ", 1) for row in rows if row[:3] == "| `")
    assert listed == KINDS
