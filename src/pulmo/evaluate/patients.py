"""Patients: the pictures of each become one result."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pulmo.evaluate.intake import Judged
from pulmo.evaluate.table import called_positive, decided_class, positive_probability
from pulmo.evaluate.terms import Terms


class Patients(NamedTuple):
    """One result a patient, or group of copies.

    Attributes:
        judged: the results, as if each were a picture.
        mixed: patients left out because their pictures are of several classes.
    """

    judged: Judged
    mixed: int


def by_patient(judged: Judged, terms: Terms) -> Patients | None:
    """Averages the probabilities of each group's pictures, and decides anew.

    The decision follows from the mean probabilities as a picture's from its own, and so does
    whether a result is positive. A group whose pictures are of several classes is left out and
    counted.

    Args:
        judged: the pictures.
        terms: what they are judged by.

    Returns:
        None if each group has one picture, or all are of several classes.
    """
    sample = judged.sample
    sizes = np.bincount(sample.groups)
    if (sizes == 1).all():
        return None
    totals = np.stack([np.bincount(sample.groups, column) for column in sample.probabilities.T])
    first = np.unique(sample.groups, return_index=True)[1]
    lowest, highest = (np.full(len(sizes), start) for start in (len(sample.labels), -1))
    np.minimum.at(lowest, sample.groups, sample.truth)
    np.maximum.at(highest, sample.groups, sample.truth)
    agreed = lowest == highest
    if not agreed.any():
        return None
    probabilities = (totals / sizes).T[agreed]
    decided = decided_class(probabilities, terms)
    rows = judged.rows.iloc[first[agreed]].reset_index(drop=True)
    rows["decision"] = np.array(sample.labels)[decided]
    rows["positive_probability"] = positive_probability(probabilities, terms)
    rows["positive"] = called_positive(rows, terms)
    patients = replace(
        sample,
        truth=lowest[agreed].astype(np.intp),
        decided=decided,
        probabilities=probabilities,
        groups=np.arange(len(rows)),
    )
    return Patients(Judged(rows, patients, {}), int((~agreed).sum()))
