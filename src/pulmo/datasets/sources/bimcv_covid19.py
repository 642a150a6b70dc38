"""BIMCV-COVID19+ and - (de la Iglesia Vaya et al. 2020): images of tested patients of Valencia."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.datasets import bimcv
from pulmo.datasets.findings import Verdict, stated_verdict
from pulmo.datasets.rows import numbered_rows
from pulmo.datasets.source import About, Entry, Problem, images_below, refuse_map, source
from pulmo.radiograph.facts import age_of, sex_of, view_of

_PARTS: Final = ("", "covid19_posi", "covid19_neg")
_TESTS: Final = ("sil_reg_covid_posi.tsv", "sil_reg_covid.tsv", "SIL_REG_COVID_POSI_iter123.txt")
_RESULTS: Final = {"POSITIVO": True, "NEGATIVO": False, "INDETERMINADO": False}
_MODALITIES: Final = {"cr": "X-ray", "dx": "X-ray", "ct": "CT"}
_CHEST: Final = {"chest", "thorax"}

# A test may be some days younger than the image; the virus needs up to 14 days to make itself felt.
_BEFORE: Final = timedelta(days=14)

_COVID: Final = {"COVID 19", "COVID 19 uncertain"}
# What a radiologist suspects names no cause here: a test would.
_LABELS: Final = {**bimcv.LABELS, "viral pneumonia": "pneumonia"}

_NAME: Final = re.compile(
    r"sub-(?P<patient>\w+?)_ses-(?P<session>\w+?)_.*?(bp-(?P<part>[a-z]+)_)?(vp-(?P<view>[a-z]+)_)?"
    r"(?P<modality>[a-z]+)\.png"
)


class _Part(NamedTuple):
    """What the tables of the positive or the negative part say.

    Attributes:
        tests: patient -> (day, test) of each positive test; None where no tests are published.
        reports: session -> what its report's findings make of it.
        days: session -> its day.
    """

    tests: Mapping[str, list[tuple[date, str]]] | None
    reports: Mapping[str, Verdict]
    days: Mapping[str, date]


@source(
    "bimcv-covid19",
    About(
        title="BIMCV-COVID19+ and BIMCV-COVID19- (de la Iglesia Vaya et al. 2020)",
        licence="BIMCV-COVID19 Dataset Research Use Agreement: research",
        size="2,265 X-ray and 163 CT studies in the first iteration; bytes not stated",
        url="https://bimcv.cipf.es/bimcv-projects/bimcv-covid19/",
        obtain="Download the archives that are linked there and unpack all of them into one "
        "folder, which is ROOT. It then holds covid19_posi or covid19_neg, or both, and each of "
        "these participants.tsv, derivatives and the folders sub-S....",
    ),
)
def bimcv_covid19(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the PNG files of `sub-*/ses-*/mod-*/` of the positive and the negative part.

    An image is covid only by a test: where the table of tests in `derivatives/EHR` has a positive
    one (`POSITIVO`, of whatever kind) of its patient, and the image was taken at most 14 days
    before the first of them or later. Where there is such a table, all other images are left out:
    before that day, of a day that is not known, or of a patient without a positive test. The
    negative part has no such table: there the label is that of the report in `derivatives/labels`,
    as for padchest, also of a pneumonia that the report calls viral, and an image whose report
    mentions COVID-19 is left out.

    The PNG files hold the values of the DICOM files as they were stored. So one whose `.json` does
    not say MONOCHROME2 may be a negative and is left out. Volumes of CT (`.nii.gz`) are no images.
    The view is known where name and `.json` do not contradict each other.

    Raises:
        InputError: neither part is there, a table is missing or not usable, or a result or a
            finding is not in the tables here.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "bimcv-covid19")
    places = [root / name for name in _PARTS if (root / name / "participants.tsv").is_file()]
    if not places:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of bimcv-covid19: it contains neither "
            "participants.tsv nor covid19_posi nor covid19_neg.",
        )
    for place in places:
        tests: defaultdict[str, list[tuple[date, str]]] = defaultdict(list)
        table = next(filter(Path.is_file, (place / "derivatives/EHR" / n for n in _TESTS)), None)
        if table:
            yield from _read_tests(table, tests)
        reports = {} if table else _reports(place / "derivatives" / "labels")
        days: dict[str, date] = {}
        yield from _read_days(place, days)
        part = _Part(tests if table else None, reports, days)
        for folder in sorted(place.glob("sub-*")):
            yield from _entries(folder, part)


def _entries(folder: Path, part: _Part) -> Iterator[Entry | Problem]:
    if not folder.is_dir():
        return
    for path in images_below(folder):
        if isinstance(path, Problem):
            yield path
        elif path.name.endswith(".nii.gz"):
            yield Problem(str(path), "it is a volume, not an image", failed=False)
        elif path.suffix == ".png":
            yield _entry(path, part)


def _entry(path: Path, part: _Part) -> Entry | Problem:
    match = _NAME.fullmatch(path.name)
    if not match or match["modality"] not in _MODALITIES:
        return Problem(str(path), "its name is not that of an X-ray or CT image of the set")
    if (match["part"] or "chest") not in _CHEST:
        return Problem(path.name, "it is not of the chest", failed=False)
    tags = _tags(path.with_suffix(".json"))
    if tags.get("00280004") != "MONOCHROME2":
        reason = "its .json does not say MONOCHROME2, so it may be stored as a negative"
        return Problem(path.name, reason, failed=False)
    day = part.days.get(match["session"]) or _day(tags.get("00080020", ""), "%Y%m%d")
    found = _verdict(match["patient"], match["session"], day, part)
    if found.label is None:
        return Problem(path.name, found.reason, found.failed)
    return Entry(
        path,
        found.label,
        finding=found.finding,
        patient=match["patient"],
        view=_view(match["view"] or "", tags),
        modality=_MODALITIES[match["modality"]],
        age=age_of(tags.get("00101010", "")),
        sex=sex_of(tags.get("00100040", "")),
        origin="hospitals of the Valencian Region, Spain",
    )


def _verdict(patient: str, session: str, day: date | None, part: _Part) -> Verdict:
    if part.tests is None:
        return part.reports.get(session, Verdict("", None, "it has no report"))
    if not (positive := sorted(part.tests.get(patient, ()))):
        return Verdict("", None, "no positive test of its patient is published")
    if day is None:
        return Verdict("", None, "its day is not known, so it may be older than the infection")
    first, test = positive[0]
    if day < first - _BEFORE:
        return Verdict("", None, "it is more than 14 days older than the first positive test")
    return Verdict(f"{test} POSITIVO", "covid")


def _view(named: str, tags: Mapping[str, str]) -> str | None:
    """Returns the view that name, View Position and description agree on; None without one."""
    lateral = re.search(r"\bLAT", tags.get("0008103E", "").upper())
    said = {view_of(named), view_of(tags.get("00185101", "")), "lateral" if lateral else None}
    views = said - {None}
    return views.pop() if len(views) == 1 else None


def _tags(path: Path) -> dict[str, str]:
    """Returns the first value of each element of a DICOM header in JSON; none if it is no JSON."""
    try:
        header: Any = json.loads(read_bytes(path))
        values = {tag: (element.get("Value") or [""])[0] for tag, element in header.items()}
    except (InputError, ValueError, AttributeError, TypeError, KeyError):
        return {}
    return {tag: value.strip() for tag, value in values.items() if isinstance(value, str)}


def _read_tests(table: Path, tests: defaultdict[str, list[tuple[date, str]]]) -> Iterator[Problem]:
    """Fills in the positive tests of each patient; yields those of no patient or day."""
    for number, row in numbered_rows(
        table, ("participant", "date", "test", "result"), encoding="latin-1"
    ):
        where, result = f"{table}, line {number}", row["result"] or ""
        if result not in _RESULTS:
            raise InputError(
                "test-result-unknown",
                f"{where}: the result {result!r} is not one of {', '.join(_RESULTS)}.",
            )
        patient, day = row["participant"], _day(row["date"] or "", "%d.%m.%Y")
        if not _RESULTS[result]:
            continue
        if patient and day:
            tests[patient.removeprefix("sub-")].append((day, row["test"] or "test"))
        else:
            yield Problem(where, "its positive test names no patient or no day")


def _reports(folder: Path) -> dict[str, Verdict]:
    """Returns what the report of each session of the negative part makes of its images."""
    tables = sorted(folder.glob("[Ll]abels_*.tsv"))
    if not tables:
        raise InputError(
            "source-layout-unexpected",
            f"{folder.parent} does not have the layout of bimcv-covid19: it contains neither a "
            "table of tests in EHR nor one of reports in labels.",
        )
    reports: dict[str, Verdict] = {}
    for table in tables:
        for number, row in numbered_rows(table, ("ReportID", "Labels"), encoding="latin-1"):
            session = (row["ReportID"] or "").removeprefix("ses-")
            found = _report(row["Labels"] or "[]", f"{table}, line {number}")
            if reports.setdefault(session, found) != found:
                reports[session] = Verdict(
                    "", None, "its report has two rows that differ", failed=True
                )
    return reports


def _report(text: str, where: str) -> Verdict:
    try:
        findings = bimcv.findings_of(text)
    except ValueError as error:
        return Verdict(text, None, str(error), failed=True)
    if _COVID & {*findings}:
        return Verdict(text, None, "its report mentions COVID-19, but no test is published")
    if reason := bimcv.exclusion_of(findings):
        return Verdict(text, None, reason)
    try:
        return stated_verdict(findings, _LABELS)
    except KeyError as error:
        raise InputError(
            "finding-unknown", f"{where}: the finding {error} is not in the table of labels."
        ) from None


def _read_days(place: Path, days: dict[str, date]) -> Iterator[Problem]:
    """Fills in the day of each session; yields the tables that cannot be used.

    They hold the reports, as they were typed. A header in JSON says the day too.
    """
    for table in sorted(place.glob("sub-*/*_sessions.tsv")):
        try:
            for _, row in numbered_rows(table, ("session_id", "study_date"), encoding="latin-1"):
                if day := _day((row["study_date"] or "").removesuffix(".0"), "%Y%m%d"):
                    days[(row["session_id"] or "").removeprefix("ses-")] = day
        except InputError as error:
            said = str(error).removeprefix(f"{table} ").removesuffix(".")
            yield Problem(str(table), f"it {said}")


def _day(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        return None
