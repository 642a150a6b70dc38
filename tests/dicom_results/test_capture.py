"""The secondary capture of the heat map."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, SecondaryCaptureImageStorage

from fixtures.dicom_answers import FixedModel, MakeSource
from pulmo.workflows.dicom_results import answer_dicom, file_of


def test_it_is_the_drawing_of_the_heat_map(fixed_model: FixedModel, drawn: MakeSource) -> None:
    source = drawn()
    answer = answer_dicom(fixed_model, source.data, kinds=["sc"])
    assert answer.result is not None
    made = dcmread(io.BytesIO(file_of(answer.objects[0])))
    with Image.open(io.BytesIO(answer.result.heatmap().png())) as png:
        assert (made.pixel_array == np.asarray(png.convert("RGB"))).all()
    assert made.SOPClassUID == SecondaryCaptureImageStorage
    assert (made.PhotometricInterpretation, made.BitsAllocated) == ("RGB", 8)
    assert made.ImageType[:2] == ["DERIVED", "SECONDARY"]
    assert made.BurnedInAnnotation == "YES"
    assert made.PatientOrientation in (None, "")


def test_it_refers_to_its_source(fixed_model: FixedModel, drawn: MakeSource) -> None:
    source = drawn()
    (made,) = answer_dicom(fixed_model, source.data, kinds=["sc"]).objects
    (referred,) = made.SourceImageSequence
    assert referred.ReferencedSOPInstanceUID == source.dataset.SOPInstanceUID
    assert referred.ReferencedSOPClassUID == source.dataset.SOPClassUID
    assert made.StudyInstanceUID == source.dataset.StudyInstanceUID
    assert made.SeriesInstanceUID != source.dataset.SeriesInstanceUID
    assert "covid" in made.DerivationDescription
    assert "For research use only, not for diagnosis." in made.DerivationDescription


@pytest.mark.parametrize(("stated", "expected"), [("00", "00"), ("01", "01"), (None, "00")])
def test_a_lossy_source_makes_it_lossy(
    fixed_model: FixedModel, drawn: MakeSource, stated: str | None, expected: str
) -> None:
    source = drawn(tags={"LossyImageCompression": stated})
    (made,) = answer_dicom(fixed_model, source.data, kinds=["sc"]).objects
    assert made.LossyImageCompression == expected


def test_a_source_in_lossy_jpeg_makes_it_lossy(fixed_model: FixedModel, drawn: MakeSource) -> None:
    dataset = drawn(tags={"LossyImageCompression": None}).dataset
    grey = (dataset.pixel_array // 16).astype(np.uint8)
    Image.fromarray(grey).save(frame := io.BytesIO(), "JPEG")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([frame.getvalue()])
    dataset.save_as(file := io.BytesIO())
    (made,) = answer_dicom(fixed_model, file.getvalue(), kinds=["sc"]).objects
    assert made.LossyImageCompression == "01"


@pytest.mark.parametrize("stated", ["CHEST", None])
def test_the_part_of_the_body_is_stated_only_if_the_source_does(
    fixed_model: FixedModel, drawn: MakeSource, stated: str | None
) -> None:
    source = drawn(tags={"BodyPartExamined": stated})
    for made in answer_dicom(fixed_model, source.data, kinds=["sc", "gsps"]).objects:
        assert made.get("BodyPartExamined") == stated
        assert ("Laterality" in made) == (stated is None)
