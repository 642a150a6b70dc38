"""Open-i's Indiana University collection (Demner-Fushman et al. 2016): images and reports."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.datasets.findings import stated_verdict
from pulmo.datasets.rows import numbered_rows
from pulmo.datasets.source import About, Entry, Problem, images_below, refuse_map, source

_REPORTS: Final = "ecgen-radiology"
_PLACES: Final = ("NLMCXR_dcm", "NLMCXR_png", "images/images_normalized", "images")
_SUFFIXES: Final = {".dcm", ".png"}
_ORIGIN: Final = "Indiana Network for Patient Care, Indiana, USA"

# CXR1_1_IM-0001-3001 is 1/1_IM-0001-3001.dcm among the DICOM files and 1_IM-0001-3001.dcm.png on
# Kaggle; CXR2_IM-0652-1001 is 2/2_IM-0652-1001.dcm.
_IMAGE: Final = re.compile(r"(?:CXR)?(?P<number>\d+)_(?:\d+_)?(?P<rest>IM-[\w-]+)")
_NUMBER: Final = re.compile(r"(?:CXR)?(\d+)")
_VIEWS: Final = {"Frontal": None, "Lateral": "lateral"}

_OTHER: Final = """
abdomen | adipose tissue | airspace disease | aorta | aorta, thoracic | aortic aneurysm |
arthritis | atherosclerosis | azygos lobe | blister | blood vessels | bone and bones |
bone diseases, metabolic | breast implants | bronchiectasis | bronchiolitis | bronchitis |
bullous emphysema |
calcified granuloma | calcinosis | cardiac shadow | cardiomegaly | catheters, indwelling |
cavitation | cervical vertebrae | cholelithiasis | cicatrix | colonic interposition |
consolidation | contrast media | costophrenic angle | cystic fibrosis | cysts | deformity |
density | diaphragm | diaphragmatic eventration | dislocations | emphysema | epicardial fat |
expansile bone lesions | fibrosis | foreign bodies | fractures, bone | funnel chest | granuloma |
granulomatous disease | heart | heart atria | heart failure | heart ventricles |
hemopneumothorax | hemothorax | hernia, diaphragmatic | hernia, hiatal | humerus |
hydropneumothorax | hyperostosis, diffuse idiopathic skeletal | hypertension, pulmonary |
hypovolemia | implanted medical device | infiltrate | kyphosis | lucency | lumbar vertebrae | lung |
lung diseases, interstitial | lung, hyperlucent | lymph nodes | markings | mass | mastectomy |
mediastinum | medical device | nipple shadow | nodule | opacity | osteophyte | osteoporosis |
pectus carinatum | pericardial effusion | pleura | pleural effusion | pneumonectomy |
pneumoperitoneum | pneumothorax | pulmonary artery | pulmonary atelectasis |
pulmonary congestion | pulmonary disease, chronic obstructive | pulmonary edema |
pulmonary emphysema | pulmonary fibrosis | ribs | sarcoidosis | sclerosis | scoliosis | shift |
shoulder | spinal fusion | spine | spondylosis | stents | subcutaneous emphysema | sulcus |
surgical instruments | sutures | thickening | thoracic vertebrae | thorax | trachea |
trachea, carina | tube, inserted | tuberculosis | volume loss
"""
_LABELS: Final[Mapping[str, str | None]] = {
    **{" ".join(word.split()): "other" for word in _OTHER.split("|")},
    "normal": "normal",
    "pneumonia": "pneumonia",
    "no indexing": None,
    "technical quality of image unsatisfactory": None,
}
"""The first words of the headings that indexers gave, in lower case -> label."""


class _Report(NamedTuple):
    """What is known of a report.

    Attributes:
        where: the file or row.
        number: of the report, such as 1 for CXR1.
        headings: those that indexers gave, such as `Opacity/lung/base/left`.
        images: (number, rest of the name) of each image.
    """

    where: str
    number: str
    headings: list[str]
    images: list[tuple[str, str]]


@source(
    "open-i",
    About(
        title="Open-i, Indiana University chest X-ray collection (Demner-Fushman et al. 2016)",
        licence="CC BY-NC-ND 4.0",
        size="7,470 images; 1.4 GB as PNG, 81 GB as DICOM",
        url="https://openi.nlm.nih.gov/faq",
        obtain="Type in a new folder, which is ROOT (for DICOM: NLMCXR_dcm in the place of "
        "NLMCXR_png):\n"
        "$ OPENI=https://openi.nlm.nih.gov/imgs/collections\n"
        "$ curl -O $OPENI/NLMCXR_reports.tgz -O $OPENI/NLMCXR_png.tgz\n"
        "$ tar -xzf NLMCXR_reports.tgz\n"
        "$ mkdir NLMCXR_png && tar -xzf NLMCXR_png.tgz -C NLMCXR_png\n"
        "Which PNG are lateral views is said only by indiana_projections.csv of "
        "https://www.kaggle.com/datasets/raddar/chest-xrays-indiana-university; put it into ROOT. "
        "That whole set, unpacked, can be ROOT too.",
    ),
)
def open_i(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of the reports in `ecgen-radiology/`, or of `indiana_reports.csv`.

    Images lie in `NLMCXR_dcm/`, `NLMCXR_png/`, `images/images_normalized/` or `images/`; the first
    of them that is there counts. Label: pneumonia if that is among the indexers' headings, normal
    for `normal` alone, else other. The headings that a program found in the text are not read. A
    report with none but `No Indexing` or an unsatisfactory quality is left out. A report is one
    study of one patient. A lateral view is known from `indiana_projections.csv`, where it is there,
    or from the DICOM header; a frontal one may be PA or AP.

    Raises:
        InputError: the reports or the images are missing, a table is not usable, or a heading is
            not in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "open-i")
    views, numbered = _projections(root / "indiana_projections.csv")
    if (root / _REPORTS).is_dir():
        reports = _read_reports(root / _REPORTS)
    else:
        reports = _read_table(root / "indiana_reports.csv", numbered)
    paths: dict[tuple[str, str], Path] = {}
    yield from _find_images(root, paths)
    for report in reports:
        if isinstance(report, Problem):
            yield report
        else:
            yield from _entries(report, paths, views)


def _entries(
    report: _Report,
    paths: Mapping[tuple[str, str], Path],
    views: Mapping[tuple[str, str], str | None],
) -> Iterator[Entry | Problem]:
    terms = [" ".join(heading.partition("/")[0].split()) for heading in report.headings]
    try:
        found = stated_verdict([*dict.fromkeys(term.lower() for term in terms)], _LABELS)
    except KeyError as error:
        raise InputError(
            "finding-unknown", f"{report.where}: the heading {error} is not in the table of labels."
        ) from None
    for image in report.images:
        name = "_".join(image)
        if image not in paths:
            yield Problem(name, "its report has no image here", failed=False)
        elif found.label is None:
            yield Problem(name, found.reason, found.failed)
        else:
            yield Entry(
                paths[image],
                found.label,
                finding="|".join(dict.fromkeys(report.headings)),
                patient=report.number,
                view=views.get(image),
                modality="X-ray",
                origin=_ORIGIN,
            )


def _read_reports(folder: Path) -> Iterator[_Report | Problem]:
    for path in images_below(folder):
        if isinstance(path, Problem):
            yield path
        elif path.suffix == ".xml":
            yield _report(path)


def _report(path: Path) -> _Report | Problem:
    data = read_bytes(path)
    # The reports declare no document type; one that does may be made to grow without end.
    if b"<!DOCTYPE" in data:
        return Problem(str(path), "it declares a document type, as no report of the set does")
    try:
        root = ET.fromstring(data)  # noqa: S314 - see above
    except ET.ParseError as error:
        return Problem(str(path), f"it is no usable XML: {error}")
    number = _NUMBER.fullmatch(next((tag.get("id", "") for tag in root.iter("uId")), ""))
    if not number:
        return Problem(str(path), "it does not say which report it is (uId)")
    headings = [text for tag in root.iter("major") if (text := " ".join((tag.text or "").split()))]
    images = [_image(tag.get("id", "")) for tag in root.iter("parentImage")]
    if None in images:
        return Problem(str(path), "it names an image (parentImage) that is none of the set's")
    return _Report(str(path), number[1], headings, [*dict.fromkeys(filter(None, images))])


def _read_table(
    table: Path, numbered: Mapping[str, list[tuple[str, str]]]
) -> Iterator[_Report | Problem]:
    if not table.is_file():
        raise InputError(
            "source-layout-unexpected",
            f"{table.parent} does not have the layout of open-i: it contains neither {_REPORTS} "
            f"nor {table.name}.",
        )
    for line, row in numbered_rows(table, ("uid", "MeSH"), encoding="latin-1"):
        where, number = f"{table}, line {line}", row["uid"]
        if not number or row["MeSH"] is None:
            yield Problem(where, "it names no report or no headings")
            continue
        headings = [" ".join(text.split()) for text in row["MeSH"].split(";")]
        yield _Report(where, number, [*filter(None, headings)], numbered.get(number, []))


def _projections(
    table: Path,
) -> tuple[dict[tuple[str, str], str | None], dict[str, list[tuple[str, str]]]]:
    """Returns the view of each image and the images of each report; nothing without the table."""
    views: dict[tuple[str, str], str | None] = {}
    numbered: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    if not table.is_file():
        return views, numbered
    for number, row in numbered_rows(table, ("uid", "filename", "projection")):
        image = _image(row["filename"] or "")
        if image is None or row["projection"] not in _VIEWS:
            raise InputError(
                "projection-row-invalid",
                f"{table}, line {number}: expected an image of the data set, and Frontal or "
                "Lateral.",
            )
        if image not in views:
            numbered[row["uid"] or ""].append(image)
        views[image] = _VIEWS[row["projection"]]
    return views, numbered


def _find_images(root: Path, paths: dict[tuple[str, str], Path]) -> Iterator[Problem]:
    """Fills in the path of each image; yields what is none."""
    place = next((root / name for name in _PLACES if (root / name).is_dir()), None)
    if place is None:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of open-i: it contains no folder "
            f"{', '.join(_PLACES)}.",
        )
    for path in images_below(place):
        if isinstance(path, Problem):
            yield path
        elif path.suffix.lower() in _SUFFIXES and (image := _image(path.name)):
            other = paths.setdefault(image, path)
            if other != path:
                yield Problem(str(path), f"it is also there as {other}", failed=False)


def _image(name: str) -> tuple[str, str] | None:
    """Returns the report's number and the rest of an image's name; None if it is none."""
    match = _IMAGE.match(name)
    return (match["number"], match["rest"]) if match else None
