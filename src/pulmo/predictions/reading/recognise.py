"""Recognise: a table as its authors send it becomes one with pulmo's columns.

Nothing is guessed: what a column is follows from its name, or a user says it. What was read as
something else than it is called, and what was not used, is a note that reaches every output.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.datasets.manifest import COLUMNS
from pulmo.predictions.reading.classes import find_classes
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.roles import CONTEXT, NEEDED, Roles, bare, roles_of, unused_notes
from pulmo.predictions.reading.score_columns import UNNAMED
from pulmo.predictions.reading.table_file import TableFile
from pulmo.predictions.reading.values import as_numbers, as_text, inferred
from pulmo.radiograph.facts import age_of

_TEXT: Final = frozenset({*NEEDED, *CONTEXT}) - {"age"}
"""Roles whose values are text, also where all of them are numbers."""

_OWN: Final = frozenset(
    {*COLUMNS, *NEEDED, *CONTEXT, "decision", "positive", "positive_probability"}
)
"""Columns of pulmo's own tables, of which nothing is said."""

_FINDINGS: Final = ("y_", "p_", "d_")


class Recognised(NamedTuple):
    """A table with pulmo's columns.

    Attributes:
        table: `path`, `label` and what else is known; a `p_<class>` for each class or, where only
            decisions are known, `decision`; where an image has several findings, `y_` and `p_` of
            each.
        positive: the classes that count as positive, as the table spells them.
        notes: what was read as what, and what was not used, as sentences.
        findings: whether an image has several findings.
    """

    table: pd.DataFrame
    positive: tuple[str, ...]
    notes: tuple[str, ...]
    findings: bool = False


def recognise(file: TableFile, options: Options) -> Recognised:
    """Returns a table with pulmo's columns.

    Raises:
        InputError: the table lacks a column, or a value is not what its column holds.
        UsageError: an option does not fit the table, or must say what the table does not.
    """
    table = file.table.set_axis([str(name) for name in file.table.columns], axis=1)
    table = _with_groups(table, options.group)
    names = list(table.columns)
    findings = _has_findings(names)
    roles = _roles(names, options, findings=findings)
    notes = [*file.notes, *_read_as(roles), *roles.notes]
    table = _typed(_renamed(table, roles), decimal_comma=file.decimal_comma)
    table, doubts = _with_years(table, roles)
    notes += doubts
    if findings:
        used = [name for name in table.columns if name.startswith(_FINDINGS)]
        used += [options.group] if options.group else []
        notes += _unused(table.columns, used)
        return Recognised(table, options.positive, tuple(notes), findings=True)
    stated = find_classes(
        table, options, roles.columns.get("decision"), decimal_comma=file.decimal_comma
    )
    notes += [*stated.notes, *_unused(table.columns, [*stated.used, options.group or ""])]
    return Recognised(stated.table, stated.positive, tuple(notes))


def _with_groups(table: pd.DataFrame, column: str | None) -> pd.DataFrame:
    """Returns a table whose groups are those of a column, which keeps what else it is."""
    if column is None:
        return table
    if column not in table:
        raise UsageError(
            "column-unknown",
            f"The table has no column {column}, which was named for the groups; it has "
            f"{', '.join(table.columns)}.",
        )
    return table.assign(group=table[column])


def _has_findings(names: Sequence[str]) -> bool:
    """Tells whether a table holds the truth of several findings, `y_<finding>`.

    One with a column of labels does if there is a `y_<finding>` for a `p_<finding>`.
    """
    known = NEEDED["label"] | NEEDED["decision"] | UNNAMED
    truths = {name[2:] for name in names if name[:2] == "y_" and name[2:]}
    truths = {name for name in truths if bare(f"y_{name}") not in known}
    scores = {name[2:] for name in names if name[:2] == "p_"}
    labelled = any(bare(name) in NEEDED["label"] for name in names)
    return bool(truths & scores) or (bool(truths) and not labelled)


def _roles(names: Sequence[str], options: Options, *, findings: bool) -> Roles:
    if not findings:
        return roles_of(names, {"label": options.truth, "decision": options.decision})
    # What is true and what is decided is in the columns of each finding.
    apart = NEEDED["label"] | NEEDED["decision"]
    free = [
        name
        for name in names
        if name == "label" or not (name.startswith(_FINDINGS) or bare(name) in apart)
    ]
    return roles_of(free, {})


def _read_as(roles: Roles) -> list[str]:
    """Says which columns were read under another name."""
    others = [f"{name} as {role}" for role, name in roles.columns.items() if name != role]
    return [f"Read under another name: {', '.join(others)}."] if others else []


def _renamed(table: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    """Returns a table whose roles have their names; a column that bears another's gives way."""
    taken = {name: role for role, name in roles.columns.items()}
    given_way = [role for name, role in taken.items() if name != role and role in table.columns]
    return table.drop(columns=given_way).rename(columns=taken)


def _typed(table: pd.DataFrame, *, decimal_comma: bool) -> pd.DataFrame:
    """Returns a table with numbers and truths where a column of text holds such."""
    columns = {
        name: as_text(table[name])
        if name in _TEXT
        else inferred(table[name], decimal_comma=decimal_comma)
        for name in table.columns
    }
    for name in ("label", "decision"):
        if name in columns:  # codes of classes that a program wrote as numbers with a point
            columns[name] = columns[name].str.replace(r"^([01])[.,]0+$", r"\1", regex=True)
    return pd.DataFrame(columns, index=table.index)


def _with_years(table: pd.DataFrame, roles: Roles) -> tuple[pd.DataFrame, list[str]]:
    """Reads ages in years, also those of DICOM, as 065Y; what is neither counts as unknown."""
    if "age" not in table or as_numbers(table["age"], decimal_comma=True) is not None:
        return table, []
    given = table["age"].dropna().astype(str)
    years = given.map(_years).reindex(table.index).astype("Float64")
    lost = int(years.reindex(given.index).isna().sum())
    name = roles.columns.get("age", "age")
    doubt = (
        f"{lost:,} of {len(given):,} values of {name} are not ages in years and count as unknown."
    )
    return table.assign(age=years), [doubt] if lost else []


def _years(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return age_of(text.strip())


def _unused(names: Iterable[str], used: Iterable[str]) -> list[str]:
    taken = _OWN | set(used)
    return unused_notes(name for name in names if name not in taken)
