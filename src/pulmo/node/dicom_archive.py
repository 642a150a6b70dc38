"""Finds images by C-FIND, and fetches them by C-GET or C-MOVE."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # made at run time
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from pulmo.core.errors import InputError, PulmoError
from pulmo.node.archive import Instance, Keep, Wanted
from pulmo.node.peers import DicomPeer
from pulmo.node.receive import CLASSES, file_of_event
from pulmo.node.send import PeerAwayError, associated
from pulmo.node.way import Way
from pulmo.radiograph.dicom_syntax import COMPRESSIONS

_PENDING: Final = (0xFF00, 0xFF01)


class DicomArchive:
    """An archive that speaks DIMSE."""

    def __init__(self, peer: DicomPeer, way: Way, move_to: str | None, stack: ExitStack) -> None:
        self._peer, self._move_to = peer, move_to
        self._kept: list[Exception | None] = []
        self._keep: Keep = _nowhere
        self._retrieve = (
            StudyRootQueryRetrieveInformationModelMove
            if move_to
            else StudyRootQueryRetrieveInformationModelGet
        )
        entity = AE(way.title)
        entity.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
        entity.add_requested_context(self._retrieve)
        roles = [] if move_to else _receiving(entity)
        handlers = [(evt.EVT_C_STORE, self._stored)]
        self._association = stack.enter_context(associated(entity, peer, way, roles, handlers))
        self._check_offers(self._association)

    def find(self, wanted: Wanted) -> Iterator[Instance]:
        """Yields the images that are looked for."""
        studies: dict[str, None] = {}
        for modality in wanted.modalities:
            asked = _level("STUDY", StudyInstanceUID="", ModalitiesInStudy=modality)
            asked.StudyDate = f"{wanted.since}-{wanted.until}"
            studies |= {str(each.StudyInstanceUID): None for each in self._found(asked)}
        for study in studies:
            asked = _level("SERIES", StudyInstanceUID=study, SeriesInstanceUID="")
            asked.Modality = asked.BodyPartExamined = ""
            for each in list(self._found(asked)):
                part = str(each.get("BodyPartExamined", "") or "")
                if wanted.fits(str(each.get("Modality", "")), part):
                    yield from self._images(study, str(each.SeriesInstanceUID), part)

    def fetch(self, instance: Instance, keep: Keep) -> None:
        """Has an image kept, or sent to where it is kept."""
        asked = _level(
            "IMAGE",
            StudyInstanceUID=instance.study,
            SeriesInstanceUID=instance.series,
            SOPInstanceUID=instance.uid,
        )
        self._keep, self._kept, last = keep, [], Dataset()
        if self._move_to:
            answers = self._association.send_c_move(asked, self._move_to, self._retrieve)
        else:
            answers = self._association.send_c_get(asked, self._retrieve)
        for status, _ in answers:
            last = status
        for error in self._kept:
            if error is not None:
                raise error
        if "Status" not in last:
            raise self._gone()
        if last.Status != 0 or not (self._move_to or self._kept):
            raise PulmoError(
                "image-not-fetched", f"{self._peer} did not send an image: {last.Status:04X}."
            )

    def _images(self, study: str, series: str, part: str) -> Iterator[Instance]:
        asked = _level("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID="")
        for each in list(self._found(asked)):
            yield Instance(study, series, str(each.SOPInstanceUID), part)

    def _found(self, asked: Dataset) -> Iterator[Dataset]:
        model = StudyRootQueryRetrieveInformationModelFind
        for status, answer in self._association.send_c_find(asked, model):
            if "Status" not in status:
                raise self._gone()
            if status.Status in _PENDING and answer is not None:
                yield answer
            elif status.Status:
                raise PulmoError(
                    "query-refused", f"{self._peer} did not answer a query: {status.Status:04X}."
                )

    def _gone(self) -> PeerAwayError:
        return PeerAwayError(
            "archive-gone",
            f"{self._peer} ended the connection. Perhaps it does not know the AE title of this "
            "node, or does not let it ask.",
        )

    def _stored(self, event: Event) -> int:
        """Keeps an image that comes by C-GET."""
        try:
            uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr] # of C-STORE
            self._keep(uid, file_of_event(event))
        except Exception as error:  # noqa: BLE001 - it is raised where the image was asked for
            self._kept.append(error)
            return 0xA700
        self._kept.append(None)
        return 0x0000

    def _check_offers(self, association: Association) -> None:
        offered = {context.abstract_syntax for context in association.accepted_contexts}
        if StudyRootQueryRetrieveInformationModelFind not in offered:
            raise InputError("query-not-offered", f"{self._peer} does not offer C-FIND.")
        if self._retrieve not in offered:
            if self._move_to:
                raise InputError("move-not-offered", f"{self._peer} does not offer C-MOVE.")
            raise InputError("get-not-offered", f"{self._peer} does not offer C-GET.")


def _level(level: str, **values: str) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = level
    for keyword, value in values.items():
        setattr(asked, keyword, value)
    return asked


def _receiving(entity: AE) -> list[Any]:
    """Offers to receive images over the same connection; returns the roles that are negotiated."""
    plain, compressed = _syntaxes()
    for kind in CLASSES:
        entity.add_requested_context(kind, plain)
        for syntax in compressed:
            # One each, or the archive would choose one for all images.
            entity.add_requested_context(kind, syntax)
    return [build_role(kind, scp_role=True) for kind in CLASSES]


def _syntaxes() -> tuple[list[UID], list[UID]]:
    """Returns the uncompressed transfer syntaxes of today, and the compressed ones."""
    rare = (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
    plain: Sequence[UID] = [each for each in COMPRESSIONS if COMPRESSIONS[each] is None]
    return (
        [each for each in plain if each not in rare],
        [each for each in COMPRESSIONS if COMPRESSIONS[each] is not None],
    )


def _nowhere(_uid: str, _data: bytes) -> None:
    """Keeps nothing: nothing was asked for yet."""
