"""Wang et al. 2020: COVIDx, the set of COVID-Net, put together from other sets."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.entries import image_inside, once
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source
from pulmo.datasets.sources.figure1 import MISLABELLED, patient_of
from pulmo.datasets.text import text_lines

# train.txt, train_COVIDx9A.txt, train_COVIDx_CXR-3A.txt, and the first version's train_split.txt.
_FILE = re.compile(r"(?P<split>train|val|test)(_(COVIDx|split)[\w-]*)?\.txt")
_LABELS = {
    "COVID-19": "covid",
    "positive": "covid",
    "pneumonia": "pneumonia",
    "bacteria": "bacterial",
    "viral": "viral",
    "normal": "normal",
    # Without COVID-19: normal images and those of any other pneumonia.
    "negative": "other",
}


@source(
    "covidx",
    About(
        title="Wang et al. 2020, COVIDx CXR, the set of COVID-Net",
        licence="those of the sets that it is made of; for research only",
        size="30,386 images (CXR-3), 84,818 (CXR-4)",
        url="https://www.kaggle.com/datasets/andyczhao/covidx-cxr2",
        obtain="Download it there (an account is needed) and unpack it; ROOT is its folder, which "
        "holds train, test and their label files train.txt and test.txt. Or make it with the "
        "scripts of https://github.com/lindawangg/COVID-Net and put one version's label files, "
        "such as train_COVIDx9A.txt and test_COVIDx9A.txt, into ROOT. The files that tell normal "
        "from pneumonia are those whose names end in A.",
    ),
)
def covidx(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `{train,val,test}/` that the label file of the split names.

    A line is `patient image class source`, or without the source in the first versions. Images
    that are in another set too keep that set's patients.

    Raises:
        InputError: `root` holds no label file or two of one split, one is not UTF-8, or a class
            is not in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "covidx")
    yield from once(
        _entry(root / split, f"{table}, line {number}", line.split())
        for split, table in _label_files(root).items()
        for number, line in enumerate(text_lines(table), start=1)
        if line.strip()
    )


def _label_files(root: Path) -> dict[str, Path]:
    """Returns the label file of each split."""
    if not root.is_dir():
        raise InputError("folder-missing", f"{root} is not a folder.")
    files: dict[str, Path] = {}
    for path in sorted(root.iterdir()):
        if match := _FILE.fullmatch(path.name):
            other = files.setdefault(match["split"], path)
            if other != path:
                raise InputError(
                    "source-versions-mixed",
                    f"{root} contains {other.name} and {path.name}, which are label files of two "
                    "versions. Move one of them to another folder.",
                )
    if not files:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of COVIDx: it contains no label file, such as "
            "train_COVIDx9A.txt.",
        )
    return files


def _entry(folder: Path, where: str, words: list[str]) -> Entry | Problem:
    end = -1 if words[-1] in _LABELS else -2
    # A patient may be of two words: COVID 28.
    if len(words) < 2 - end:
        return Problem(where, "it is not `patient image class source`")
    patient, name, finding = " ".join(words[: end - 1]), words[end - 1], words[end]
    if finding not in _LABELS:
        raise InputError(
            "finding-unknown",
            f"{where}: neither {finding!r} nor {words[-1]!r} is a class of COVIDx "
            f"({', '.join(_LABELS)}).",
        )
    if patient in MISLABELLED:
        return Problem(name, MISLABELLED[patient], failed=False)
    try:
        path = image_inside(folder, name)
    except ValueError as error:
        return Problem(where, str(error))
    if isinstance(path, Problem):
        return path
    return Entry(
        path,
        _LABELS[finding],
        finding=finding,
        patient=patient_of(patient),
        modality="X-ray",
        split=folder.name,
        origin=words[-1] if end == -2 else None,
    )
