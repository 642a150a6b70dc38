"""The objects of a result, of the kinds that are wanted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.util import find_spec
from typing import Any, Final, Literal, get_args

from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

import pulmo
from pulmo.core.errors import UsageError
from pulmo.dicom_results.said import Said, plain
from pulmo.dicom_results.source import Source, derived_uid
from pulmo.radiograph.guard import damage_of, quiet_decoders

Kind = Literal["sr", "sc", "gsps"]
"""A structured report, a secondary capture, a greyscale softcopy presentation state."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_SERIES: Final[dict[Kind, tuple[int, str]]] = {
    "sr": (9101, "pulmo report, for research use only"),
    "sc": (9102, "pulmo heat map, for research use only"),
    "gsps": (9103, "pulmo annotations, for research use only"),
}

_MOMENTS: Final = (
    ("InstanceCreationDate", "InstanceCreationTime"),
    ("ContentDate", "ContentTime"),
    ("PresentationCreationDate", "PresentationCreationTime"),
    ("DateOfSecondaryCapture", "TimeOfSecondaryCapture"),
)


@dataclass(frozen=True, eq=False)
class Making:
    """What all objects of an image share.

    Attributes:
        source: the image.
        said: what the model says of it.
        moment: when the objects are made, in local time.
    """

    source: Source = field(repr=False)
    said: Said = field(repr=False)
    moment: datetime

    def uid(self, *parts: str) -> UID:
        """Returns the identifier of a thing that this version of pulmo makes with this model.

        It is of the image's bytes too: where an image comes with the identifier of an earlier one,
        an archive must not take the new objects for the old ones.
        """
        image = str(self.source.reference.SOPInstanceUID)
        return derived_uid(
            image, self.source.sha256, self.said.model_sha256, pulmo.__version__, *parts
        )

    @property
    def device(self) -> UID:
        """The identifier of the model, as the device that made the objects."""
        return derived_uid(self.said.model_sha256, "device")

    def common(self, kind: Kind) -> dict[str, Any]:
        """Returns the arguments that every class of highdicom's objects takes."""
        number, description = _SERIES[kind]
        return {
            "series_instance_uid": self.uid(kind, "series"),
            "series_number": number,
            "series_description": description,
            "sop_instance_uid": self.uid(kind),
            "instance_number": 1,
            "manufacturer": "pulmo",
            "manufacturer_model_name": plain(self.said.card.name)[:64],
            "software_versions": pulmo.__version__,
            "device_serial_number": self.said.model_sha256[:64],
            "content_qualification": "RESEARCH",
            "transfer_syntax_uid": ExplicitVRLittleEndian,
        }


def require_highdicom() -> None:
    """Does nothing if highdicom is installed, which makes the objects.

    Raises:
        UsageError: it is not.
    """
    if find_spec("highdicom") is None:
        raise UsageError(
            "package-missing",
            "DICOM results need highdicom, which is not installed. Install it with: pip install "
            "'pulmo[dicom]'.",
        )


def check_kinds(kinds: Sequence[str]) -> tuple[Kind, ...]:
    """Returns kinds of objects in the order of `KINDS`.

    Raises:
        UsageError: there is no such kind, or none is named.
    """
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown or not kinds:
        named = ", ".join(unknown) or "none"
        raise UsageError(
            "dicom-result-unknown",
            f"The kinds of DICOM results are {', '.join(KINDS)}; got {named}.",
        )
    return tuple(kind for kind in KINDS if kind in kinds)


def make_objects(
    source: Source, said: Said, kinds: Sequence[Kind], moment: datetime
) -> tuple[Dataset, ...]:
    """Returns the objects of a result, each complete and in a series of its own.

    The same image, model and version of pulmo give the same identifiers. A presentation state is
    made of greyscale images alone (PS3.3 A.33.1), so an image in colours has none.

    Args:
        source: the image.
        said: what the model says of it.
        kinds: of the objects.
        moment: when they are made, in local time.

    Raises:
        InputError: the header has a value that no object can refer to.
    """
    making = Making(source, said, moment)
    wanted = [kind for kind in kinds if kind != "gsps" or source.pixels.grey is not None]
    makers = [_maker(kind) for kind in wanted]
    with quiet_decoders, damage_of("The image", "the source of DICOM results"):
        objects = tuple(make(making) for make in makers)
        for made in objects:
            source.identify(made)
            _date(made, moment)
            _place(made, source)
    return objects


def _place(made: Dataset, source: Source) -> None:
    """Says of which part of the body an image or its presentation is (PS3.3 C.7.3.1).

    The chest has no Laterality. Where the part is not stated, that is unknown too: empty.
    """
    if made.Modality == "SR":
        return
    if source.facts.body_part == "chest":
        made.BodyPartExamined = "CHEST"
    else:
        made.Laterality = None


def _date(made: Dataset, moment: datetime) -> None:
    """Gives an object one moment in all attributes for which highdicom asks the clock."""
    for day, time in _MOMENTS:
        if day in made:
            setattr(made, day, moment.strftime("%Y%m%d"))
            setattr(made, time, moment.strftime("%H%M%S"))
    for item in made.get("ContributingEquipmentSequence", ()):
        item.ContributionDateTime = moment.strftime("%Y%m%d%H%M%S")


def _maker(kind: Kind) -> Callable[[Making], Dataset]:
    # highdicom, for which nothing else waits.
    match kind:
        case "sr":
            from pulmo.dicom_results.report import make_report  # noqa: PLC0415 - see above

            return make_report
        case "sc":
            from pulmo.dicom_results.capture import make_capture  # noqa: PLC0415 - as above

            return make_capture
        case "gsps":
            from pulmo.dicom_results.presentation import make_state  # noqa: PLC0415 - as above

            return make_state
