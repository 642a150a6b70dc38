"""The structured report: every number of the result, with its code and its region."""

from collections.abc import Iterator
from typing import Final, TypedDict

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

import pulmo
from pulmo.dicom_results import codes as own
from pulmo.dicom_results.objects import Making
from pulmo.dicom_results.regions import Line, Lung, box_of, lungs_of
from pulmo.dicom_results.said import plain

Group = MeasurementsAndQualitativeEvaluations | PlanarROIMeasurementsAndQualitativeEvaluations

_SIDES: Final = {"right": codes.SCT.Right, "left": codes.SCT.Left}


def make_report(making: Making) -> Dataset:
    """Returns a Comprehensive SR document of TID 1500 (PS3.16), unverified.

    Measurement groups are, in this order: the result, each class with its probability, each lung
    with its outline, each detection with its box.
    """
    source = making.source
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=_observer(making)),
        procedure_reported=own.PROCEDURES.get(source.facts.modality or "", own.IMAGING),
        imaging_measurements=list(_groups(making)),
        referenced_images=[source.reference],
    )
    common = making.common("sr")
    return ComprehensiveSR(
        evidence=[source.reference],
        content=report,
        is_complete=True,
        is_final=False,
        is_verified=False,
        coding_schemes=[
            CodingSchemeIdentificationItem(own.OWN, name="pulmo", version=pulmo.__version__)
        ],
        **common,
    )


def _groups(making: Making) -> Iterator[Group]:
    source, said = making.source, making.said
    yield _result(making)
    for label, share in said.outcome.probabilities.items():
        yield MeasurementsAndQualitativeEvaluations(
            finding_type=own.class_code(label, said.card.labels),
            measurements=[Measurement(own.PROBABILITY, share, own.ONE)],
            source_images=[_whole(making)],
            **_identified(making, label),
        )
    for lung in lungs_of(said, source.pixels.shape, source.facts.patient_right):
        yield _lung(making, lung)
    decided = own.class_code(said.outcome.decision, said.card.labels)
    for number, detection in enumerate(said.detections, 1):
        yield PlanarROIMeasurementsAndQualitativeEvaluations(
            referenced_region=_region(making, box_of(detection, source.pixels.shape)),
            finding_type=decided,
            measurements=[Measurement(own.EVIDENCE, detection.score, own.LOGIT)],
            **_identified(making, f"Detection {number}"),
        )


def _result(making: Making) -> MeasurementsAndQualitativeEvaluations:
    """Returns the group of the decision, with all that must be known to read it as text."""
    said = making.said
    outcome, scheme = said.outcome, said.card.labels
    found = own.BANDS["positive" if outcome.positive else "negative"]
    answers = [(own.DECISION, own.class_code(outcome.decision, scheme)), (own.POSITIVE, found)]
    if outcome.band is not None:
        answers.append((own.BAND, own.BANDS[outcome.band]))
    held = outcome.prediction_set or ()
    answers += [(own.IN_SET, own.class_code(label, scheme)) for label in held]
    numbers = [
        (own.POSITIVE_PROBABILITY, outcome.positive_probability),
        (own.THRESHOLD, float(said.card.decision.threshold)),
    ]
    group = MeasurementsAndQualitativeEvaluations(
        measurements=[Measurement(name, value, own.ONE) for name, value in numbers],
        qualitative_evaluations=[QualitativeEvaluation(*answer) for answer in answers],
        source_images=[_whole(making)],
        **_identified(making, "Result"),
    )
    contains = RelationshipTypeValues.CONTAINS
    group[0].ContentSequence.extend(
        TextContentItem(codes.DCM.Comment, sentence, contains) for sentence in said.sentences
    )
    return group


def _lung(making: Making, lung: Lung) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    side = None if lung.side is None else _SIDES[lung.side]
    values = {own.LUNG_SHARE: lung.share, own.OPACITY: lung.opacity}
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=_region(making, lung.line),
        finding_type=codes.SCT.Lung,
        finding_sites=[FindingSite(codes.SCT.Lung, laterality=side)],
        measurements=[
            Measurement(name, value, own.ONE) for name, value in values.items() if value is not None
        ],
        **_identified(making, lung.name),
    )


class _Identified(TypedDict):
    tracking_identifier: TrackingIdentifier
    algorithm_id: AlgorithmIdentification


def _identified(making: Making, name: str) -> _Identified:
    """Returns what every group says of itself: what it is called, and who made it."""
    said = making.said
    model = f"model {plain(said.card.name)} of {plain(said.card.created)}"
    return {
        "tracking_identifier": TrackingIdentifier(making.uid("tracking", name), name),
        "algorithm_id": AlgorithmIdentification(
            name="pulmo",
            version=pulmo.__version__,
            parameters=[f"{model}, SHA-256 {said.model_sha256}"],
        ),
    }


def _observer(making: Making) -> ObserverContext:
    said = making.said
    return ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=making.device,
            name="pulmo",
            manufacturer_name="pulmo",
            model_name=plain(said.card.name),
            serial_number=said.model_sha256,
        ),
    )


def _whole(making: Making) -> SourceImageForMeasurementGroup:
    reference = making.source.reference
    return SourceImageForMeasurementGroup(reference.SOPClassUID, reference.SOPInstanceUID)


def _region(making: Making, line: Line) -> ImageRegion:
    reference = making.source.reference
    image = SourceImageForRegion(reference.SOPClassUID, reference.SOPInstanceUID)
    return ImageRegion("POLYLINE", line, image)
