"""Roles: which column of a table that others wrote is what, by its name."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from pulmo.core.errors import InputError, UsageError

NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "path": frozenset({
        "path", "image", "img", "file", "filename", "filepath", "imagepath", "imgpath",
        "imagename", "imgname", "imagefile", "imageid", "imgid", "imageindex",
    }),
    "label": frozenset({
        "label", "true", "truth", "ytrue", "target", "groundtruth", "gt", "actual", "truelabel",
        "trueclass", "labeltrue", "classtrue", "reference", "referencestandard",
    }),
    "decision": frozenset({
        "decision", "prediction", "predicted", "pred", "ypred", "yhat", "predictedlabel",
        "predictedclass", "predlabel", "predclass", "predictionlabel", "labelpred", "classpred",
    }),
}  # fmt: skip
"""Role -> names that are read as it, without case, spaces and marks."""

CONTEXT: Final[Mapping[str, frozenset[str]]] = {
    "patient": frozenset({"patient", "patientid", "patientnumber", "subject", "subjectid"}),
    "source": frozenset({"source", "hospital", "site", "centre", "center", "institution"}),
    "sex": frozenset({"sex", "gender", "patientsex", "patientgender"}),
    "age": frozenset({"age", "patientage", "ageyears", "ageinyears"}),
    "view": frozenset({"view", "viewposition", "projection"}),
    "group": frozenset({"group"}),
    "split": frozenset({"split"}),
    "origin": frozenset({"origin"}),
    "sha256": frozenset({"sha256"}),
}
"""The same for columns that may be there: facts of the images."""

_MEANINGS: Final = {
    "path": "the image's file",
    "label": "the truth",
    "decision": "what was decided",
}

_HINTS: Final[Mapping[str, tuple[str, str]]] = {
    "source": ("the source of the images", r"hospital|site|cent(?:er|re)|institut|dataset|cohort"),
    "patient": ("the patient", r"patient|subject"),
    "sex": ("the patient's sex", r"sex|gender"),
    "age": ("the patient's age in years", r"age"),
    "view": ("the view", r"view|projection"),
    "label": ("the truth", r"truth|diagnosis|class|target"),
}
"""Role -> what it is, and words by which it may be meant."""


class Roles(NamedTuple):
    """Which column is what.

    Attributes:
        columns: role -> column of the table.
        notes: what was read under another name, or was not because two were meant, as sentences.
    """

    columns: dict[str, str]
    notes: tuple[str, ...]


def bare(name: str) -> str:
    """Returns a name without case, spaces and marks; of marks alone as it is."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in folded if letter.isalnum()) or folded.strip()


def roles_of(names: Sequence[str], stated: Mapping[str, str | None]) -> Roles:
    """Finds the roles of columns.

    A column that bears a role's own name has it, whatever else there is. Of others the name must be
    one of those that are read as it, and the only one.

    Args:
        names: the columns.
        stated: role -> the column that a user named for it.

    Raises:
        UsageError: a column that was named is not there.
        InputError: two columns may be what must be known.
    """
    columns = {role: _stated(role, name, names) for role, name in stated.items() if name}
    notes = []
    for role, known in {**NEEDED, **CONTEXT}.items():
        free = [name for name in names if name not in columns.values()]
        if role in columns:
            continue
        if role in free:
            columns[role] = role
            continue
        found = [name for name in free if bare(name) in known]
        if len(found) == 1:
            columns[role] = found[0]
        elif found and role in CONTEXT:
            notes.append(
                f"The columns {', '.join(found)} may each be the {role}; none was used. Name the "
                f"right one {role}."
            )
        elif found:
            raise InputError(
                "column-ambiguous",
                f"The columns {', '.join(found)} may each be {_MEANINGS[role]}. Name the right one "
                f"{role}.",
            )
    return Roles(columns, tuple(notes))


def _stated(role: str, name: str, names: Sequence[str]) -> str:
    if name in names:
        return name
    alike = [each for each in names if each.casefold() == name.casefold()]
    if len(alike) == 1:
        return alike[0]
    raise UsageError(
        "column-unknown",
        f"The table has no column {name} to read as {role}; it has {', '.join(names)}.",
    )


def unused_notes(names: Iterable[str]) -> list[str]:
    """Says which columns were not used, and what was probably meant by them."""
    unused = list(names)
    notes = [f"Not used: {'column' if len(unused) == 1 else 'columns'} {', '.join(unused)}."]
    for name in unused:
        # PatientAgeBand and patient_age_band have the same words.
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+", " ", name).lower()
        for role, (what, pattern) in _HINTS.items():
            if re.search(rf"\b(?:{pattern})", words):
                notes.append(f"{name} was not used: if it is {what}, name it {role}.")
                break
    return notes if unused else []
