"""A datasheet of the images, after Datasheets for Datasets."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulmo.checklists.artefacts import Artefacts
from pulmo.checklists.checklist import CHECKLISTS, Checklist, Item, Section
from pulmo.checklists.markdown import escape, table
from pulmo.checklists.parts import images, model, splits, training
from pulmo.datasets.inspect.inspection import NOT_STATED

# An item is a paragraph.
# fmt: off
_MOTIVATION: Final = Section(
    "Motivation",
    (
        Item("1.1", "Purpose", "For which task or gap the set was made.",
             (), "State why these images were put together."),
        Item("1.2", "Creators", "Who made it, on whose behalf.",
             (images.sources,), "State who put this manifest together."),
        Item("1.3", "Funding", "Who paid for it.", (), "Name them, for the sources too."),
    ),
)

_COMPOSITION: Final = Section(
    "Composition",
    (
        Item("2.1", "Instances", "What an instance is.", (images.modalities, images.views)),
        Item("2.2", "Number", "How many there are.", (images.totals, images.labels)),
        Item("2.3", "Sample", "Whether it is a sample of something larger, and representative.",
             (images.origins,), "State of which patients these are a sample, and how drawn."),
        Item("2.4", "Data", "What it consists of.",
             (images.files, images.identifiers)),
        Item("2.5", "Labels", "Whether there is a label or target.",
             (images.labels,), "State for each source what its finding rests on."),
        Item("2.6", "Missing information", "What is missing of instances, and why.",
             (images.missing,), "State why."),
        Item("2.7", "Relations", "Whether relations between instances are explicit.",
             (images.totals,)),
        Item("2.8", "Splits", "Recommended splits, and their reasons.",
             (splits.sides, splits.apart, splits.folds), "State how they were drawn, and why so."),
        Item("2.9", "Errors and redundancy", "Errors, noise and copies.",
             (images.copies, images.confounding), "State what is known of wrong labels."),
        Item("2.10", "External resources", "Whether it depends on others, and for how long.",
             (images.obtaining, images.content),
             "State whether the sources are archived, and what they ask for."),
        Item("2.11", "Confidential data", "Whether it holds confidential data.",
             (images.identifiers,), "State whether each source was released for this use."),
        Item("2.12", "Offence", "Whether it could offend or frighten who sees it.",
             (), "State so, or that it does not."),
        Item("2.13", "Subpopulations", "Which groups of people it identifies, and how many.",
             (images.people,), "Add what no column holds, as ancestry."),
        Item("2.14", "Identification", "Whether persons can be identified, also indirectly.",
             (images.identifiers,), "Assess it, with age, sex and rare findings together."),
        Item("2.15", "Sensitive data", "Whether it holds sensitive data.",
             (images.labels,), "These are data on health: state under which law they are used."),
    ),
)

_COLLECTION: Final = Section(
    "Collection",
    (
        Item("3.1", "Acquisition", "How the data were acquired: observed, reported or inferred.",
             (images.modalities, images.labels),
             "State which sources took their labels from reports by a program."),
        Item("3.2", "Mechanisms", "With which devices and procedures.",
             (images.views, images.files), "Give the devices of each source."),
        Item("3.3", "Sampling", "How a sample was drawn.",
             (), "State how each source chose its images, and what was taken of them here."),
        Item("3.4", "People involved", "Who collected, and how they were paid.",
             (), "State so for each source."),
        Item("3.5", "Time", "Over which time.", (), "Give the dates; a manifest holds none."),
        Item("3.6", "Ethical review", "Whether there was one.", (), "Name it for each source."),
        Item("3.7", "From whom", "From the persons themselves or through others.",
             (images.sources, images.origins)),
        Item("3.8", "Notice", "Whether persons were informed.", (), "State so for each source."),
        Item("3.9", "Consent", "Whether they consented.", (), "State so, or who waived it."),
        Item("3.10", "Revocation", "Whether consent can be taken back.", (), "State how."),
        Item("3.11", "Impact", "Whether its impact on the persons was analysed.",
             (), "Name the analysis, or state that there is none."),
    ),
)

_PREPARATION: Final = Section(
    "Preprocessing, cleaning and labelling",
    (
        Item("4.1", "What was done", "Whether the data were prepared, cleaned or labelled.",
             (images.labels, images.copies),
             "State what was done to the files before their import."),
        Item("4.2", "Raw data", "Whether the raw data were kept.",
             (images.obtaining,), "State where the original images are (DICOM)."),
        Item("4.3", "Software", "Whether the program for it is available.", (model.code,)),
    ),
)

_USES: Final = Section(
    "Uses",
    (
        Item("5.1", "Used already", "For what it has been used.",
             (training.used, model.notice), "Name other uses."),
        Item("5.2", "Repository of uses", "Where uses of it are listed.", (), "Give it, or none."),
        Item("5.3", "Other tasks", "For what else it could be used.", (), "State so."),
        Item("5.4", "Effects on uses", "What in it could harm future uses.",
             (images.confounding,), "State who could be treated unfairly, and what helps."),
        Item("5.5", "Unfit tasks", "For what it should not be used.", (), "State so."),
    ),
)

_DISTRIBUTION: Final = Section(
    "Distribution",
    (
        Item("6.1", "Third parties", "Whether others get it.", (), "State who."),
        Item("6.2", "How", "How it is given away, and under which identifier.",
             (images.content,), "Give place and DOI."),
        Item("6.3", "When", "From when on.", (), "Give the date."),
        Item("6.4", "Licence", "Under which licence or terms.",
             (images.sources, images.licences), "Give the terms of the whole."),
        Item("6.5", "Rights of others", "Which restrictions third parties impose.",
             (images.sources, images.licences),
             "Read the terms of each source: these are only their titles."),
        Item("6.6", "Regulation", "Export controls and the like.", (), "Name them, or none."),
    ),
)

_MAINTENANCE: Final = Section(
    "Maintenance",
    (
        Item("7.1", "Maintainer", "Who maintains it.", (), "Name them."),
        Item("7.2", "Contact", "How to reach them.", (), "Give an address."),
        Item("7.3", "Errata", "Whether there are any.", (), "Give them, or none."),
        Item("7.4", "Updates", "Whether, when and by whom it is updated.", (), "State so."),
        Item("7.5", "Retention", "Limits on how long the data may be kept.", (), "Give them."),
        Item("7.6", "Older versions", "Whether they stay available.",
             (images.content,), "State so; the SHA-256 identifies a version."),
        Item("7.7", "Contributions", "How others can extend it.", (), "State how."),
    ),
)
# fmt: on

_CROSSED: Final = ("source", "view", "modality", "sex", "age_band", "split", "fold")


def _tables(artefacts: Artefacts) -> str:
    """Returns the counts of the manifest against the label."""
    return "\n\n".join(("## Counts of images", *_blocks(artefacts)))


def _blocks(artefacts: Artefacts) -> Iterator[str]:
    found = artefacts.images.inspection
    labels = list(found.labels)
    yield _counts("label", {"all": found.labels}, labels)
    for name in _CROSSED:
        crossing = found.crossings[name]
        others = {f"{crossing.others:,} further values": crossing.of_others}
        rows = crossing.rows | (others if crossing.others else {})
        yield _counts(name.replace("_", " "), rows, labels)
    nulls = {name: by for name, by in found.missing.items() if any(by.values())}
    yield _counts(NOT_STATED, nulls, labels)


def _counts(name: str, rows: Mapping[str, Mapping[str, int]], labels: list[str]) -> str:
    cells = (
        (escape(value), *(f"{by.get(label, 0):,}" for label in labels), f"{sum(by.values()):,}")
        for value, by in rows.items()
    )
    return table((name, *labels, "all"), cells)


CHECKLISTS.register("datasheet")(
    Checklist(
        title="Datasheet",
        file="DATASHEET.md",
        source="Gebru et al., Datasheets for Datasets, Commun. ACM 2021;64(12):86-92.",
        note="The seven groups and the order of the questions are theirs, the words and the "
        "numbers are ours (theirs have none); the questions for any other comments are left out.",
        sections=(
            _MOTIVATION,
            _COMPOSITION,
            _COLLECTION,
            _PREPARATION,
            _USES,
            _DISTRIBUTION,
            _MAINTENANCE,
        ),
        of_model=False,
        tables=_tables,
    )
)
