"""Plugins: files and entry points that register things, and what is kept of them."""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fixtures.refuses import refuses
from pulmo.cli.app import app
from pulmo.core import plugins
from pulmo.core.plugins import VARIABLE, load_installed, load_plugin, loaded_plugins
from pulmo.core.recipe import load_recipe
from pulmo.train.losses import LOSSES

ROOT = Path(__file__).parents[2]
LOSS = '''
from pulmo.core.sections import Positive
from pulmo.train.losses import LOSSES, Loss

@LOSSES.register("{name}")
class Mine(Loss):
    """A loss of a plugin."""

    factor: Positive = 1.0
    """Factor of the plugin's loss."""

    def terms(self, logits, targets):
        return -self.factor * targets * logits.log_softmax(dim=1)
'''


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forgets what the test has loaded."""
    assert "focal" in LOSSES
    monkeypatch.setattr(LOSSES, "_things", dict(LOSSES))
    monkeypatch.setattr(plugins, "_LOADED", {})
    monkeypatch.setattr(plugins, "_ASKED", [])
    monkeypatch.setenv(VARIABLE, "")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("plugin_", "packaged_")):
            del sys.modules[name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(LOSS.format(name="mine"))
    return path


def test_a_file_registers_what_a_recipe_may_name(file: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert load_plugin(file) == digest
    assert load_plugin(file) == digest  # once
    assert loaded_plugins() == {"mine": digest}
    recipe = load_recipe("demo", ["train.loss={name=mine,factor=3.0}"])
    assert recipe.train.loss.table()["factor"] == 3.0
    assert "Factor of the plugin's loss." in str(LOSSES["mine"].model_fields["factor"])
    assert os.environ[VARIABLE] == str(file.resolve())


def test_what_cannot_be_loaded_is_refused(file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0")
    with refuses("plugin-broken", "ZeroDivisionError", broken):
        load_plugin(broken)
    taken = tmp_path / "taken.py"
    taken.write_text(LOSS.format(name="focal"))
    with refuses("plugin-broken", "focal"):
        load_plugin(taken)
    with refuses("file-missing"):
        load_plugin(tmp_path / "none.py")
    (tmp_path / "text.txt").write_text("")
    with refuses("plugin-not-python"):
        load_plugin(tmp_path / "text.txt")
    load_plugin(file)
    other = tmp_path / "other" / "mine.py"
    other.parent.mkdir()
    other.write_text(LOSS.format(name="another"))
    with refuses("plugin-name-taken", "mine"):
        load_plugin(other)
    assert set(loaded_plugins()) == {"mine"}


def test_files_of_the_variable_are_loaded_when_something_is_asked_for(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(file))
    monkeypatch.setattr(LOSSES, "_loaded", False)
    assert "mine" in LOSSES
    file.write_text("raise RuntimeError('later')")
    monkeypatch.setattr(plugins, "_LOADED", {})
    monkeypatch.setattr(plugins, "_ASKED", [])
    monkeypatch.setattr(LOSSES, "_loaded", False)
    for _ in range(2):  # not once and then silently without it
        with refuses("plugin-broken", "later"):
            len(LOSSES)


def test_an_entry_point_is_loaded_and_named_with_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "packaged_loss.py"
    module.write_text(LOSS.format(name="packaged"))
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("packaged", "packaged_loss", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group else [])
    load_installed()
    assert "packaged" in LOSSES
    ((name, digest),) = loaded_plugins().items()
    assert name == "packaged (a package)"
    assert digest == hashlib.sha256(module.read_bytes()).hexdigest()


def test_the_command_loads_a_file_before_the_verb(file: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'extends = "demo"\nname = "mine"\ndescription = "x"\n[train]\nloss = "mine"\n'
    )
    found = CliRunner().invoke(app, ["--plugin", str(file), "recipes", "show", str(recipe)])
    assert found.exit_code == 0, found.output
    assert "Factor of the plugin's loss." in found.output


def test_the_example_of_the_guide_runs_and_records_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "how-to" / "write-a-plugin.md").read_text()
    cells = re.findall(r"```\{code-cell\}\n(?::[^\n]*\n)*(.*?)```", text, re.DOTALL)
    assert len(cells) == 3
    monkeypatch.setenv("PULMO_CACHE", str(tmp_path / "cache"))
    names: dict[str, object] = {}
    for cell in cells:
        exec(compile(cell, "guide", "exec"), names)  # noqa: S102 - it is the documentation's
    run = Path(str(names["folder"])) / "run"
    digest = hashlib.sha256((run.parent / "steep.py").read_bytes()).hexdigest()
    card = json.loads((run / "card.json").read_text())
    assert card["training"]["plugins"] == {"steep": digest}
    assert json.loads((run / "env.json").read_text())[0]["plugins"] == {"steep": digest}
