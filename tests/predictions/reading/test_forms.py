"""One and the same table of predictions in the forms in which authors send it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
from pulmo.evaluate.evaluation import Evaluation, ModelName
from pulmo.predictions.external import external_predictions
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.recognise import Recognised, recognise
from pulmo.predictions.reading.table_file import read_table

COVID = Options(positive=("covid",))


@pytest.fixture
def table() -> pd.DataFrame:
    """Predictions of 60 images; per cent and decimals are exact in any form."""
    generator = np.random.default_rng(5)
    covid = np.arange(60) % 3 == 0
    p = np.where(covid, generator.integers(30, 100, 60), generator.integers(1, 70, 60)) / 100
    p[p == 0.5] = 0.51  # no tie, which another order of the classes would break otherwise
    return pd.DataFrame(
        {
            "path": [f"ä{number}.png" for number in range(60)],
            "label": np.where(covid, "covid", "normal"),
            "p_covid": p,
            "p_normal": np.round(1 - p, 2),
        }
    )


def evaluated(path: Path, said: Options = COVID) -> tuple[Evaluation, Recognised]:
    found = recognise(read_table(path), said)
    external = external_predictions(found, said.threshold, said.merge)
    model = ModelName.from_table(path)
    provenance = Provenance(model, model.sha256, notes=external.notes)
    resampling = Resampling(np.random.default_rng(0), 200)
    return evaluate(external.checked(), provenance, resampling), found


def percent(column: pd.Series, mark: str = "") -> list[str]:
    return [f"{100 * value:.0f}{mark}" for value in column]


Form = Callable[[pd.DataFrame], pd.DataFrame]


def renamed(**names: str) -> Form:
    return lambda table: table.rename(columns=names)


def one(image: str, truth: str, score: str) -> Form:
    return lambda table: table.drop(columns="p_normal").rename(
        columns={"path": image, "label": truth, "p_covid": score}
    )


def with_decision(name: str, *columns: str) -> Form:
    """The decision of the likeliest class in a column, and of the others those that are named."""

    def form(table: pd.DataFrame) -> pd.DataFrame:
        decided = np.where(table["p_covid"] > table["p_normal"], "covid", "normal")
        return table[["path", "label", *columns]].assign(**{name: decided})

    return form


def with_percent(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{name: percent(table[name], " %") for name in ("p_covid", "p_normal")})


def named_percent(table: pd.DataFrame) -> pd.DataFrame:
    values = {f"{name[2:]} (%)": percent(table[name]) for name in ("p_covid", "p_normal")}
    return table[["path", "label"]].assign(**values)


def coded(form: Form) -> Form:
    return lambda table: form(table.assign(label=(table["label"] == "covid").astype(int)))


def spelled(covid: str, normal: str) -> Form:
    return lambda table: table.assign(label=table["label"].map({"covid": covid, "normal": normal}))


def upper(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns=str.upper)


def confident(table: pd.DataFrame) -> pd.DataFrame:
    made = with_decision("prediction")(table)
    return made.assign(confidence=table[["p_covid", "p_normal"]].max(axis=1))


FORMS: dict[str, tuple[Form, Options]] = {
    "as pulmo's": (lambda table: table, COVID),
    "image, true, prob": (one("image", "true", "prob"), COVID),
    "label, prediction, probability": (
        lambda table: with_decision("prediction", "p_covid")(table).rename(
            columns={"p_covid": "probability"}
        ),
        COVID,
    ),
    "prediction with its confidence": (confident, COVID),
    "one probability, its class in the header": (one("path", "label", "p_covid"), COVID),
    "one probability, of the other class": (
        lambda table: table.drop(columns="p_covid"),
        COVID,
    ),
    "file, y_true, y_score": (one("file", "y_true", "y_score"), COVID),
    "filename, target, score": (one("filename", "target", "score"), COVID),
    "Image, Ground Truth, P(covid)": (one("Image", "Ground Truth", "P(covid)"), COVID),
    "--truth and --score": (
        lambda table: one("path", "finding_text", "model 7")(table).assign(epoch=3),
        Options(("covid",), truth="finding_text", score="model 7"),
    ),
    "prob_covid": (renamed(p_covid="prob_covid", p_normal="prob_normal"), COVID),
    "covid_prob": (renamed(p_covid="covid_prob", p_normal="normal_prob"), COVID),
    "classes alone": (renamed(p_covid="covid", p_normal="normal"), COVID),
    "P(covid)": (renamed(p_covid="P(covid)", p_normal="P(normal)"), COVID),
    "upper case": (upper, COVID),
    "COVID, Normal": (spelled("COVID", "Normal"), COVID),
    "Covid-19": (spelled("Covid-19", "NORMAL"), COVID),
    "all in capitals": (
        lambda table: upper(spelled("COVID", "NORMAL")(table)),
        COVID,
    ),
    "0 and 1, one probability": (coded(one("path", "label", "prob")), COVID),
    "0.0 and 1.0": (
        lambda table: coded(one("path", "label", "prob"))(table).astype({"label": float}),
        COVID,
    ),
    "more labels, merged": (
        lambda table: one("path", "label", "p_covid")(
            table.assign(label=table["label"].mask(table.index % 3 == 1, "viral"))
        ),
        Options(("covid",), merge={"viral": "normal"}),
    ),
    "0 and 1, both probabilities": (coded(lambda table: table), COVID),
    "0 and 1 as classes": (
        coded(renamed(p_covid="p_1", p_normal="p_0")),
        Options(positive=("1",)),
    ),
    "per cent signs": (with_percent, COVID),
    "per cent in the header": (named_percent, COVID),
    "COVID is positive": (lambda table: table, Options(positive=("COVID",))),
}


def values(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the values, with those of each class by whether it is positive."""
    (positive,) = evaluation.decision.positive
    assert positive in {"covid", "1"}
    by_side = {label == positive: own for label, own in evaluation.classes.items()}
    return {
        "overall": evaluation.overall,
        "classes": by_side,
        "decision": evaluation.decision.model_dump(exclude={"positive"}),
        "sweep": evaluation.sweep,
        "n": evaluation.data.n,
    }


