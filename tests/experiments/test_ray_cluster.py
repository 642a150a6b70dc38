"""A local Ray cluster of two workers, one of which is killed in the middle of a run."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch

from fixtures.refuses import refuses
from pulmo.bundle.card import Epoch
from pulmo.core.errors import InputError, PulmoError, UsageError
from pulmo.core.folders import RepeatsFolder, SearchFolder
from pulmo.core.ray_session import LOCAL
from pulmo.core.recipe import Recipe, WrittenRecipe
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.experiments import ray_cluster as cluster_module
from pulmo.experiments.executor import run_all
from pulmo.experiments.ray_cluster import Cluster, Share, joined_cluster
from pulmo.experiments.search_plan import SearchPlan, begin_search
from pulmo.experiments.search_space import Dimension
from pulmo.experiments.study import Limits, opened_study, run_search
from pulmo.experiments.trials import best_of, keep_best, list_trials
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.repeated_runs import Repeat, claim_repeats, do_repeat, works_of
from pulmo.workflows.summarise import summarise

# One worker trains the folds for all of them.
pytestmark = pytest.mark.xdist_group("folds")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two workers, with token authentication, for all tests of this file."""
    patch = pytest.MonkeyPatch()
    # A token of the tests' own, so that none is written into the user's home.
    patch.setenv("RAY_AUTH_TOKEN", "0123456789abcdef" * 4)
    # A process that is to be killed cannot write down what it covered.
    for name in [name for name in os.environ if name.startswith("COV")]:
        patch.delenv(name)
    before = signal.getsignal(signal.SIGTERM)
    with joined_cluster(LOCAL, Share(1, "cpu"), cpus=2) as joined:
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert signal.getsignal(signal.SIGTERM) is before
        yield joined
    patch.undo()


