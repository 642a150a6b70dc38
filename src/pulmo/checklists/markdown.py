"""A filled checklist as Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.checklists.artefacts import Artefacts
from pulmo.checklists.checklist import CHECKLISTS, Checklist, Row, Tally, fill, tally
from pulmo.checklists.phrases import images
from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically

_HEAD: Final = ("Item", "What it asks", "Answer from the artefacts", "Where")
_LIMIT: Final = (
    "The answers state only what the artefacts contain. The authors must decide whether this is "
    "enough."
)
_SAME: Final = "the training manifest of the model"
_OTHER: Final = "not the training manifest of the model, so it is not used for the model"
# HTML in a text would be drawn as such, a bar ends a cell, and a line break ends a row.
_ESCAPES: Final = {"\\": "\\\\", "|": "\\|", "&": "&amp;", "<": "&lt;", "*": "\\*"}


class Written(NamedTuple):
    """A file that was written, and how far its checklist is answered."""

    path: Path
    title: str
    tally: Tally


def write_checklists(artefacts: Artefacts, folder: Path) -> list[Written]:
    """Writes every checklist into a folder.

    Raises:
        InputError: one of the files is there, where a person may have closed gaps, or a file
            cannot be written.
    """
    for checklist in CHECKLISTS.values():
        path = folder / checklist.file
        if path.exists():
            raise InputError(
                "file-exists",
                f"{path} exists and is not overwritten: it may contain changes made by hand. "
                "Name another folder, or remove the file.",
            )
    written = []
    for checklist in CHECKLISTS.values():
        rows = fill(checklist, artefacts)
        path = folder / checklist.file
        write_atomically(path, render(checklist, rows, artefacts).encode())
        written.append(Written(path, checklist.title, tally(rows)))
    return written


def render(checklist: Checklist, rows: Sequence[Row], artefacts: Artefacts) -> str:
    """Returns a filled checklist as Markdown.

    Args:
        checklist: the checklist.
        rows: its answers, as `fill` gives them.
        artefacts: what they come from.
    """
    card = artefacts.card
    blocks = [
        f"# {checklist.title}: {escape(card.name)}",
        f"{tally(list(rows))} Missing answers are marked **GAP**.",
        f"{checklist.source} {checklist.note}",
        _LIMIT,
        "## Artefacts\n\n" + table(("Artefact", "Content"), _read(artefacts)),
    ]
    answers = iter(rows)
    for section in checklist.sections:
        cells = [_cells(next(answers)) for _ in section.items]
        blocks.append(f"## {section.title}\n\n" + table(_HEAD, cells))
    if checklist.tables and artefacts.given_images:
        blocks.append(checklist.tables(artefacts))
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """Returns a text for a cell of a table, in which nothing of it is taken for Markdown."""
    return "".join(_ESCAPES.get(mark, mark) for mark in " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(row: Row) -> tuple[str, str, str, str]:
    answers = [escape(statement.text) for statement in row.statements]
    answers += [f"**GAP:** {escape(gap)}" for gap in row.gaps]
    places = dict.fromkeys(escape(statement.where) for statement in row.statements)
    item = row.item
    title = f"**{item.number}** {escape(item.topic)}"
    return title, escape(item.asks), "<br>".join(answers), "<br>".join(places)


def _read(artefacts: Artefacts) -> Iterator[tuple[str, str]]:
    """Yields each artefact with its identity."""
    card = artefacts.card
    yield "card.json", f"{escape(card.name)}, {card.created}; model.onnx {artefacts.model_sha256}"
    given = artefacts.given_images
    if given:
        which = _OTHER if artefacts.has_other_images else _SAME
        content = f"{images(len(given.table))}, {which}; {given.inspection.manifest_sha256}"
        yield escape(given.name), content
    else:
        yield "manifest", "not given"
    run = artefacts.given_run
    yield "run", f"recipe {run.recipe.name}; {run.recipe.sha256}" if run else "not given"
    for evaluation in artefacts.evaluations:
        data = evaluation.data
        which = f"split {data.split}" if data.split else "no split named"
        if chosen := (*data.views, *data.modalities):
            which += f", only {', '.join(chosen)}"
        yield "evaluation.json", f"{images(data.n)}, {escape(which)}; {data.manifest_sha256}"
    if not artefacts.evaluations:
        yield "evaluation.json", "not given"
    found = artefacts.given_audit
    if found:
        content = f"{len(found.checks)} checks on {images(found.data.n)}"
        yield "audit.json", f"{content}; {found.data.manifest_sha256}"
    else:
        yield "audit.json", "not given"
