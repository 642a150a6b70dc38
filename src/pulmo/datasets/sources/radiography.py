"""COVID-19 Radiography Database: a folder a class, collected from several hospitals and sets."""

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.datasets.source import About, Entry, Problem, images_below, refuse_map, source

_LABELS = {
    "COVID": "covid",
    "Normal": "normal",
    "Viral Pneumonia": "viral",
    # RSNA's "lung opacity": an opacity was seen, no cause was established.
    "Lung_Opacity": "other",
}
_ORIGINS = {
    "COVID": "BIMCV and other collections of COVID-19",
    "Normal": "rsna and kermany",
    "Viral Pneumonia": "kermany",
    "Lung_Opacity": "rsna",
}
"""Where the set's README says that the images of a class are from."""


@source(
    "radiography",
    About(
        title="COVID-19 Radiography Database (Chowdhury et al. 2020, Rahman et al. 2021)",
        licence="stated per part; read the set's README",
        size="21,165 images, 0.8 GB",
        url="https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database",
        obtain="Download it there (an account is needed) and unpack it; ROOT is its folder "
        "COVID-19_Radiography_Dataset.",
    ),
)
def radiography(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the images of `{COVID,Normal,Viral Pneumonia,Lung_Opacity}/images`.

    The set names no patients. Its viral images are Kermany's. Where its sheets, such as
    `COVID.metadata.xlsx`, are there, the origin is the address that they give, else what its README
    says of the class.

    Raises:
        InputError: none of the class folders is there or there is one more, or a sheet cannot be
            read or lacks a column.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "radiography")
    present = [name for name in _LABELS if (root / name / "images").is_dir()]
    if not present:
        raise InputError(
            "source-layout-unexpected",
            f"{root} does not have the layout of radiography: it contains none of the folders "
            f"{', '.join(f'{name}/images' for name in _LABELS)}.",
        )
    found = {path.parent.name for path in root.glob("*/images") if path.is_dir()}
    if unknown := sorted(found - _LABELS.keys()):
        raise InputError(
            "class-folder-unknown",
            f"{root} contains {unknown[0]}/images, which is not a class of radiography.",
        )
    for name in present:
        origins = _origins(root / f"{name}.metadata.xlsx")
        for path in images_below(root / name / "images"):
            yield _entry(path, name, origins)


def _entry(path: Path | Problem, name: str, origins: Mapping[str, str]) -> Entry | Problem:
    if isinstance(path, Problem):
        return path
    return Entry(
        path,
        _LABELS[name],
        finding=name,
        modality="X-ray",
        origin=origins.get(path.stem.casefold(), _ORIGINS[name]),
    )


def _origins(sheet: Path) -> dict[str, str]:
    """Returns the address of each image of a sheet; none if it is not there.

    The sheet of the normal images names `NORMAL-1` what is in the file `Normal-1.png`.
    """
    if not sheet.exists():
        return {}
    data = read_bytes(sheet)
    try:
        table = pd.read_excel(BytesIO(data), dtype=str, engine="openpyxl")
    except Exception as error:  # damaged bytes make openpyxl raise anything
        raise InputError(
            "workbook-invalid", f"{sheet} is not a valid Excel file: {error}."
        ) from error
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    missing = [name for name in ("FILE NAME", "URL") if name not in table.columns]
    if missing:
        raise InputError(
            "column-missing",
            f"{sheet} has no column {', '.join(missing)}; it has {', '.join(table.columns)}.",
        )
    known = table[["FILE NAME", "URL"]].dropna()
    names = known["FILE NAME"].str.strip().str.casefold()
    return dict(zip(names, known["URL"].str.strip(), strict=True))
