"""The results of a folder: what is listed, how far a training is, and what is never read."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fixtures.refuses import refuses
from fixtures.served import client_of
from pulmo.core.folders import RunFolder
from pulmo.evaluate.evaluation import Evaluation
from pulmo.serve import result_folder
from pulmo.serve.options import ServeOptions
from pulmo.serve.result_folder import results_of
from pulmo.serve.server import serve
from pulmo.serve.service import Service

MakeService = Callable[..., Service]
ROUTE = "/v1/results"


@pytest.fixture
def root(tmp_path: Path, run: RunFolder, evaluation: Evaluation) -> Path:
    """A folder with a finished run, one that goes on, an evaluation and an audit."""
    folder = tmp_path / "results"
    ignored = shutil.ignore_patterns("checkpoints", "*.safetensors", "*.parquet")
    shutil.copytree(run.root, folder / "done", ignore=ignored)
    shutil.copytree(run.root, folder / "deep" / "live", ignore=ignored)
    (folder / "deep" / "live" / "card.json").unlink()
    history = folder / "deep" / "live" / "history.jsonl"
    history.write_text(f"{history.read_text().splitlines()[0]}\n")
    evaluated = folder / "evaluation"
    evaluated.mkdir()
    (evaluated / "evaluation.json").write_text(evaluation.model_dump_json())
    (evaluated / "report.html").write_text("<!doctype html><title>report</title><p>text")
    (folder / "audit").mkdir()
    (folder / "audit" / "audit.json").write_text("{")
    return folder


@pytest.fixture
def asked(make: MakeService, root: Path) -> TestClient:
    """Asks a server of that folder."""
    return client_of(make(results=root))


def test_results_are_listed_with_what_they_say(asked: TestClient, evaluation: Evaluation) -> None:
    found = asked.get(ROUTE).json()
    assert found["complete"] is True
    items = {(each["kind"], each["path"]): each for each in found["results"]}
    assert set(items) == {
        ("run", "done"),
        ("run", "deep/live"),
        ("evaluation", "evaluation"),
        ("audit", "audit"),
    }
    assert items["evaluation", "evaluation"]["has_page"] is True
    decision = evaluation.decision
    assert items["evaluation", "evaluation"]["facts"] == [
        ["Model", "three-way"],
        ["Images", "9001"],
        ["Balanced accuracy", str(evaluation.overall["balanced_accuracy"])],
        ["AUC of covid, viral", str(decision.auc)],
        ["Sensitivity for covid, viral", str(decision.sensitivity)],
        ["Specificity for covid, viral", str(decision.specificity)],
    ]
    assert items["audit", "audit"]["facts"] == [
        ["Problem", "It cannot be read, or another version of pulmo made it."]
    ]
    assert items["audit", "audit"]["has_page"] is False


def test_a_training_says_how_far_it_is(asked: TestClient, root: Path) -> None:
    live = asked.get(f"{ROUTE}/run", params={"path": "deep/live"}).json()
    (epoch,) = live["history"]
    assert (live["finished"], live["epochs"]) == (False, 2)
    # One epoch is left, which takes as long as the first one.
    assert live["seconds_left"] == epoch["seconds"]
    done = asked.get(f"{ROUTE}/run", params={"path": "done"}).json()
    assert (done["finished"], done["seconds_left"], len(done["history"])) == (True, None, 2)
    history = root / "deep" / "live" / "history.jsonl"
    with history.open("a") as file:
        file.write('{"epoch": 2, "stage"')
    (root / "deep" / "live" / "recipe.toml").write_text("[")
    cut = asked.get(f"{ROUTE}/run", params={"path": "deep/live"}).json()
    assert (len(cut["history"]), cut["epochs"], cut["seconds_left"]) == (1, None, None)


def test_a_page_is_text_that_no_browser_runs(asked: TestClient) -> None:
    response = asked.get(f"{ROUTE}/page", params={"path": "evaluation", "kind": "evaluation"})
    assert response.text.endswith("<p>text")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../results/done",
        "done/../done",
        "/etc",
        "done\0",
        "done\\..",
        "none",
        "away",
        "away/x",
    ],
)
def test_nothing_outside_the_folder_is_read(asked: TestClient, root: Path, path: str) -> None:
    outside = root.parent / "outside"
    shutil.copytree(root / "done", outside / "x")
    shutil.copytree(root / "done", outside, dirs_exist_ok=True)
    (root / "away").symlink_to(outside)
    assert asked.get(f"{ROUTE}/run", params={"path": path}).status_code == 404
    listed = asked.get(ROUTE).json()["results"]
    assert not any("away" in each["path"] for each in listed)


def test_links_and_pipes_are_no_files(asked: TestClient, root: Path) -> None:
    secret = root.parent / "secret.html"
    secret.write_text("secret")
    page = root / "evaluation" / "report.html"
    page.unlink()
    page.symlink_to(secret)
    params = {"path": "evaluation", "kind": "evaluation"}
    assert asked.get(f"{ROUTE}/page", params=params).status_code == 404
    page.unlink()
    os.mkfifo(page)
    assert asked.get(f"{ROUTE}/page", params=params).status_code == 404


def test_only_pages_of_results_are_given(asked: TestClient, root: Path) -> None:
    (root / "evaluation" / "audit.html").mkdir()
    for kind, status in (("run", 422), ("audit", 404), ("card", 422)):
        response = asked.get(f"{ROUTE}/page", params={"path": "evaluation", "kind": kind})
        assert response.status_code == status


def test_a_token_is_needed_where_the_server_needs_one(make: MakeService, root: Path) -> None:
    client = client_of(make(results=root, needs_token=True))
    for route in ("", "/run?path=done", "/page?path=evaluation&kind=evaluation"):
        assert client.get(f"{ROUTE}{route}").status_code == 401


def test_without_a_folder_there_are_no_results(client: TestClient) -> None:
    for route in ("", "/run?path=done", "/page?path=evaluation&kind=evaluation"):
        assert client.get(f"{ROUTE}{route}").status_code == 404


def test_a_folder_of_very_many_files_is_not_looked_through(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_folder, "_MOST_ENTRIES", 5)
    assert results_of(root).complete is False


def test_a_folder_that_is_gone_or_closed_is_empty(tmp_path: Path) -> None:
    assert results_of(tmp_path / "gone").results == []


def test_the_folder_must_be_there(bundle: Path, tmp_path: Path) -> None:
    options = ServeOptions(data=tmp_path, port=0, results=tmp_path / "none")
    with refuses("results-missing", "none"):
        serve([bundle], options)
