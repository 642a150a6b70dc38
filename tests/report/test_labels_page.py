"""The page of several findings per image."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.page import Page
from pulmo.evaluate.evaluate import Provenance, Resampling
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.multilabel.evaluate import evaluate_labels
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.evaluate.multilabel.table import labels_table
from pulmo.report.labels_page import label_folders, render_labels_report, write_labels_report


def _evaluation(*, one_sided: bool = False, decided: tuple[str, ...] = ()) -> LabelsEvaluation:
    generator = np.random.default_rng(0)
    data: dict[str, object] = {"path": [f"{n}.png" for n in range(60)]}
    for label in ("<b>Edema & co", "Mass/Nodule"):
        score = generator.random(60).round(3)
        data[f"p_{label}"] = score
        data[f"y_{label}"] = 0 if one_sided else (score + generator.random(60) > 1).astype(int)
        if label in decided:
            data[f"d_{label}"] = (score > 0.4).astype(int)
    table = pd.DataFrame(data | {"p_Hernia": 0.5, "y_Hernia": np.nan})
    model = ModelName(name="theirs", version="predictions", sha256="0" * 64)
    resampling = Resampling(np.random.default_rng(0), 100)
    return evaluate_labels(labels_table(table), Provenance(model, "0" * 64), resampling)


@pytest.fixture(scope="module")
def evaluation() -> LabelsEvaluation:
    return _evaluation()


def test_folders_are_safe_and_unique() -> None:
    labels = ["Edema", "edema", "../../etc", "Mass/Nodule", "Mass Nodule", "肺炎", "", "x" * 300]
    folders = label_folders(labels)
    assert folders["Edema"] == "labels/edema"
    assert folders["edema"] == "labels/edema-2"
    assert folders["../../etc"] == "labels/etc"
    assert folders["Mass Nodule"] == "labels/mass-nodule-2"
    assert folders["肺炎"] == "labels/finding"
    assert len(set(folders.values())) == len(labels)
    assert all(re.fullmatch(r"labels/[a-z0-9-]{1,70}", name) for name in folders.values())
    assert len(set(label_folders(["a-2", "a", "A"]).values())) == 3


def test_all_figures_and_a_row_for_each_finding(evaluation: LabelsEvaluation) -> None:
    page = render_labels_report(evaluation)
    for name in ("Subset accuracy", "Hamming loss", "Micro F1", "Macro AUC", "Macro precision"):
        assert f'<th scope="row">{name}</th>' in page
    assert '<a href="labels/mass-nodule/report.html">Mass/Nodule</a>' in page
    assert '<a href="labels/b-edema-co/report.html">&lt;b&gt;Edema &amp; co</a>' in page
    assert "<b>Edema" not in page
    area = evaluation.labels["Mass/Nodule"].classes["Mass/Nodule"]["auc"].value
    assert f"{area:.3f}" in page
    assert "positive if its probability is at least 0.5." in page
    assert "Not labelled in any image: Hernia." in page
    assert "No image is labelled for it." in page
    for title in ("AUC", "Sensitivity", "Specificity", "F1"):
        assert f'class="group">{title}</th>' in page
    assert "<p>Unknown: &lt;b&gt;Edema &amp; co and Mass/Nodule.</p>" in page
    assert page == render_labels_report(evaluation)


def test_it_needs_no_network_and_is_balanced(evaluation: LabelsEvaluation, tmp_path: Path) -> None:
    write_labels_report(tmp_path / "r.html", evaluation)
    page = (tmp_path / "r.html").read_text()
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    Page(page)


def test_findings_without_figures_and_decisions_of_the_table() -> None:
    page = render_labels_report(_evaluation(one_sided=True))
    assert "no finding has both images with it and images without it" in page.lower()
    assert "undefined" in page
    assert 'class="bar"' not in page.partition('class="group">AUC</th>')[2].partition("</tbody>")[0]
    both = ("<b>Edema & co", "Mass/Nodule")
    some = render_labels_report(_evaluation(decided=both[:1]))
    assert "at least 0.5, or where the table says so." in some
    assert "The table states the decisions." in render_labels_report(
        _evaluation(decided=(*both, "Hernia"))
    )
