"""pulmo evaluate, of a table of several findings per image."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def table() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    columns: dict[str, object] = {
        "path": [f"/home/Jane Doe/{number}.png" for number in range(60)],
        "patient": [f"p{number // 2}" for number in range(60)],
    }
    for label in ("Edema", "Mass/Nodule"):
        score = generator.random(60).round(2)
        columns[f"p_{label}"] = score
        columns[f"y_{label}"] = (score + generator.random(60) > 1).astype(float)
    found = pd.DataFrame(columns)
    found.loc[:9, "y_Mass/Nodule"] = np.nan
    return found.assign(p_Hernia=0.5, y_Hernia=np.nan)


def test_a_folder_of_all_and_one_of_each(pulmo: Call, table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_csv(tmp_path / "theirs.csv", index=False)
    status, out, err = pulmo(
        "evaluate", tmp_path / "theirs.csv", "-o", tmp_path / "e", "--threshold", "0.4"
    )
    assert (status, err) == (0, "")
    names = {"predictions.parquet", "evaluation.json", "report.html"}
    assert {path.name for path in (tmp_path / "e").iterdir()} == {*names, "labels"}
    for label in ("edema", "mass-nodule"):
        assert {path.name for path in (tmp_path / "e" / "labels" / label).iterdir()} == names
    assert out.startswith("60 images in 30 groups, 2 findings\n  Subset accuracy ")
    known = table.dropna(subset="y_Mass/Nodule")
    share = f"{known['y_Mass/Nodule'].sum():.0f} of 50"
    area = metrics.roc_auc_score(known["y_Mass/Nodule"], known["p_Mass/Nodule"])
    assert f"  Mass/Nodule  {share:>16}  AUC {area:.3f} (" in out
    assert "warning: Left out: Hernia." in out
    assert out.endswith("report.html\n")
    evaluation = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert evaluation["model"]["name"] == "theirs"
    assert evaluation["labels"]["Edema"]["decision"]["threshold"] == 0.4
    called = table[["p_Edema"]] >= 0.4
    micro = metrics.f1_score(
        [*table["y_Edema"], *known["y_Mass/Nodule"]],
        [*called["p_Edema"], *(known["p_Mass/Nodule"] >= 0.4)],
    )
    assert evaluation["overall"]["micro_f1"][0] == pytest.approx(micro)
    page = (tmp_path / "e" / "report.html").read_text()
    assert 'href="labels/mass-nodule/report.html"' in page
    own = (tmp_path / "e" / "labels" / "mass-nodule" / "report.html").read_text()
    assert "theirs: Mass/Nodule" in own
    assert "Jane Doe" not in page + own


def test_what_was_written_is_evaluated_alike(
    pulmo: Call, table: pd.DataFrame, tmp_path: Path
) -> None:
    table.to_parquet(tmp_path / "t.parquet")
    words = ["--threshold", "0.3"]
    assert pulmo("evaluate", tmp_path / "t.parquet", "-o", tmp_path / "e", *words)[0] == 0
    again = tmp_path / "e" / "predictions.parquet"
    assert pulmo("evaluate", again, "-o", tmp_path / "f")[0] == 0
    one, two = (
        json.loads((tmp_path / name / "evaluation.json").read_text()) for name in ("e", "f")
    )
    assert one["overall"] == two["overall"]
    alone = tmp_path / "e" / "labels" / "edema" / "predictions.parquet"
    words = ["--positive", "Edema", "--prevalence", "0.01"]
    assert pulmo("evaluate", alone, "-o", tmp_path / "g", *words)[0] == 0
    found = json.loads((tmp_path / "g" / "evaluation.json").read_text())
    assert found["classes"]["Edema"]["auc"] == one["labels"]["Edema"]["classes"]["Edema"]["auc"]


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (
            ["--positive", "Edema"],
            2,
            "and a positive class was named, which is for a table of one class an image",
        ),
        (
            ["--prevalence", "0.1"],
            2,
            "and a prevalence was named, which is for a table of one class an image",
        ),
        (["--threshold", "3"], 2, "A threshold must be between 0 and 1; got 3."),
    ],
)
def test_options_that_do_not_fit(
    pulmo: Call,
    table: pd.DataFrame,
    tmp_path: Path,
    words: list[str],
    status: int,
    sentence: str,
) -> None:
    table.to_csv(tmp_path / "t.csv", index=False)
    found, out, err = pulmo("evaluate", tmp_path / "t.csv", "-o", tmp_path / "e", *words)
    assert (found, out) == (status, "")
    assert sentence in err
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"label": "x"}, "a column label, for one class per image, and columns y_"),
        ({"y_Edema": -1}, "have a y_Edema of -1"),
        ({"p_Edema": 1.2}, "have a p_Edema that is missing or not between 0 and 1"),
        ({"p_Mass": 0.2}, "have p_Mass without its truth y_Mass"),
        ({"path": "x.png"}, "are there more than once"),
    ],
)
def test_bad_input_is_a_sentence(
    pulmo: Call,
    table: pd.DataFrame,
    tmp_path: Path,
    change: dict[str, Any],
    sentence: str,
    kind: str,
) -> None:
    path, bad = tmp_path / f"t.{kind}", table.assign(**change)
    bad.to_csv(path, index=False) if kind == "csv" else bad.to_parquet(path)
    status, out, err = pulmo("evaluate", path, "-o", tmp_path / "e")
    assert (status, out) == (3, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "e").exists()


def test_it_is_no_evaluation_of_classes(pulmo: Call, table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_csv(tmp_path / "t.csv", index=False)
    assert pulmo("evaluate", tmp_path / "t.csv", "-o", tmp_path / "e")[0] == 0
    again = table.assign(p_Edema=1 - table["p_Edema"])
    again.to_csv(tmp_path / "u.csv", index=False)
    assert pulmo("evaluate", tmp_path / "u.csv", "-o", tmp_path / "f")[0] == 0
    status, _, err = pulmo("compare", tmp_path / "e", tmp_path / "f", "-o", tmp_path / "c")
    assert status == 3
    assert (
        "it is of several findings per image; name the folder of one finding, below labels." in err
    )
    folders = [tmp_path / name / "labels" / "edema" for name in ("e", "f")]
    status, out, err = pulmo("compare", *folders, "-o", tmp_path / "c")
    assert (status, err) == (0, "")
    assert "f/labels/edema - e/labels/edema: AUC of Edema -" in out
