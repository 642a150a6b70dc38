import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from pulmo.core import recipe_file as recipe_module
from pulmo.core.errors import InputError, InterruptedRunError
from pulmo.core.recipe import Recipe
from pulmo.workflows import demo

Call = Callable[..., tuple[int, str, str]]


@pytest.mark.rendered
def test_the_demo_makes_all_that_it_speaks_of(
    pulmo: Call, quick_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = tmp_path / "demo.toml"
    short.write_text(quick_recipe.to_toml())
    monkeypatch.setattr(recipe_module, "shipped_recipes", lambda: {"demo": short})
    out_folder = tmp_path / "demo"
    status, out, err = pulmo("demo", "--output", out_folder, "--count", "80")
    assert status == 0
    assert [line[:4] for line in err.splitlines() if line[1:3] == "/6"] == [
        f"{step}/6 " for step in range(1, 7)
    ]
    look = out.split("Look at\n")[1].splitlines()[:3]
    for line in look:
        path = Path(line.split()[0])
        assert path.is_relative_to(out_folder)
        assert path.exists()
    assert len(list((out_folder / "heat-maps").glob("*.png"))) == 4
    assert len(list((out_folder / "heat-maps").glob("*.npz"))) == 4
    assert "{" not in out


def test_a_demo_replaces_its_own_folder_and_no_other(
    pulmo: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def look(folder: Path, _count: int, _seed: int) -> NoReturn:
        out = folder.parent
        seen.append(sorted(path.name for path in out.iterdir()))
        (out / "images").mkdir()
        (out / "images" / "a.png").touch()
        (out / "images.parquet").touch()
        (out / "link").symlink_to(precious)
        raise InputError("file-unreadable", "It is cut off here.")

    monkeypatch.setattr(demo, "write_phantoms", look)
    precious, folder = tmp_path / "precious", tmp_path / "new" / "demo"
    precious.mkdir()
    (precious / "image.png").touch()
    assert [pulmo("demo", "--output", folder)[0] for _ in range(2)] == [3, 3]
    assert seen == [[".pulmo-demo"]] * 2
    status, out, err = pulmo("demo", "--output", precious)
    assert (status, out) == (2, "")
    assert f"{precious} exists already and no demo made it" in err
    assert [path.name for path in precious.iterdir()] == ["image.png"]


def test_a_folder_that_cannot_be_emptied_is_a_sentence(
    pulmo: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_path: Path) -> NoReturn:
        raise OSError(16, "Device or resource busy")

    folder = tmp_path / "demo"
    (folder / "images").mkdir(parents=True)
    (folder / ".pulmo-demo").touch()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", busy)
        status, _, err = pulmo("demo", "--output", folder)
    assert status == 3
    assert err == f"pulmo: {folder} could not be emptied: Device or resource busy.\n"


def test_too_few_images_are_a_usage_error(pulmo: Call, tmp_path: Path) -> None:
    status, _, err = pulmo("demo", "--output", tmp_path / "demo", "--count", "10")
    assert status == 2
    assert "80" in err
    assert not (tmp_path / "demo").exists()


def test_an_interrupted_demo_offers_no_resume(
    pulmo: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> NoReturn:
        raise InterruptedRunError(
            "training-stopped", "Training stopped in epoch 1; go on with --resume."
        )

    monkeypatch.setattr(demo, "write_phantoms", stop)
    status, _, err = pulmo("demo", "--output", tmp_path / "demo")
    assert status == 130
    assert err.splitlines()[-1] == (
        f"pulmo: Interrupted; {tmp_path / 'demo'} is incomplete and may be removed."
    )
