"""The presentation state: lungs, detections and words as graphics over the source."""

from typing import Final, TypeVar, cast

import numpy as np
from highdicom import (
    VOILUT,
    ModalityLUT,
    ModalityLUTTransformation,
    PresentationLUTTransformation,
)
from highdicom.pr import (
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    SoftcopyVOILUTTransformation,
    TextObject,
)
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from pulmo.dicom_results.objects import Making
from pulmo.dicom_results.regions import Line, box_of, lungs_of
from pulmo.dicom_results.said import RESEARCH_USE
from pulmo.radiograph.display import GreyScale, Lut, Rescale, Window

Table = TypeVar("Table", ModalityLUT, VOILUT)

_WORDS: Final = (0.02, 0.9, 0.98, 0.98)
"""Left, top, right and bottom of the words, as shares of what is displayed."""


def make_state(making: Making) -> Dataset:
    """Returns a Grayscale Softcopy Presentation State (PS3.3 A.33.1) of a greyscale source.

    It displays the image as the reader did: with the modality and VOI transformations that the
    source states or, where no VOI can be used, with the image's own range.
    """
    source = making.source
    grey = cast("GreyScale", source.pixels.grey)  # one in colours has no state
    layer = GraphicLayer("PULMO", 1, f"Lungs and detections of pulmo. {RESEARCH_USE}"[:64])
    common = making.common("gsps")
    made = GrayscaleSoftcopyPresentationState(
        referenced_images=[source.reference],
        content_label="PULMO",
        content_description=RESEARCH_USE,
        graphic_layers=[layer],
        graphic_annotations=[_annotation(making, layer)],
        modality_lut_transformation=_modality(grey),
        voi_lut_transformations=_voi(making, grey),
        presentation_lut_transformation=PresentationLUTTransformation(
            presentation_lut_shape="INVERSE" if grey.inverted else "IDENTITY"
        ),
        **common,
    )
    (rows, columns), (height, width) = source.pixels.shape, making.said.shape
    area = made.DisplayedAreaSelectionSequence[0]
    # The height of a pixel to its width, as the reader resampled them.
    shared = int(np.gcd(height * columns, width * rows))
    area.PresentationPixelAspectRatio = [height * columns // shared, width * rows // shared]
    return made


def _annotation(making: Making, layer: GraphicLayer) -> GraphicAnnotation:
    source, said = making.source, making.said
    shape = source.pixels.shape
    lungs = lungs_of(said, shape, source.facts.patient_right)
    lines = [(lung.name, lung.line) for lung in lungs]
    lines += [
        (f"Detection {number}", box_of(each, shape))
        for number, each in enumerate(said.detections, 1)
    ]
    return GraphicAnnotation(
        referenced_images=[source.reference],
        graphic_layer=layer,
        graphic_objects=[_graphic(making, name, line) for name, line in lines],
        text_objects=[
            TextObject("\r\n".join(said.lines), "DISPLAY", _WORDS, text_justification="LEFT")
        ],
    )


def _graphic(making: Making, name: str, line: Line) -> GraphicObject:
    return GraphicObject(
        "POLYLINE", line, "PIXEL", tracking_id=name, tracking_uid=making.uid("tracking", name)
    )


def _modality(grey: GreyScale) -> ModalityLUTTransformation | None:
    match grey.modality:
        case Rescale(slope, intercept):
            return ModalityLUTTransformation(intercept, slope, "US")
        case Lut() as lut:
            table = _described(ModalityLUT("US", 0, lut.entries), lut.first, lut.bits)
            return ModalityLUTTransformation(modality_lut=table)
        case None:
            return None


def _voi(making: Making, grey: GreyScale) -> list[SoftcopyVOILUTTransformation] | None:
    # The reader says so too if it ignored a VOI that would hide the whole image.
    own = any(note.kind == "own-range" for note in making.said.outcome.notes)
    match making.source.own_window() if own else grey.voi:
        case Window(center, width, function):
            return [SoftcopyVOILUTTransformation(center, width, voi_lut_function=function)]
        case Lut() as lut:
            # A state's tables have 16 bits (PS3.3 C.11.8), whatever those of its source have.
            entries = np.rint(lut.entries * (65535 / lut.top)).astype(np.uint16)
            table = _described(VOILUT(0, entries), lut.first, 16)
            return [SoftcopyVOILUTTransformation(voi_luts=[table])]
        case None:
            return None


def _described(table: Table, first: int, bits: int) -> Table:
    """Returns a table with another first input and number of bits: highdicom's begin at 0."""
    kind = "SS" if first < 0 else "US"
    size = table.LUTDescriptor[0]
    table["LUTDescriptor"] = DataElement("LUTDescriptor", kind, [size, first, bits])
    return table