class TestFolds:
    """Folds on a cluster, with a worker that dies."""

    def test_nothing_is_lost_and_nothing_done_twice(
        self, cluster: Cluster, cross_validation: list[Repeat], tmp_path: Path
    ) -> None:
        folder = RepeatsFolder(tmp_path / "folds")
        table = read_manifest(cross_validation[0].study.manifest)
        claim_repeats(folder, table, resume=False)
        runs = [run._replace(study=folder) for run in cross_validation]
        # The third was finished in an earlier sitting.
        shutil.copytree(cross_validation[2].run.root, runs[2].run.root)
        finished = runs[2].run.card.stat().st_mtime_ns
        works = works_of(runs) | {runs[1].name: _killed_once(runs[1], tmp_path / "killed")}
        done: list[str] = []
        run_all(works, cluster, done.append)
        attempts = (tmp_path / "killed").read_text().split()
        assert [words.split(":")[1] for words in attempts] == ["1", "2"]
        assert len({words.split(":")[0] for words in attempts}) == 2
        assert sorted(done) == [run.name for run in runs]
        assert runs[2].run.card.stat().st_mtime_ns == finished
        assert sorted(path.name for path in folder.root.iterdir()) == sorted(
            ["manifest.parquet", *works]
        )
        for here, there in zip(runs, cross_validation, strict=True):
            assert here.run.model.read_bytes() == there.run.model.read_bytes()
            assert len(here.run.history.read_text().splitlines()) == 2
        timeless = {"minutes": 0.0}
        ours, theirs = (
            summary.model_copy(
                update={"runs": [run.model_copy(update=timeless) for run in summary.runs]}
            )
            for summary in (summarise(runs), summarise(cross_validation))
        )
        assert ours == theirs

    def test_a_run_that_fails_says_why_and_cuts_the_others_off(self, cluster: Cluster) -> None:
        def fail(_: Callbacks) -> None:
            raise InputError("file-missing", "The images are gone.")

        def stumble(_: Callbacks) -> None:
            raise KeyError("a fault of ours")

        with refuses("file-missing"):
            run_all({"one": fail}, cluster, lambda _: None)
        with pytest.raises(Exception, match="a fault of ours") as error:
            run_all({"one": stumble}, cluster, lambda _: None)
        assert not isinstance(error.value, PulmoError)

    def test_a_run_whose_workers_all_die(
        self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(_: Callbacks) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(cluster_module, "_RETRIES", 0)
        with refuses("ray-workers-died", "one"):
            run_all({"one": die}, cluster, lambda _: None)


def _killed_once(run: Repeat, record: Path) -> Any:  # noqa: ANN401 - Work
    """Returns a run whose worker is killed after the first epoch; it writes down each epoch."""

    def on_epoch(epoch: Epoch) -> None:
        first = not record.exists()
        with record.open("a") as file:
            file.write(f"{os.getpid()}:{epoch.epoch}\n")
        if first:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda _: do_repeat(run, Callbacks(on_epoch=on_epoch))


def test_a_search_tries_two_at_once(
    cluster: Cluster, images: pd.DataFrame, tiny: Recipe, tmp_path: Path
) -> None:
    assert cluster.size == 2
    folder = SearchFolder(tmp_path / "search")
    folder.root.mkdir()
    table = images[images["split"] != "test"]
    space = {"train.lr": Dimension(low=1e-4, high=1e-2, log=True)}
    plan = SearchPlan(
        folder, WrittenRecipe(tiny.model_dump(mode="json", exclude_none=True)), space, device="cpu"
    )
    begin_search(plan, Manifest(table))
    done: list[int] = []

    def on_done(study: Any, number: int) -> None:  # noqa: ANN401 - optuna.Study
        done.append(number)
        keep_best(study, folder)

    run_search(plan, Limits(2), cluster, on_done)
    with opened_study(plan) as study:
        rows = list_trials(study, folder)
        reported = [len(trial.intermediate_values) for trial in study.trials]
    assert sorted(done) == [0, 1]
    assert [row.state for row in rows] == ["complete"] * 2
    assert reported == [2, 2]
    best = best_of(rows)
    assert best is not None
    assert [folder.trial(row.number).model.exists() for row in rows] == [
        row is best for row in rows
    ]


def test_a_cluster_that_this_process_has_joined_is_used_and_left_as_it_is(
    cluster: Cluster,
) -> None:
    done: list[str] = []
    with joined_cluster("127.0.0.1:1", Share(2, "auto")) as joined:
        assert joined.size == 1
        run_all({"one": lambda _: None}, joined, done.append)
    assert done == ["one"]
    assert cluster.size == 2


class TestJoin:
    """What can be wrong before anything is done."""

    def test_ray_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "ray", None)
        with (
            refuses("package-missing"),
            joined_cluster(LOCAL, Share()),
        ):
            pytest.fail("it went on")

    def test_a_cluster_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ray = _FakeRay()
        monkeypatch.setitem(sys.modules, "ray", ray)
        with (
            refuses("ray-cluster-unreachable", "'10.0.0.1:6379'", "nobody"),
            joined_cluster("10.0.0.1:6379", Share()),
        ):
            pytest.fail("it went on")
        assert ray.options["address"] == "10.0.0.1:6379"
        assert "num_cpus" not in ray.options

    def test_from_a_thread_which_may_not_handle_signals(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "ray", _FakeRay())
        errors: list[BaseException] = []

        def join() -> None:
            try:
                with joined_cluster(LOCAL, Share()):
                    pytest.fail("it went on")
            except UsageError as error:
                errors.append(error)

        thread = Thread(target=join)
        thread.start()
        thread.join()
        assert len(errors) == 1

    def test_a_worker_is_silent_and_has_its_share_of_threads(self) -> None:
        before = torch.get_num_threads()
        heard: list[tuple[Callbacks, int]] = []
        try:
            cluster_module._do(lambda given: heard.append((given, torch.get_num_threads())), 1)
        finally:
            torch.set_num_threads(before)
        assert heard == [(Callbacks(), 1)]

    def test_a_run_takes_a_whole_gpu_where_there_is_one(self) -> None:
        ray: Any = _FakeRay({"CPU": 16.0, "GPU": 3.0})
        assert Cluster(ray, Share(4, "auto")).size == 3
        assert Cluster(ray, Share(8, "cuda")).size == 2
        assert Cluster(ray, Share(4, "cpu")).size == 4
        assert Cluster(ray, Share(64, "cpu")).size == 1

    def test_what_is_running_is_cut_off_at_the_end(self) -> None:
        ray: Any = _FakeRay({"CPU": 1.0})
        executor = Cluster(ray, Share())
        executor.submit("one", lambda _: None)
        executor.close()
        assert ray.cancelled == ["one"]


class _FakeRay:
    """Stands in for a cluster of another size."""

    exceptions = SimpleNamespace(RayError=RuntimeError)

    def __init__(self, resources: dict[str, float] | None = None) -> None:
        self._resources = resources or {}
        self.options: dict[str, object] = {}
        self.cancelled: list[object] = []

    def is_initialized(self) -> bool:
        return False

    def init(self, **options: object) -> None:
        self.options = options
        raise ConnectionError("nobody is there.")

    def cluster_resources(self) -> dict[str, float]:
        return self._resources

    def remote(self, _: object) -> Any:  # noqa: ANN401 - a task
        return SimpleNamespace(
            options=lambda **given: SimpleNamespace(remote=lambda *_: given["name"])
        )

    def cancel(self, reference: object, *, force: bool) -> None:
        assert force
        self.cancelled.append(reference)
