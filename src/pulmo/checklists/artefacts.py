"""Artefacts: all files about a model, from which checklists are answered."""

from dataclasses import dataclass, replace
from typing import Self

import pandas as pd
from pydantic import BaseModel, ConfigDict

from pulmo.audit.check_result import Audit
from pulmo.bundle.card import Card
from pulmo.core.recipe import Recipe
from pulmo.datasets.inspect.inspection import Inspection
from pulmo.evaluate.evaluation import Evaluation
from pulmo.evaluate.test_access import Access


class Gap(Exception):  # noqa: N818 - it is a result of its own, not an error
    """The artefacts do not answer a question; its text says what to add, as a sentence."""


class Session(BaseModel):
    """One entry of a run's `env.json`: what a part of the training was computed on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    python: str
    packages: dict[str, str]
    """Name -> version."""
    system: str
    device: str
    threads: int
    precision: str


@dataclass(frozen=True)
class Images:
    """A manifest.

    Attributes:
        name: what its file is called.
        table: its rows.
        inspection: its counts, and facts that predict the class.
        test_sha256: SHA-256 of its test's content, as an evaluation of all of that states it.
    """

    name: str
    table: pd.DataFrame
    inspection: Inspection
    test_sha256: str


@dataclass(frozen=True)
class Trained:
    """A run: its recipe, and what it was computed on."""

    recipe: Recipe
    sessions: tuple[Session, ...]


@dataclass(frozen=True)
class Artefacts:
    """The artefacts of a model; all but the card may be absent.

    Attributes:
        card: the model's card.
        model_sha256: SHA-256 of `model.onnx`.
        test_accesses: the evaluations of tests that are listed in the bundle's folder.
        given_images: the manifest.
        given_run: the run.
        evaluations: the model's evaluations.
        given_audit: the model's audit.
    """

    card: Card
    model_sha256: str
    test_accesses: tuple[Access, ...] = ()
    given_images: Images | None = None
    given_run: Trained | None = None
    evaluations: tuple[Evaluation, ...] = ()
    given_audit: Audit | None = None

    @property
    def images(self) -> Images:
        """The manifest.

        Raises:
            Gap: there is none.
        """
        if self.given_images is None:
            raise Gap("Give the manifest that the model was trained on.")
        return self.given_images

    @property
    def run(self) -> Trained:
        """The run.

        Raises:
            Gap: there is none.
        """
        if self.given_run is None:
            raise Gap("Give the run that the bundle was exported from.")
        return self.given_run

    @property
    def audit(self) -> Audit:
        """The audit.

        Raises:
            Gap: there is none.
        """
        if self.given_audit is None:
            raise Gap("Give the folder of an audit (`pulmo audit`).")
        return self.given_audit

    @property
    def has_other_images(self) -> bool:
        """Whether the manifest is not the one that the model was trained on."""
        given = self.given_images
        if given is None:
            return False
        return given.inspection.manifest_sha256 != self.card.training.manifest_sha256

    def without_other_images(self) -> Self:
        """Returns the artefacts, without a manifest that the model was not trained on."""
        return replace(self, given_images=None) if self.has_other_images else self
