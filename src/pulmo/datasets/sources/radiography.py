"""COVID-19 Radiography Database: a folder a class, collected from several hospitals and sets."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.source import About, Entry, Problem, pictures_below, refuse_map, source

_LABELS = {
    "COVID": "covid",
    "Normal": "normal",
    "Viral Pneumonia": "viral",
    # RSNA's "lung opacity": an opacity was seen, no cause was established.
    "Lung_Opacity": "other",
}


@source(
    "radiography",
    About(
        title="COVID-19 Radiography Database (Chowdhury et al. 2020, Rahman et al. 2021)",
        licence="stated per part; read the set's README",
        size="21,165 pictures, 0.8 GB",
        url="https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database",
        obtain="Download it there (an account is needed) and unpack it; ROOT is its folder "
        "COVID-19_Radiography_Dataset.",
    ),
)
def radiography(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the pictures of `{COVID,Normal,Viral Pneumonia,Lung_Opacity}/images`.

    The set names no patients. Its viral pictures are Kermany's.

    Raises:
        InputError: none of the class folders is there.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "radiography")
    present = [name for name in _LABELS if (root / name / "images").is_dir()]
    if not present:
        raise InputError(
            f"{root} holds none of the folders {', '.join(f'{name}/images' for name in _LABELS)}."
        )
    for name in present:
        for path in pictures_below(root / name / "images"):
            yield Entry(path, _LABELS[name], finding=name, modality="X-ray")
