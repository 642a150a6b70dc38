"""Kermany et al. 2018: chest X-rays of children aged one to five from Guangzhou, all AP."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.source import About, Entry, Problem, images_below, refuse_map, source

_PNEUMONIA = re.compile(r"(?P<patient>person\d+)_(?P<cause>bacteria|virus)_\d+(_\d+)?\.jpe?g")
_NORMAL = re.compile(r"(?P<patient>(NORMAL2-)?IM-\d+)-\d+(-\d+)?\.jpe?g")
_LICENCE = "CC BY 4.0"
_CAUSES = {"bacteria": "bacterial", "virus": "viral"}


@source(
    "kermany",
    About(
        title="Kermany et al. 2018, Labeled Optical Coherence Tomography and Chest X-Ray Images",
        licence=_LICENCE,
        size="5856 images, 1.2 GB",
        url="https://data.mendeley.com/datasets/rscbjbr9sj/2",
        obtain="Download ChestXRay2017.zip there and unpack it; ROOT is its folder chest_xray.",
    ),
)
def kermany(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `{train,val,test}/{NORMAL,PNEUMONIA}` with the official split.

    The cause and the patient come from the file's name. Patient numbers recur between the official
    train and test and between causes; whether they are the same child is not known, so they are
    taken as the same.

    Raises:
        InputError: none of the three folders is there.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "kermany")
    splits = [split for split in ("train", "val", "test") if (root / split).is_dir()]
    if not splits:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of kermany: it contains no folder train, val or "
            "test.",
        )
    for split in splits:
        for path in images_below(root / split):
            yield _entry(path, split)


def _entry(path: Path | Problem, split: str) -> Entry | Problem:
    if isinstance(path, Problem):
        return path
    kind = path.parent.name
    if kind == "NORMAL" and (match := _NORMAL.fullmatch(path.name)):
        label, finding = "normal", "normal"
    elif kind == "PNEUMONIA" and (match := _PNEUMONIA.fullmatch(path.name)):
        label, finding = _CAUSES[match["cause"]], f"pneumonia, {match['cause']}"
    else:
        return Problem(str(path), "its name or folder is not one of kermany's")
    return Entry(
        path,
        label,
        finding,
        patient=match["patient"],
        view="AP",
        modality="X-ray",
        split=split,
        origin="Guangzhou Women and Children's Medical Center, Guangzhou, China",
        licence=_LICENCE,
    )
