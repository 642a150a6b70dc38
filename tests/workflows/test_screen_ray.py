"""A screening on a Ray cluster of two nodes, one of which is killed in the middle."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulmo.core.folders import ScreeningFolder
from pulmo.core.ray_session import load_ray
from pulmo.workflows.options.screening import ScreenOptions
from pulmo.workflows.screen import ScreenCallbacks, screen

# Ray Data uses what it deprecates itself.
pytestmark = [
    pytest.mark.xdist_group("ray-data"),
    pytest.mark.usefixtures("unmeasured_workers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]

STORE = 80 * 2**20


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of a head and another node, of one core each."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0123456789abcdef" * 4)
    load_ray()
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - Ray has its settings now

    node = {"num_cpus": 1, "object_store_memory": STORE}
    head = {**node, "include_dashboard": False}
    started: Any = Cluster(initialize_head=True, head_node_args=head)
    started.add_node(**node)
    yield started
    started.shutdown()


def test_rows_are_the_same_and_a_killed_node_loses_none(
    cluster: Any,  # noqa: ANN401 - Ray leaves it untyped
    bundle: Path,
    image: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for path in sorted(image.parent.glob("*.png"))[:24]:
        shutil.copy(path, folder)
    (folder / "damaged.png").write_bytes(image.read_bytes()[:300])
    here, there = ScreeningFolder(tmp_path / "here"), ScreeningFolder(tmp_path / "there")
    heard: list[int] = []

    def on_progress(done: int, _total: int) -> None:
        heard.append(done)
        if len(heard) == 2:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    options = ScreenOptions(ray=cluster.address, part_rows=7)
    screen(bundle, [folder], there.root, options, ScreenCallbacks(on_progress))
    screen(bundle, [folder], here.root, ScreenOptions(workers=1))
    assert heard[0] == 0
    assert heard[-1] == 25
    assert there.results.read_bytes() == here.results.read_bytes()
