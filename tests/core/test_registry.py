import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from fixtures.refuses import refuses
from pulmo.core.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes a package of two modules, each of which registers a thing."""
    name = f"things_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("from pulmo.core.registry import Registry\nTHINGS = None\n")
    for word in ("red", "blue"):
        text = f"import {name}\n{name}.THINGS.register('{word}')('{word} thing')\n"
        (folder / f"{word}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_a_registry_reads_its_folder(package: str) -> None:
    module: Any = import_module(package)
    registry: Registry[str] = Registry("thing", package)
    module.THINGS = registry
    assert list(registry) == ["blue", "red"]
    assert registry["red"] == "red thing"
    assert len(registry) == 2
    assert "green" not in registry
    with refuses("registry-name-unknown", "thing", "'rad'", "Did you mean 'red'"):
        _ = registry["rad"]
    with refuses("registry-name-unknown", "blue, red"):
        _ = registry["zzzz"]
    with pytest.raises(ValueError, match="two of thing 'red'"):
        registry.register("red")("again")
    assert f"{package}.blue" in sys.modules
