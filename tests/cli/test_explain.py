from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pulmo.core.folders import RunFolder
from pulmo.radiograph import KINDS

Call = Callable[..., tuple[int, str, str]]


def test_a_map_of_each_image_is_written_and_named(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    maps = tmp_path / "deep" / "maps"
    status, out, err = pulmo("explain", bundle, image, "-o", maps, "--label", "viral")
    assert (status, out) == (0, f"{maps / image.stem}.viral.png\n")
    assert f"note: {image}: " in err
    assert KINDS["drawings"][:30] in err.lower()
    with Image.open(maps / f"{image.stem}.viral.png") as opened:
        assert opened.format == "PNG"


@pytest.mark.parametrize(("good", "expected"), [(1, 4), (0, 3)])
def test_bad_images_are_named_and_the_rest_is_done(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path, good: int, expected: int
) -> None:
    bad = tmp_path / "text.png"
    bad.write_text("hello")
    status, out, err = pulmo("explain", bundle, bad, *[image] * good, "-o", tmp_path / "maps")
    assert status == expected
    assert len(out.splitlines()) == good
    assert err.startswith(f"{bad} is not a PNG")
    assert str(image) not in err.splitlines()[0]
    assert "could not be used" in err.splitlines()[-1]


def test_an_unknown_class_lists_the_known_ones(
    pulmo: Call, bundle: Path, image: Path, tmp_path: Path
) -> None:
    status, out, err = pulmo("explain", bundle, image, "-o", tmp_path / "maps", "--label", "flu")
    assert (status, out) == (2, "")
    assert "no class 'flu'; its classes are covid, bacterial, viral, normal" in err
    assert not (tmp_path / "maps").exists()


def test_a_run_is_to_be_exported(pulmo: Call, run: RunFolder, image: Path, tmp_path: Path) -> None:
    status, _, err = pulmo("explain", run.root, image, "-o", tmp_path)
    assert status == 3
    assert "is a training run and not a bundle. Export it first with: pulmo export " in err
