"""A manifest is inspected: counted, measured and tried for what gives its classes away."""

import numpy as np

from pulmo.core.errors import InputError
from pulmo.datasets.inspect.confounding import confounding_of
from pulmo.datasets.inspect.copies import copies_of
from pulmo.datasets.inspect.counts import (
    classes_of,
    crossings_of,
    missing_of,
    modalities_of,
    notes_of,
    totals_of,
)
from pulmo.datasets.inspect.facts import Published, file_facts
from pulmo.datasets.inspect.inspection import Inspection
from pulmo.datasets.inspect.names import other_names
from pulmo.datasets.inspect.sentences import (
    names_sentences,
    one_sided_notes,
    verdict_of,
    warnings_of,
)
from pulmo.datasets.inspect.spreads import distributions_of
from pulmo.datasets.manifest import Manifest


def inspect_manifest(
    manifest: Manifest,
    name: str,
    seed: int,
    published: Published | None = None,
) -> Inspection:
    """Inspects a manifest without decoding an image.

    Args:
        manifest: the images.
        name: what its file is called.
        seed: of the folds and, out of very many, of the images of the confounding table.
        published: facts of the files to take instead of the manifest's.

    Raises:
        InputError: the manifest holds no image, or `published` names none of its images.
    """
    if not len(manifest):
        raise InputError("images-missing", f"{name} contains no image.")
    table = manifest.frame
    facts = file_facts(table, published)
    confounding = confounding_of(table, facts, np.random.default_rng(seed))
    totals, copies, names = totals_of(table), copies_of(table), other_names(table)
    distributions, notes = distributions_of(table, facts), notes_of(table)
    crossings = crossings_of(table.assign(format=facts["format"], bits=facts["bits"]))
    return Inspection(
        name=name,
        seed=seed,
        manifest_sha256=manifest.sha256,
        facts=published.name if published else None,
        verdict=verdict_of(confounding.clues),
        warnings=(
            *names_sentences(names),
            *warnings_of(
                confounding.clues, totals, copies, distributions["age"], modalities_of(table)
            ),
            *one_sided_notes(notes),
        ),
        totals=totals,
        labels={label: int((table["label"] == label).sum()) for label in classes_of(table)},
        crossings=crossings,
        missing=missing_of(table),
        notes=notes,
        distributions=distributions,
        copies=copies,
        names=names,
        confounding=confounding,
    )
