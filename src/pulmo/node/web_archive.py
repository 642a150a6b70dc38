"""Finds images by QIDO-RS, and fetches them by WADO-RS."""

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset

from pulmo.node.archive import Instance, Keep, Wanted
from pulmo.node.files import file_of
from pulmo.node.peers import WebPeer
from pulmo.node.send import web_client, web_errors
from pulmo.node.way import Way

_PAGE: Final = 100
"""Studies that a server is asked for at once."""


class WebArchive:
    """An archive that speaks DICOMweb."""

    def __init__(self, peer: WebPeer, way: Way) -> None:
        self._peer, self._client = peer, web_client(peer, way)

    def find(self, wanted: Wanted) -> Iterator[Instance]:
        """Yields the images that are looked for."""
        studies: dict[str, None] = {}
        for modality in wanted.modalities:
            asked = {
                "StudyDate": f"{wanted.since}-{wanted.until}",
                "ModalitiesInStudy": modality,
            }
            studies |= self._studies(asked)
        for study in studies:
            fields = ["BodyPartExamined", "Modality", "SeriesInstanceUID"]
            with web_errors(self._peer):
                found = self._client.search_for_series(study, fields=fields)
            for each in map(Dataset.from_json, found):
                part = str(each.get("BodyPartExamined", "") or "")
                if wanted.fits(str(each.get("Modality", "")), part):
                    yield from self._images(study, str(each.SeriesInstanceUID), part)

    def fetch(self, instance: Instance, keep: Keep) -> None:
        """Has an image kept."""
        with web_errors(self._peer):
            dataset = self._client.retrieve_instance(
                instance.study,
                instance.series,
                instance.uid,
                media_types=(("application/dicom", "*"),),
            )
        keep(instance.uid, file_of(dataset))

    def _studies(self, asked: dict[str, str]) -> dict[str, None]:
        known: dict[str, None] = {}
        while True:
            with web_errors(self._peer):
                found = self._client.search_for_studies(
                    search_filters=asked, limit=_PAGE, offset=len(known)
                )
            studies = [str(Dataset.from_json(each).StudyInstanceUID) for each in found]
            before = len(known)
            known |= dict.fromkeys(studies)
            # A server that knows no offset gives the same ones again.
            if len(studies) < _PAGE or len(known) == before:
                return known

    def _images(self, study: str, series: str, part: str) -> Iterator[Instance]:
        with web_errors(self._peer):
            found = self._client.search_for_instances(study, series)
        for each in map(Dataset.from_json, found):
            yield Instance(study, series, str(each.SOPInstanceUID), part)
