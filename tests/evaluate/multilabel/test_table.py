from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.core.sources import UNSTATED
from pulmo.evaluate.multilabel.table import labels_table
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.recognise import recognise
from pulmo.predictions.reading.table_file import TableFile, read_table

MakeTable = Callable[..., pd.DataFrame]


def has_findings(table: pd.DataFrame) -> bool:
    return recognise(TableFile(table, decimal_comma=True), Options()).findings


def test_a_table_is_recognised_by_its_truths(make_table: MakeTable) -> None:
    table = make_table(4)
    assert has_findings(table)
    assert has_findings(table.assign(label="Edema"))
    assert has_findings(table.assign(target="Edema", prediction=1))
    classes = pd.DataFrame({"path": ["a"], "label": ["x"], "p_x": [1.0], "p_z": [0.0]})
    assert not has_findings(classes)
    assert not has_findings(classes.assign(y_centre=3))
    assert not has_findings(classes.assign(y_=3))
    assert not has_findings(classes.rename(columns={"label": "y_true"}).assign(y_pred="x"))


def test_what_is_left_out_is_filled_in(make_table: MakeTable) -> None:
    table = make_table(40, missing=0.3, per_patient=2)
    found = labels_table(table)
    assert found.labels == ("Edema", "Lung Opacity", "Fracture")
    assert found.thresholds == (0.5, 0.5, 0.5)
    assert found.rows["group"].tolist() == table["patient"].tolist()
    assert set(found.rows["source"]) == {UNSTATED}
    probabilities = table[[f"p_{label}" for label in found.labels]].to_numpy()
    assert (found.called == (probabilities >= 0.5)).all()
    decided = found.rows[[f"d_{label}" for label in found.labels]].to_numpy()
    assert (decided == found.called).all()
    truth = table[[f"y_{label}" for label in found.labels]].to_numpy()
    np.testing.assert_array_equal(found.truth, truth)


def test_decisions_are_kept_and_the_rest_have_the_threshold(make_table: MakeTable) -> None:
    table = make_table(10).assign(d_Edema=[1, 0] * 5)
    found = labels_table(table, 0.2)
    assert found.thresholds == (None, 0.2, 0.2)
    assert found.called[:, 0].tolist() == [True, False] * 5
    assert found.called[:, 2].tolist() == (table["p_Fracture"] >= 0.2).tolist()
    again = labels_table(found.rows)
    assert again.thresholds == (None, None, None)
    assert (again.called == found.called).all()
    with refuses("threshold-with-decisions"):
        labels_table(found.rows, 0.2)


def test_one_finding_is_a_table_of_two_classes(make_table: MakeTable) -> None:
    table = make_table(30, missing=0.4).assign(width=100, origin="o", note="x")
    found = labels_table(table, 0.3)
    predictions = found.of_label(1)
    rows, rule = predictions.frame, predictions.rule
    assert rule.classes == ("Lung Opacity", "no Lung Opacity")
    assert (rule.positive, rule.threshold, rule.single_finding) == (("Lung Opacity",), 0.3, True)
    known = table.dropna(subset="y_Lung Opacity")
    assert rows["path"].tolist() == known["path"].tolist()
    assert ((rows["label"] == "Lung Opacity") == (known["y_Lung Opacity"] == 1).to_numpy()).all()
    assert ((rows["decision"] == "Lung Opacity") == rows["positive"]).all()
    assert rows["positive"].tolist() == (known["p_Lung Opacity"] >= 0.3).tolist()
    assert (rows["p_Lung Opacity"] + rows["p_no Lung Opacity"] == 1).all()
    assert {"width", "origin", "sex"} <= set(rows)
    assert not {"note", "y_Edema", "p_Edema", "d_Edema"} & set(rows)


def test_empty_cells_of_csv_are_not_labelled(make_table: MakeTable, tmp_path: Path) -> None:
    table = make_table(20, missing=0.5)
    table.to_csv(tmp_path / "t.csv", index=False)
    read = recognise(read_table(tmp_path / "t.csv"), Options())
    np.testing.assert_array_equal(labels_table(read.table).truth, labels_table(table).truth)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"label": "x"}, ("predictions-kind-ambiguous",)),
        ({"y_Mass": 1}, ("predictions-column-unpaired", "p_Mass")),
        ({"d_Mass": 1}, ("predictions-column-unpaired", "p_Mass")),
        ({"p_Mass": 0.5}, ("predictions-column-unpaired", "y_Mass")),
        ({"y_Edema": -1}, ("predictions-value-invalid", "6", "y_Edema", "CheXpert")),
        ({"y_Edema": 2}, ("predictions-value-invalid", "y_Edema", "/images")),
        ({"y_Edema": "yes"}, ("column-not-numeric", "y_Edema")),
        ({"p_Edema": np.nan}, ("predictions-value-invalid", "p_Edema")),
        ({"p_Edema": 1.5}, ("predictions-value-invalid", "p_Edema")),
        ({"d_Edema": 0.5}, ("predictions-value-invalid", "d_Edema")),
        ({"d_Edema": np.nan}, ("predictions-value-invalid", "d_Edema")),
        ({"path": "x.png"}, ("predictions-value-invalid", "5", "6")),
        ({"path": None}, ("predictions-value-invalid", "6", "path")),
        ({"group": None}, ("predictions-value-invalid", "6", "group")),
        ({"age": "old"}, ("age-invalid", "age")),
        (
            {"y_Edema": np.nan, "y_Lung Opacity": np.nan, "y_Fracture": np.nan},
            ("labels-missing",),
        ),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    make_table: MakeTable, change: dict[str, Any], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        labels_table(make_table(6).assign(**change))


def test_columns_and_rows_that_are_missing_or_twice(make_table: MakeTable) -> None:
    table = make_table(6)
    with refuses("predictions-columns-missing"):
        labels_table(table.drop(columns="path"))
    with refuses("predictions-empty"):
        labels_table(table.iloc[:0])
    with refuses("predictions-column-repeated", "y_Edema"):
        labels_table(pd.concat([table, table[["y_Edema"]]], axis=1))
    with refuses("threshold-invalid", "7"):
        labels_table(table, 7)
