"""What an audit finds where only predictions are known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fixtures.refuses import refuses
from pulmo.audit.audit import audit
from pulmo.audit.check import CHECKS
from pulmo.audit.check_result import CannotRun, CheckResult
from pulmo.audit.context import AuditContext
from pulmo.audit.parts import AuditOptions
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.external import ExternalPredictions
from pulmo.workflows.audit_inputs import AuditInput
from pulmo.workflows.audit_table_inputs import table_input

N = 300
COVID = np.arange(N) % 2 == 1
NETWORK = ("corners", "explanations", "lungs", "mirror", "probe", "robustness")

Tell = Callable[..., ExternalPredictions]
NAME = ModelName(name="theirs", version="predictions", sha256="1" * 64)
Column = pd.Series | pd.api.extensions.ExtensionArray | NDArray[Any] | list[str] | str | None


@pytest.fixture
def scores() -> NDArray[np.float64]:
    """Probabilities of covid of N images, that are right as often as they say."""
    generator = np.random.default_rng(5)
    sure = generator.uniform(0.75, 1, N)
    wrong = generator.uniform(size=N) > sure
    return np.where(COVID ^ wrong, sure, 1 - sure)


@pytest.fixture
def tell() -> Tell:
    """Makes a table of probabilities of covid, [n], with other columns."""

    def make(
        scores: NDArray[np.float64], rule: DecisionRule | None = None, **more: Column
    ) -> ExternalPredictions:
        table = pd.DataFrame(
            {
                "path": [f"C:\\Jane\\{number:04}.png" for number in range(len(scores))],
                "label": np.where(COVID, "covid", "normal")[: len(scores)],
                "p_normal": 1 - scores,
                "p_covid": scores,
            }
        )
        rule = rule or DecisionRule(("normal", "covid"), positive=("covid",))
        return ExternalPredictions(table.assign(**more), rule)

    return make


@pytest.fixture
def manifest() -> pd.DataFrame:
    """The manifest of the same images, elsewhere, a third of each split; no file is there."""
    return Manifest(
        pd.DataFrame(
            {
                "path": [f"/images/{number:04}.png" for number in range(N)],
                "sha256": [f"{number:064}" for number in range(N)],
                "label": np.where(COVID, "covid", "normal"),
                "group": [f"g{number}" for number in range(N)],
                "source": "hospital",
                "width": 64,
                "height": 64,
                "split": np.array(["train", "val", "test"])[np.arange(N) // 2 % 3],
            }
        )
    ).frame


def ask(check: str, audited: AuditInput, tmp_path: Path) -> CheckResult:
    return CHECKS[check](AuditContext(audited.parts, AuditOptions(tmp_path, replicates=200)))


class TestTable:
    """A table without a manifest."""

    def test_nothing_is_known_but_what_it_says(
        self, tell: Tell, scores: NDArray[np.float64], tmp_path: Path
    ) -> None:
        audited = table_input(tell(scores, label="covid"), NAME, None, None)
        assert audited.doubts == ()
        context = AuditContext(audited.parts, AuditOptions(tmp_path))
        assert context.is_external
        assert not context.has_manifest
        np.testing.assert_array_equal(context.probabilities[:, 1], scores)
        assert context.rows["path"].iloc[0] == "C:/Jane/0000.png"
        with pytest.raises(CannotRun, match="The image files are unknown"):
            _ = context.images
        with pytest.raises(CannotRun, match="Only the predictions of this model are known"):
            _ = context.outputs

    def test_every_check_answers_or_says_why_not(
        self, tell: Tell, scores: NDArray[np.float64], tmp_path: Path
    ) -> None:
        audited = table_input(tell(scores), NAME, None, None)
        found = audit(AuditContext(audited.parts, AuditOptions(tmp_path, replicates=100)))
        kinds = {each.check: each.kinds for each in found.checks if each.verdict == "could_not_run"}
        assert set(kinds) == {
            *NETWORK, "external", "leakage", "shortcuts", "sources", "subgroups", "thresholds",
        }  # fmt: skip
        assert all(kinds[name] == ("no-network",) for name in NETWORK)
        for name in ("external", "leakage", "shortcuts"):
            assert kinds[name] == ("no-training-images",)
        assert kinds["thresholds"] == ("no-card",)
        assert kinds["sources"] == ("unstated-source",)
        assert found.model.name == "theirs"
        assert found.data.manifest_sha256 == found.model.sha256
        assert found.external is not None
        assert (found.external.positive, found.external.manifest) == (("covid",), False)

    def test_without_a_positive_class_it_is_said(
        self, tell: Tell, scores: NDArray[np.float64], tmp_path: Path
    ) -> None:
        external = tell(
            scores, DecisionRule(("normal", "covid")), sex=np.where(np.arange(N) % 4 < 2, "F", "M")
        )
        audited = table_input(external, NAME, None, None)
        assert ask("external", audited, tmp_path).kinds == ("no-positive-class",)
        calibration = ask("calibration", audited, tmp_path)
        assert calibration.verdict == "passes"
        assert (calibration.metrics["slope"].reason or "").startswith(
            "no class is named as positive"
        )
        assert calibration.metrics["Brier score"].value is None
        gaps = ask("subgroups", audited, tmp_path)
        reasons = [
            row[4].reason for row in gaps.tables[0].rows if not isinstance(row[4], str | int)
        ]
        assert any("no class is named as positive" in (reason or "") for reason in reasons)

    def test_what_it_decides_holds(
        self, tell: Tell, scores: NDArray[np.float64], tmp_path: Path
    ) -> None:
        external = tell(scores, decision="covid", positive=scores > 0.9)
        context = AuditContext(
            table_input(external, NAME, None, None).parts, AuditOptions(tmp_path)
        )
        assert context.sample.called_class[:, 1].all()
        result = CHECKS["degenerate"](context)
        assert "always-one-class" in result.kinds

    def test_labels_that_are_no_class_are_reported(
        self, tell: Tell, scores: NDArray[np.float64]
    ) -> None:
        labels = ["flu"] * 10 + ["covid", "normal"] * (N // 2 - 5)
        audited = table_input(tell(scores, label=labels), NAME, None, None)
        assert (
            "10 images are left out: the predictions have no class for their labels (flu)"
            in audited.doubts[0]
        )
        assert len(audited.parts[0].test) == N - 10
        merged = DecisionRule(("normal", "covid"), {"flu": "normal"})
        assert table_input(tell(scores, merged, label=labels), NAME, None, None).doubts == ()


class TestFaults:
    """Faults that predictions alone show, and their absence."""

    @pytest.mark.parametrize(("wrong", "verdict"), [(0, "passes"), (40, "warns")])
    def test_label_noise(self, tell: Tell, tmp_path: Path, wrong: int, verdict: str) -> None:
        truth = COVID.copy()
        truth[:wrong] ^= True
        scores = np.where(truth, 0.95, 0.05) + np.linspace(0, 0.01, N)
        audited = table_input(tell(scores), NAME, None, None)
        result = ask("label-noise", audited, tmp_path)
        assert result.verdict == verdict
        assert len(result.images) == min(wrong, 20)
        assert not any("Jane" in name for name in result.images)

    @pytest.mark.parametrize(("worse", "verdict"), [(False, "passes"), (True, "fails")])
    def test_a_gap_between_subgroups(
        self, tell: Tell, tmp_path: Path, *, worse: bool, verdict: str
    ) -> None:
        female = np.arange(N) % 4 < 2
        wrong = (np.arange(N) % 8 < 3) & female & worse
        scores = np.where(COVID ^ wrong, 0.9, 0.1)
        external = tell(scores, sex=np.where(female, "F", "M"))
        result = ask("subgroups", table_input(external, NAME, None, None), tmp_path)
        assert result.verdict == verdict
        assert ("sex F" in result.conclusion) is worse

    @pytest.mark.parametrize(("exaggerated", "verdict"), [(False, "passes"), (True, "fails")])
    def test_miscalibration(
        self,
        tell: Tell,
        scores: NDArray[np.float64],
        tmp_path: Path,
        *,
        exaggerated: bool,
        verdict: str,
    ) -> None:
        said = np.where(scores > 0.5, 0.999, 0.001) if exaggerated else scores
        result = ask("calibration", table_input(tell(said), NAME, None, None), tmp_path)
        assert result.verdict == verdict
        assert result.conclusion.startswith("The mean confidence is")

    @pytest.mark.parametrize(("by_source", "verdict"), [(False, "passes"), (True, "fails")])
    def test_sources_instead_of_classes(
        self, tell: Tell, tmp_path: Path, *, by_source: bool, verdict: str
    ) -> None:
        generator = np.random.default_rng(1)
        # East has nine of ten covid, and west one of ten.
        east = COVID ^ (np.arange(N) % 20 < 2)
        shown = np.where(east if by_source else COVID, 0.6, 0.4)
        external = tell(
            shown + generator.uniform(-0.3, 0.3, N),
            source=pd.array(np.where(east, "east", "west"), "string"),
        )
        # Of a few nobody knows the source.
        external.table.loc[::50, "source"] = None
        result = ask("sources", table_input(external, NAME, None, None), tmp_path)
        assert result.verdict == verdict
        assert {row[0] for row in result.tables[0].rows} == {"east", "west"}

    def test_degenerate_results(
        self, tell: Tell, scores: NDArray[np.float64], tmp_path: Path
    ) -> None:
        def verdict(said: NDArray[np.float64]) -> str:
            return ask("degenerate", table_input(tell(said), NAME, None, None), tmp_path).verdict

        assert verdict(scores) == "passes"
        assert verdict(np.full(N, 0.6)) == "fails"
        repeated = scores.copy()
        repeated[:20] = 1 / 3
        assert verdict(repeated) == "fails"
        # Of rounded probabilities a few are alike by accident, in single precision too.
        assert verdict(scores.round(2)) == "passes"
        assert verdict(scores.round(2).astype(np.float32)) == "passes"

    @pytest.mark.parametrize(("leaks", "verdict"), [(0, "passes"), (5, "fails")])
    def test_a_leak_by_group(
        self,
        tell: Tell,
        scores: NDArray[np.float64],
        manifest: pd.DataFrame,
        tmp_path: Path,
        leaks: int,
        verdict: str,
    ) -> None:
        test = manifest.index[manifest["split"] == "test"]
        manifest.loc[test[:leaks], "group"] = manifest["group"][0]
        result = ask("leakage", table_input(tell(scores), NAME, Manifest(manifest), None), tmp_path)
        assert result.verdict == verdict
        assert ("same group", leaks) in result.tables[0].rows


class TestManifest:
    """A table whose images are those of a manifest."""

    def test_the_manifest_says_what_is_evaluated(
        self, tell: Tell, scores: NDArray[np.float64], manifest: pd.DataFrame
    ) -> None:
        external = tell(scores)
        external.table.loc[0, "label"] = "covid"
        audited = table_input(external, NAME, Manifest(manifest), None)
        (part,) = audited.parts
        assert set(part.test["split"]) == {"test"}
        assert set(part.fit["split"]) == {"train", "val"}
        numbers = [int(Path(path).stem) for path in part.test["path"]]
        np.testing.assert_array_equal(part.test["p_covid"], scores[numbers])
        relabelled, taken = audited.doubts
        assert relabelled.startswith("1 of 300 predictions state another class than the manifest")
        assert "the 200 training and validation images of the manifest" in taken
        trained = table_input(external, NAME, Manifest(manifest), "train").parts[0].test
        assert set(trained["split"]) == {"train"}

    def test_images_without_a_split_are_all_evaluated(
        self, tell: Tell, scores: NDArray[np.float64], manifest: pd.DataFrame
    ) -> None:
        audited = table_input(tell(scores), NAME, Manifest(manifest.assign(split=None)), None)
        assert len(audited.parts[0].test) == N
        assert audited.parts[0].fit.empty
        assert audited.doubts == ()

    def test_predictions_that_are_missing_are_reported(
        self, tell: Tell, scores: NDArray[np.float64], manifest: pd.DataFrame
    ) -> None:
        external = tell(scores)
        fewer = replace(external, table=external.table.drop(columns="label").iloc[:-2])
        doubt = table_input(fewer, NAME, Manifest(manifest), None).doubts[-1]
        assert doubt.startswith("2 of the 100 test images of the manifest have no prediction")

    def test_of_folds_each_is_evaluated_by_models_of_the_others(
        self, tell: Tell, scores: NDArray[np.float64], manifest: pd.DataFrame
    ) -> None:
        manifest["fold"] = (pd.Series(np.arange(N) // 2 % 3, dtype="Int64")).mask(
            manifest.index >= 270
        )
        audited = table_input(tell(scores), NAME, Manifest(manifest), None)
        assert len(audited.parts) == 3
        for fold, part in enumerate(audited.parts):
            assert set(part.test["fold"]) == {fold}
            assert set(part.fit["fold"]) == {0, 1, 2} - {fold}
        assert "3 models made them" in audited.doubts[0]
        assert audited.doubts[1] == "30 predictions are left out: their images are in no fold."
        # A split that is named goes first, and a fold without predictions is no such study.
        assert len(table_input(tell(scores), NAME, Manifest(manifest), "test").parts) == 1
        external = tell(scores)
        some = replace(external, table=external.table[manifest["fold"].fillna(0) != 2])
        with refuses("split-images-missing", "The table"):
            table_input(some, NAME, Manifest(manifest.assign(split="train")), None)

    def test_images_are_found_by_path_or_name(
        self, tell: Tell, scores: NDArray[np.float64], manifest: pd.DataFrame
    ) -> None:
        external = tell(scores, path=manifest["path"])
        # By their paths, although the names are not unique.
        manifest["path"] = manifest["path"].where(manifest.index != 1, "/other/0000.png")
        external = replace(external, table=external.table.drop(index=1))
        rows = table_input(external, NAME, Manifest(manifest), None).parts[0].test
        assert set(rows["path"]) <= set(manifest["path"])
        ambiguous = replace(
            external, table=external.table.assign(path=external.table["path"].str[8:])
        )
        with refuses("predictions-of-other-images"):
            table_input(ambiguous, NAME, Manifest(manifest), None)

    @pytest.mark.parametrize(
        ("change", "refused"),
        [
            ({"path": "9.png"}, ("predictions-of-other-images",)),
            ({"path": None}, ("predictions-of-other-images",)),
            (
                {"path": "/images/0000.png"},
                ("predictions-value-invalid", "are there more than once"),
            ),
            (
                {"p_covid": 0.7, "p_normal": 0.7},
                ("predictions-value-invalid", "have probabilities that do not sum to 1"),
            ),
        ],
    )
    def test_what_does_not_fit_is_a_sentence(
        self,
        tell: Tell,
        scores: NDArray[np.float64],
        manifest: pd.DataFrame,
        change: dict[str, Any],
        refused: tuple[str, ...],
    ) -> None:
        with refuses(*refused):
            table_input(tell(scores, **change), NAME, Manifest(manifest), None)

    def test_without_paths_or_labels_nothing_is_evaluated(
        self, tell: Tell, scores: NDArray[np.float64], manifest: pd.DataFrame
    ) -> None:
        external = tell(scores)
        with refuses("predictions-columns-missing"):
            table_input(
                replace(external, table=external.table.drop(columns="path")),
                NAME,
                Manifest(manifest),
                None,
            )
        viral = manifest.assign(label="viral")
        with refuses("labels-not-of-predictions", "viral"):
            table_input(external, NAME, Manifest(viral), None)
