"""The secondary capture: the drawing of the heat map as an image that every viewer shows."""

from typing import Final

from highdicom.sc import SCImage
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from pulmo.dicom_results.objects import Making
from pulmo.dicom_results.said import RESEARCH_USE, plain

_DERIVATION: Final = (
    "The image and the same image with the evidence for the class {label} of the model {model} "
    "painted on it, against a fixed scale. {research}"
)


def make_capture(making: Making) -> Dataset:
    """Returns a Secondary Capture Image (PS3.3 A.8.1) of the drawing.

    It says that it may identify the patient, since what is written in the source is seen in it.
    """
    said, source = making.said, making.source
    reference = source.reference
    common = making.common("sc")
    made = SCImage(
        pixel_array=said.draw(),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=reference.StudyInstanceUID,
        # Two images side by side have no orientation: it is emptied below.
        patient_orientation=("L", "F"),
        **common,
    )
    made["PatientOrientation"].clear()
    made.ConversionType = "WSD"
    made.BurnedInAnnotation = "YES"
    made.DerivationDescription = _DERIVATION.format(
        label=said.outcome.decision, model=plain(said.card.name), research=RESEARCH_USE
    )[:1024]
    made.LossyImageCompression = "01" if source.pixels.lossy else "00"
    referred = Dataset()
    referred.ReferencedSOPClassUID = reference.SOPClassUID
    referred.ReferencedSOPInstanceUID = reference.SOPInstanceUID
    referred.PurposeOfReferenceCodeSequence = [
        CodedConcept.from_code(codes.DCM.SourceImageForImageProcessingOperation)
    ]
    made.SourceImageSequence = [referred]
    return made
