from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.inspect.facts import FACTS, file_facts, read_facts


@pytest.fixture
def files(table: pd.DataFrame) -> pd.DataFrame:
    """Four images in two folders, two of them of one name."""
    places = ["/d/set/covid/a.png", "/d/set/covid/b.png", "/d/set/normal/a.png", "/d/x/c.png"]
    return table[:4].assign(path=pd.Series(places, dtype="string"))


def published(folder: Path, text: str) -> Path:
    (folder / "facts.csv").write_text(text)
    return folder / "facts.csv"


def test_the_manifests_facts_and_what_follows_from_them(table: pd.DataFrame) -> None:
    table.loc[0, "bytes"] = pd.NA
    facts = file_facts(table)
    assert tuple(facts) == FACTS
    for name in ("width", "height", "bytes", "format", "bits"):
        assert facts[name].equals(table[name].astype(facts[name].dtype)), name
    known = table[1:]
    assert (facts["aspect"] == table["width"] / table["height"]).all()
    area = known["width"] * known["height"]
    assert (facts["bytes_per_pixel"][1:] == known["bytes"] / area).all()
    assert facts["bytes_per_pixel"].isna().tolist() == [True] + [False] * (len(facts) - 1)


def test_a_table_takes_the_place_of_the_manifests_facts(
    files: pd.DataFrame, tmp_path: Path
) -> None:
    table = published(
        tmp_path,
        "folder,filename,width,height,bytes,format\n"
        "covid,a.png,100,50,\n"
        "set/normal, a.png ,300,100,3000,PNG\n"
        "normal\\,b.png,1,1,1,\n"
        ",c.png,7,7,49,JPEG\n",
    )
    facts = file_facts(files, read_facts(table))
    assert facts["width"].tolist() == [100, pd.NA, 300, 7]
    assert facts["aspect"].tolist() == [2, pd.NA, 3, 1]
    assert facts["bytes"].tolist() == [pd.NA, pd.NA, 3000, 49]
    assert facts["bytes_per_pixel"].tolist() == [pd.NA, pd.NA, 0.1, 1]
    assert facts["format"].dropna().tolist() == ["PNG", "JPEG"]
    assert facts["bits"].isna().all()


def test_names_alone_are_enough_where_they_differ(files: pd.DataFrame, tmp_path: Path) -> None:
    facts = file_facts(files, read_facts(published(tmp_path, "filename,bytes\nb.png,9\n")))
    assert facts["bytes"].tolist() == [pd.NA, 9, pd.NA, pd.NA]
    assert facts["aspect"].isna().all()


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("name,width\na.png,1\n", ("column-missing", "filename")),
        ("filename,size\na.png,1\n", ("column-missing", "width, height, bytes, bits")),
        ("filename,width\na.png,1\nb.png,1.5\n", ("value-not-count", "2", "width", "'1.5'")),
        ("filename,bytes\na.png,0\n", ("value-not-count", "1", "bytes", "'0'")),
        ("filename,bytes\na.png,1\na.png,2\n", ("image-repeated", "a.png")),
    ],
)
def test_a_table_that_is_none_of_facts(tmp_path: Path, text: str, refused: tuple[str, ...]) -> None:
    with refuses(*refused):
        read_facts(published(tmp_path, text))


def test_a_table_of_other_images(files: pd.DataFrame, tmp_path: Path) -> None:
    facts = read_facts(published(tmp_path, "folder,filename,width\nvirus,a.png,1\n"))
    with refuses("facts-of-no-image", "facts.csv"):
        file_facts(files, facts)
