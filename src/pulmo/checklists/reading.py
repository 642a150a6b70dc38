"""Reads the artefacts, and refuses those of another model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from pulmo.audit.check_result import Audit, read_audit
from pulmo.bundle.card import Card, read_card
from pulmo.bundle.origin import check_origin
from pulmo.checklists.artefacts import Artefacts, Images, Session, Trained
from pulmo.core.errors import InputError, UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.folders import AuditFolder, BundleFolder, EvaluationFolder, RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.manifest import read_manifest
from pulmo.evaluate.evaluation import Evaluation, ModelName, read_evaluation
from pulmo.evaluate.test_access import read_accesses

_SEED: Final = 0
"""Of the inspection's folds, so that the same images give the same results."""

_SESSIONS: Final = TypeAdapter(tuple[Session, ...])


class Places(NamedTuple):
    """Where the artefacts are.

    Attributes:
        bundle: the bundle's folder.
        manifest: the manifest's file.
        run: the run's folder.
        evaluations: the folders of evaluations.
        audit: the folder of an audit.
    """

    bundle: Path
    manifest: Path | None = None
    run: Path | None = None
    evaluations: Sequence[Path] = ()
    audit: Path | None = None


def read_artefacts(places: Places) -> Artefacts:
    """Reads the artefacts of a model.

    Raises:
        InputError: a file is missing, is damaged, or is not what it should be.
        UsageError: the run, an evaluation or the audit is of another model than the bundle.
    """
    bundle = BundleFolder(places.bundle)
    card, digest = read_card(bundle.card), sha256(read_bytes(bundle.model))
    if card.files.get(bundle.model.name) != digest:
        raise InputError(
            "network-not-of-card",
            f"{bundle.model} is not the network that {bundle.card} describes.",
        )
    return Artefacts(
        card=card,
        model_sha256=digest,
        test_accesses=tuple(read_accesses(bundle.test_access)),
        given_images=_images(places.manifest) if places.manifest else None,
        given_run=_run(RunFolder(places.run), card) if places.run else None,
        evaluations=tuple(
            _evaluation(EvaluationFolder(folder).index, digest) for folder in places.evaluations
        ),
        given_audit=_audit(AuditFolder(places.audit).index, digest) if places.audit else None,
    )


def _images(path: Path) -> Images:
    manifest = read_manifest(path)
    return Images(
        name=path.name,
        manifest=manifest,
        inspection=inspect_manifest(manifest, path.name, _SEED),
        test_sha256=manifest.split("test").sha256,
    )


def _run(folder: RunFolder, card: Card) -> Trained:
    check_origin(card, folder, "The bundle")
    try:
        sessions = _SESSIONS.validate_json(read_bytes(folder.environment))
    except ValidationError as error:
        raise InputError(
            "environment-invalid",
            f"{folder.environment} is not a list of training sessions: {error.errors()[0]['msg']}.",
        ) from None
    return Trained(load_recipe(str(folder.recipe)), sessions)


def _evaluation(path: Path, digest: str) -> Evaluation:
    found = read_evaluation(path)
    _check_model(found.model, path, digest)
    return found


def _audit(path: Path, digest: str) -> Audit:
    found = read_audit(path)
    _check_model(found.model, path, digest)
    return found


def _check_model(model: ModelName, path: Path, digest: str) -> None:
    if model.sha256 != digest:
        raise UsageError(
            "result-of-other-model",
            f"{path} belongs to another model ({model.name}, model.onnx {model.sha256[:16]}), "
            f"not to this bundle (model.onnx {digest[:16]}).",
        )