def assert_same(first: Any, second: Any) -> None:  # noqa: ANN401 - whatever values hold
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for name in first:
            assert_same(first[name], second[name])
    elif isinstance(first, tuple):
        assert len(first) == len(second)
        for one_of, other in zip(first, second, strict=True):
            assert_same(one_of, other)
    elif isinstance(first, float):
        assert first == pytest.approx(second, abs=1e-12)
    elif not hasattr(first, "model_dump"):
        assert str(first).replace("no covid", "normal") == str(second) or isinstance(first, str)
    else:
        assert_same(first.model_dump(), second.model_dump())


@pytest.mark.parametrize("name", FORMS)
def test_the_figures_do_not_depend_on_the_form(
    table: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    form, said = FORMS[name]
    table.to_csv(tmp_path / "plain.csv", index=False)
    form(table).to_csv(tmp_path / "theirs.csv", index=False)
    expected, _ = evaluated(tmp_path / "plain.csv")
    found, read = evaluated(tmp_path / "theirs.csv", said)
    assert_same(values(expected), values(found))
    assert bool(read.notes) != (name in {"as pulmo's", "0 and 1 as classes", "COVID is positive"})


def writer(suffix: str, **words: Any) -> Callable[[pd.DataFrame, Path], Path]:  # noqa: ANN401
    def write(table: pd.DataFrame, folder: Path) -> Path:
        path = folder / f"theirs{suffix}"
        table.to_csv(path, index=False, **words)
        return path

    return write


@pytest.mark.parametrize(
    "write",
    [
        writer(".csv", encoding="utf-8-sig"),
        writer(".csv", sep=";"),
        writer(".csv", sep=";", decimal=","),
        writer(".csv", sep="\t", decimal=","),
        writer(".tsv", sep="\t"),
        writer(".csv", encoding="latin-1"),
        writer(".csv", encoding="utf-16"),
        writer(".csv", encoding="utf-16-le", sep=";", decimal=","),
        writer(".txt", encoding="utf-16", sep="\t"),
        writer(".csv", lineterminator="\r\n"),
        writer(".csv", quoting=1),
    ],
)
def test_the_figures_do_not_depend_on_the_file(
    table: pd.DataFrame, tmp_path: Path, write: Callable[[pd.DataFrame, Path], Path]
) -> None:
    plain = tmp_path / "plain.parquet"
    table.to_parquet(plain)
    expected, _ = evaluated(plain)
    found, read = evaluated(write(table, tmp_path))
    assert_same(values(expected), values(found))
    assert read.table["path"].tolist() == table["path"].tolist()


def test_a_workbook_is_read(table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_parquet(tmp_path / "plain.parquet")
    with pd.ExcelWriter(tmp_path / "theirs.xlsx") as book:
        table.to_excel(book, sheet_name="results", index=False)
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="notes", index=False)
    expected, _ = evaluated(tmp_path / "plain.parquet")
    found, read = evaluated(tmp_path / "theirs.xlsx")
    assert_same(values(expected), values(found))
    assert any("2 sheets" in note and "results" in note for note in read.notes)
    coded(one("path", "label", "prob"))(table).to_excel(tmp_path / "coded.xlsx", index=False)
    found, _ = evaluated(tmp_path / "coded.xlsx")
    assert_same(values(expected), values(found))


def test_decisions_alone_have_no_area_and_no_calibration(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table.to_csv(tmp_path / "plain.csv", index=False)
    expected, _ = evaluated(tmp_path / "plain.csv")
    hard = with_decision("prediction")(table)
    for number, made in enumerate((hard, hard.replace({"covid": 1, "normal": 0}))):
        made.to_csv(tmp_path / f"{number}.csv", index=False)
        found, read = evaluated(tmp_path / f"{number}.csv")
        assert not any(str(name).startswith("p_") for name in read.table)
        assert not found.scored
        assert found.confusion == expected.confusion
        for name in ("accuracy", "balanced_accuracy", "kappa", "mcc"):
            assert found.overall[name] == expected.overall[name]
        for name in ("brier", "log_loss", "calibration_error", "macro_auc", "pairwise_auc"):
            assert found.overall[name].value is None
            assert "no probabilities" in (found.overall[name].reason or "")
        assert found.decision.sensitivity == expected.decision.sensitivity
        assert found.decision.specificity == expected.decision.specificity
        assert found.decision.auc is not None
        assert found.decision.auc.value is None
        for drawn in (found.roc, found.reliability, found.pairs, found.sweep, found.histograms):
            assert not drawn


def test_context_of_other_names_is_used_and_said(table: pd.DataFrame, tmp_path: Path) -> None:
    numbers = np.arange(60)
    theirs = table.assign(
        hospital=np.where(numbers % 2, "east", "west"),
        patient_id=numbers // 2,
        Sex=np.where(numbers % 4 < 2, "F", "M"),
        PatientAge=[f"{20 + number:03d}Y" for number in numbers],
        hospital_floor=3,
        device="DX",
    )
    ours = theirs.rename(columns={"hospital": "source", "patient_id": "patient", "Sex": "sex"})
    ours = ours.drop(columns="PatientAge").assign(age=20 + numbers)
    theirs.to_csv(tmp_path / "theirs.csv", index=False)
    ours.to_csv(tmp_path / "ours.csv", index=False)
    found, read = evaluated(tmp_path / "theirs.csv")
    expected, _ = evaluated(tmp_path / "ours.csv")
    assert found.data.sources == expected.data.sources
    assert (found.data.groups, found.subgroups) == (expected.data.groups, expected.subgroups)
    assert found.contrasts == expected.contrasts
    said = " ".join(read.notes)
    for words in ("hospital as source", "patient_id as patient", "Sex as sex", "device"):
        assert words in said
    assert "hospital_floor was not used: if it is the source of the images, name it source" in said
    theirs.assign(site="x").to_csv(tmp_path / "two.csv", index=False)
    doubtful, read = evaluated(tmp_path / "two.csv")
    assert set(doubtful.data.sources) == {"unstated"}
    assert any("hospital, site may each be the source" in note for note in read.notes)


@pytest.mark.parametrize("digits", [2, 3])
def test_probabilities_that_were_rounded_are_renormalised(tmp_path: Path, digits: int) -> None:
    generator = np.random.default_rng(1)
    classes = [f"c{number}" for number in range(9)]
    exact = generator.dirichlet(np.ones(9), 50)
    rounded = np.round(exact, digits)
    assert (np.abs(rounded.sum(axis=1) - 1) > 2e-3).any()
    made = pd.DataFrame(rounded, columns=[f"p_{label}" for label in classes])
    made = made.assign(
        path=[f"{row}.png" for row in range(50)], label=generator.choice(classes, 50)
    )
    made.to_csv(tmp_path / "t.csv", index=False)
    _, read = evaluated(tmp_path / "t.csv", Options())
    found = read.table[[f"p_{label}" for label in classes]].to_numpy()
    np.testing.assert_allclose(found, rounded / rounded.sum(axis=1, keepdims=True))
    assert any(f"rounded to {digits} digits" in note for note in read.notes)
    # More than rounding explains.
    off = made["p_c0"] + np.where(np.arange(50), 0, 10 * 10.0**-digits)
    made.assign(p_c0=np.round(off, digits)).to_csv(tmp_path / "off.csv", index=False)
    with refuses("predictions-value-invalid", "do not sum to 1"):
        evaluated(tmp_path / "off.csv", Options())


def test_sums_that_were_accepted_are_left_as_they_are(tmp_path: Path) -> None:
    made = pd.DataFrame(
        {"path": ["a", "b"], "label": ["x", "y"], "p_x": [0.701, 0.2], "p_y": [0.3, 0.8]}
    )
    made.to_csv(tmp_path / "t.csv", index=False)
    found = recognise(read_table(tmp_path / "t.csv"), Options())
    assert found.table["p_x"].tolist() == [0.701, 0.2]
    assert not found.notes


def test_classes_are_merged(table: pd.DataFrame, tmp_path: Path) -> None:
    four = table.rename(columns={"p_covid": "p_bacterial"}).assign(
        p_viral=lambda made: np.round(made["p_normal"] / 4, 4),
        p_normal=lambda made: made["p_normal"] - made["p_viral"],
        label=table["label"].replace("covid", "pneumonia"),
    )
    four.to_csv(tmp_path / "four.csv", index=False)
    merge = {"bacterial": "pneumonia", "viral": "pneumonia"}
    found, read = evaluated(tmp_path / "four.csv", Options(("pneumonia",), merge=merge))
    assert tuple(found.classes) == ("pneumonia", "normal")
    summed = four["p_bacterial"] + four["p_viral"]
    right = (summed > four["p_normal"]) == (four["label"] == "pneumonia")
    assert found.overall["accuracy"].value == pytest.approx(right.mean())
    assert any("bacterial and viral count as pneumonia" in note for note in found.notes)
    assert "p_viral" in read.table
    with refuses("label-merge-invalid", "'normal'", "'x'"):
        evaluated(
            tmp_path / "four.csv", Options(merge={"normal": "x", "viral": "x", "bacterial": "x"})
        )


REFUSED: dict[str, tuple[Form, Options, tuple[str, ...]]] = {
    "no class stated": (one("path", "label", "prob"), Options(), ("score-class-unstated",)),
    "code of no class": (
        coded(one("path", "label", "p_covid")),
        Options(),
        ("positive-class-unstated",),
    ),
    "codes of two classes": (coded(lambda table: table), Options(), ("positive-class-unstated",)),
    "per cent unsaid": (
        lambda table: table.assign(p_covid=percent(table["p_covid"])),
        COVID,
        ("probability-above-one",),
    ),
    "per cent of fractions": (
        renamed(p_covid="covid_percent", p_normal="normal_percent"),
        COVID,
        ("percent-doubtful",),
    ),
    "some per cent": (
        lambda table: table.assign(p_covid=["9%", *percent(table["p_covid"])[1:]]),
        COVID,
        ("percent-signs-mixed",),
    ),
    "two truths": (
        lambda table: table.rename(columns={"label": "truth"}).assign(target="covid"),
        COVID,
        ("column-ambiguous",),
    ),
    "two images": (
        lambda table: table.rename(columns={"path": "image"}).assign(file="a"),
        COVID,
        ("column-ambiguous",),
    ),
    "two scores": (
        lambda table: one("path", "label", "prob")(table).assign(score=0.5),
        COVID,
        ("score-column-ambiguous",),
    ),
    "two of one class": (
        lambda table: one("path", "label", "prob_covid")(table).assign(covid_score=0.5),
        COVID,
        ("probabilities-repeated",),
    ),
    "three classes, one score": (
        lambda table: one("path", "label", "p_covid")(
            table.assign(label=["other", *table["label"][1:]])
        ),
        COVID,
        ("probabilities-too-few",),
    ),
    "no such class": (one("path", "label", "p_flu"), Options(), ("score-class-not-label", "flu")),
    "confidence as a score": (
        lambda table: confident(table).rename(columns={"confidence": "prob"}),
        COVID,
        ("score-seems-confidence",),
    ),
    "nothing": (lambda table: table[["path", "label"]], COVID, ("probabilities-missing",)),
    "decisions of other words": (
        lambda table: table[["path", "label"]].assign(prediction="yes"),
        COVID,
        ("decisions-not-labels",),
    ),
    "threshold of decisions": (
        with_decision("prediction"),
        Options(("covid",), 0.5),
        ("threshold-without-probabilities",),
    ),
    "no such column": (lambda table: table, Options(truth="gold"), ("column-unknown", "gold")),
    "no such score": (lambda table: table, Options(score="gold"), ("column-unknown", "gold")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_stated_is_refused_with_what_to_do(
    table: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    form, said, refused = REFUSED[name]
    form(table).to_csv(tmp_path / "theirs.csv", index=False)
    with refuses(*refused):
        evaluated(tmp_path / "theirs.csv", said)


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04 cut"])
def test_what_is_no_workbook_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(content)
    with refuses("workbook-invalid"):
        read_table(tmp_path / "t.xlsx")


def test_ages_that_cannot_be_read_are_unknown_and_said(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "path,label,p_a,p_b,age\n1,a,0.9,0.1,64\n2,b,0.2,0.8,081Y\n3,a,0.6,0.4,old\n4,b,0.1,0.9,\n"
    )
    found = recognise(read_table(table), Options())
    assert found.table["age"].tolist()[:2] == [64, 81]
    assert found.table["age"].isna().tolist() == [False, False, True, True]
    (note,) = (note for note in found.notes if "age" in note)
    assert note.startswith("1 of 3 values of age")
