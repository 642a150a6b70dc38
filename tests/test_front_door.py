"""What `import pulmo` gives."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import pulmo
from fixtures.refuses import refuses
from pulmo.core.folders import AuditFolder, EvaluationFolder
from pulmo.core.message import texts
from pulmo.core.recipe import Recipe
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Shares, split_manifest
from pulmo.evaluate.evaluation import read_evaluation


def test_the_example_of_the_front_door(
    bundle: Path, image: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    Manifest(images).save(tmp_path / "split.parquet")

    model = pulmo.load(str(bundle))
    result = model.predict(str(image))
    result.heatmap("covid").save(tmp_path / "map.png")
    data = pulmo.read_manifest(tmp_path / "split.parquet")
    report = pulmo.evaluate(model, data.split("test"), output=tmp_path / "evaluation")

    with Image.open(tmp_path / "map.png") as drawn:
        assert drawn.format == "PNG"
    np.testing.assert_allclose(sum(result.probabilities.values()), 1)
    assert report.evaluation == read_evaluation(EvaluationFolder(tmp_path / "evaluation").index)
    table = report.to_frame().set_index(["class", "metric"])
    assert table.loc[(np.nan, "accuracy"), "value"] == report.evaluation.overall["accuracy"].value
    auc = report.evaluation.classes["covid"]["auc"]
    assert tuple(table.loc[("covid", "auc"), ["value", "low", "high"]]) == auc[:3]
    assert report.warnings == texts(report.evaluation.warnings)

    frame = report.predictions.frame
    again = pulmo.evaluate_predictions(frame, positive=["covid"], groups="group")
    assert isinstance(again, type(report))
    assert again.evaluation.overall == report.evaluation.overall

    other = pulmo.evaluate_predictions(frame, positive=["covid"])
    other.save(tmp_path / "other")
    compared = pulmo.compare([tmp_path / "evaluation", tmp_path / "other"])
    assert set(compared.to_frame()["model"]) == {"evaluation", "other"}

    options = pulmo.AuditOptions(only=("degenerate",))
    audit = pulmo.audit(model, data.split("test"), output=tmp_path / "audit", options=options)
    assert list(audit.to_frame()["check"]) == ["degenerate"]
    assert AuditFolder(tmp_path / "audit").page.exists()

    (explained,) = pulmo.explain(model, [image], tmp_path / "maps", label="covid")
    assert explained.heatmap is not None
    assert explained.heatmap.exists()
    assert pulmo.stats.proportion(np.array([True, False])).value == 0.5


def test_a_data_set_becomes_a_model(
    phantoms: Path, quick_recipe: Recipe, image: Path, tmp_path: Path
) -> None:
    loaded = pulmo.datasets.load("csv", phantoms, name="phantom", sources="drawn here")
    data = split_manifest(loaded, Shares(0.25, 0.25), np.random.default_rng(0))
    run = pulmo.train(quick_recipe, data, output=tmp_path / "run")
    model = pulmo.load(run.export(tmp_path / "bundle"))
    assert model.card.labels.order == quick_recipe.labels.order
    assert model.predict(image).decision in model.card.labels.order


def test_what_a_notebook_shows_is_escaped_and_self_contained(
    bundle: Path, image: Path, images: pd.DataFrame
) -> None:
    model = pulmo.load(bundle)
    radiograph = pulmo.read(image)
    named = model.predict(radiograph)
    data = Manifest(images).split("test")
    audited = pulmo.audit(model, data, options=pulmo.AuditOptions(only=("degenerate",)))
    evaluated = pulmo.evaluate(model, data)
    table = evaluated.predictions.frame.assign(label="<b>x", decision="<b>x", positive=False)
    table = table.rename(columns={"p_covid": "p_<b>x"})
    shown = pulmo.evaluate_predictions(table)
    for page in (
        named._repr_html_(),
        audited._repr_html_(),
        evaluated._repr_html_(),
        shown._repr_html_(),
    ):
        assert len(page) < 2_000_000
        assert "<script" not in page
        assert "<b>x" not in page
        assert 'src="http' not in page
    assert "&lt;b&gt;x" in shown._repr_html_()
    assert named.heatmap()._repr_png_().startswith(b"\x89PNG")


def test_an_image_is_the_same_however_it_is_given(bundle: Path, image: Path) -> None:
    model = pulmo.load(bundle)
    by_name = model.predict(image)
    with Image.open(image) as opened:
        opened.load()
        by_pillow = model.predict(opened)
        array = np.asarray(opened)
    grey = pulmo.read(image).pixels
    assert array.ndim == 2
    for other in (
        model.predict(image.read_bytes()),
        by_pillow,
        model.predict(pulmo.read(image)),
        model.predict(grey, value_range=(0, 1)),
        model.predict(255 * grey.astype(np.float64), value_range=(0, 255)),
        model.predict(1 - grey, value_range=(1, 0)),
    ):
        for label, share in by_name.probabilities.items():
            assert other.probabilities[label] == pytest.approx(share, abs=1e-5)


def test_an_array_needs_a_range_that_fits(bundle: Path, image: Path) -> None:
    model = pulmo.load(bundle)
    grey = pulmo.read(image).pixels
    for array, value_range in (
        (grey, None),
        (255 * grey, (0, 1)),
        (grey, (0.5, 0.5)),
        (np.stack([grey] * 3, axis=-1), (0, 1)),
        (grey.astype(complex), (0, 1)),
    ):
        with pytest.raises(pulmo.UsageError):
            model.predict(array, value_range=value_range)
    with pytest.raises(pulmo.UsageError):
        model.predict(image, value_range=(0, 255))
    for array in (np.zeros((64, 64)), np.full((64, 64), np.nan), grey[:8, :8]):
        with pytest.raises(pulmo.RefusedError):
            model.predict(array, value_range=(0, 1))


def test_a_list_of_images_gives_predictions(bundle: Path, phantoms: Path) -> None:
    model = pulmo.load(bundle)
    paths = sorted((phantoms.parent / "images").glob("*.png"))[:3]
    images: list[Path | pulmo.Radiograph] = [*paths, pulmo.read(paths[0])]
    found = model.predict(images)
    assert isinstance(found, pulmo.Predictions)
    assert list(found.frame["path"]) == [*map(str, paths), "image 3"]
    assert found.frame["label"].isna().all()
    for path, share in zip(paths, found.frame["p_covid"], strict=False):
        assert share == pytest.approx(model.predict(path).probabilities["covid"])
    assert "label unknown" in found._repr_html_()
    with pytest.raises(pulmo.InputError):
        pulmo.evaluate_predictions(found.frame)
    with pytest.raises(pulmo.UsageError):
        model.predict(list[Path]())
    some = model.predict([phantoms, paths[0]])
    assert list(some.frame["path"]) == [str(paths[0])]
    assert [failure.path for failure in some.failed] == [str(phantoms)]
    assert "1 failed" in repr(some)
    with pytest.raises(pulmo.InputError):
        model.predict([phantoms, phantoms])


def test_a_table_is_evaluated_by_the_function_for_its_kind(
    generator: np.random.Generator, tmp_path: Path
) -> None:
    there = generator.random((60, 2)) < 0.5
    shares = (there + generator.random((60, 2))) / 2
    findings = pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(60)],
            "y_nodule": there[:, 0].astype(int),
            "y_mass": there[:, 1].astype(int),
            "p_nodule": shares[:, 0],
            "p_mass": shares[:, 1],
        }
    )
    report = pulmo.evaluate_findings(findings, output=tmp_path / "evaluation")
    assert set(report.evaluation.labels) == {"nodule", "mass"}
    assert EvaluationFolder(tmp_path / "evaluation").index.exists()
    with refuses("predictions-several-findings"):
        pulmo.evaluate_predictions(findings)
    table = pd.DataFrame(
        {
            "path": findings["path"],
            "label": np.where(there[:, 0], "covid", "normal"),
            "p_covid": shares[:, 0],
            "p_normal": 1 - shares[:, 0],
        }
    )
    assert pulmo.evaluate_predictions(table).evaluation.data.n == 60
    with refuses("predictions-one-class"):
        pulmo.evaluate_findings(table)


def test_predict_takes_what_a_model_takes(bundle: Path, image: Path, tmp_path: Path) -> None:
    model = pulmo.load(bundle)
    with Image.open(image) as opened:
        opened.load()
    missing = tmp_path / "none.png"
    given: list[Path | bytes | Image.Image] = [image, image.read_bytes(), missing, opened]
    named, in_bytes, failed, in_pillow = pulmo.predict(model, given)
    assert [each.file for each in (in_bytes, failed, in_pillow)] == [
        "image 1",
        str(missing),
        "image 3",
    ]
    assert named.probabilities == in_bytes.probabilities == in_pillow.probabilities
    assert failed.status == "failed"
    grey = np.asarray(opened.convert("L"))
    (array,) = pulmo.predict(model, [grey], value_range=(0, 255))
    assert array.probabilities == model.predict(grey, value_range=(0, 255)).probabilities
    with pytest.raises(pulmo.UsageError):
        list(pulmo.predict(model, [grey]))


def test_nothing_is_written_without_an_output(
    bundle: Path, images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    report = pulmo.evaluate(bundle, Manifest(images), split="test")
    assert not list(tmp_path.iterdir())
    assert report.evaluation.data.test_accesses == 1
    assert (bundle / "test-access.jsonl").exists()


def test_names_and_types_are_those_that_are_loaded() -> None:
    assert set(pulmo.__all__) == set(pulmo._PLACES) <= set(dir(pulmo))
    tree = ast.parse(Path(pulmo.__file__).read_text())
    (typed,) = [node for node in tree.body if isinstance(node, ast.If)]
    places = {
        name.asname or name.name: f"{part.module}:{name.name}"
        for part in typed.body
        if isinstance(part, ast.ImportFrom)
        for name in part.names
    }
    modules = {f"pulmo:{name}": f"pulmo.{name}:" for name in ("datasets", "lungs", "stats")}
    assert {name: modules.get(place, place) for name, place in places.items()} == pulmo._PLACES


def test_a_function_stays_one_when_the_package_of_its_name_is_imported() -> None:
    from pulmo.audit import check  # noqa: PLC0415 - the import is what is tested
    from pulmo.evaluate import curves  # noqa: PLC0415 - likewise

    assert check.__name__ == "pulmo.audit.check"
    assert curves.__name__ == "pulmo.evaluate.curves"
    assert all(callable(getattr(pulmo, name)) for name in ("audit", "compare", "evaluate"))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'teh'"):
        getattr(pulmo, "teh")  # noqa: B009 - mypy knows that it is not there


def test_the_import_alone_loads_nothing() -> None:
    program = "import sys, pulmo; print('numpy' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False False\n"
    (line,) = [line for line in done.stderr.splitlines() if line.endswith("| pulmo")]
    assert int(line.split("|")[1]) < 100_000  # microseconds


def test_a_prediction_loads_no_table_and_no_torch(bundle: Path, image: Path) -> None:
    program = (
        "import sys, pulmo; pulmo.load(sys.argv[1]).predict(sys.argv[2]); "
        "print([name for name in ('torch', 'pandas', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, bundle, image], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_telemetry_of_onnx_runtime_is_off(bundle: Path, tmp_path: Path) -> None:
    # In CI, or where the caller has switched it off, there would be nothing to see.
    env = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
    code = f"import pulmo; pulmo.load({str(bundle)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, env={**env, "HOME": str(tmp_path)})
    # It would keep an identifier of this machine, and what it is going to send.
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]
