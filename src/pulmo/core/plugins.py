"""Plugins: a user's own networks, losses, augmentations, metrics or checks, without a change here.

A plugin is a Python file that is named, or a module that an installed package names as an entry
point of the group `pulmo.plugins`. It registers things as pulmo's own files do. It is code that
runs with all rights of whoever starts pulmo, so that only named files and installed packages count,
and what was loaded is recorded in a run and its card.
"""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError, PulmoError, UsageError
from pulmo.core.files import read_bytes, sha256

GROUP: Final = "pulmo.plugins"
"""The group of entry points that installed plugins are in."""

VARIABLE: Final = "PULMO_PLUGINS"
"""The environment variable with the files of plugins, separated as in PATH."""

_LOADED: Final[dict[str, str]] = {}
_ASKED: Final[list[bool]] = []


def loaded_plugins() -> dict[str, str]:
    """Returns name -> SHA-256 of the file, of the plugins that this process has loaded, sorted."""
    return dict(sorted(_LOADED.items()))


def load_plugin(path: Path) -> str:
    """Runs the file of a plugin, once; processes that this one starts load it too.

    Args:
        path: a Python file. Its name without the end is that of the plugin.

    Returns:
        The SHA-256 of the file.

    Raises:
        InputError: it cannot be read, or an error occurs in it.
        UsageError: it is no Python file, or another plugin of its name is loaded.
    """
    if path.suffix != ".py":
        raise UsageError("plugin-not-python", f"{path} is no Python file. A plugin ends in .py.")
    name, digest = path.stem, sha256(read_bytes(path))
    if _LOADED.get(name) == digest:
        return digest
    if name in _LOADED:
        raise UsageError(
            "plugin-name-taken",
            f"The plugin {path} cannot be loaded: another plugin is named {name!r}.",
        )
    module_name = f"plugin_{name}"
    spec = spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise UsageError("plugin-not-python", f"{path} is no Python file. A plugin ends in .py.")
    module = module_from_spec(spec)
    # What a class says of its fields is read from the source of its module.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        raise _broken(str(path), error) from error
    _LOADED[name] = digest
    others = [each for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each]
    full = str(path.resolve())
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*others, full]))
    return digest


def load_installed() -> None:
    """Loads the plugins of installed packages and of `$PULMO_PLUGINS`, once in a process.

    Raises:
        InputError: one cannot be loaded.
    """
    if _ASKED:
        return
    _ASKED.append(True)
    try:
        for point in entry_points(group=GROUP):
            _load_point(point)
        for path in _of_variable():
            load_plugin(path)
    except PulmoError:
        _ASKED.clear()
        raise


def _of_variable() -> Iterator[Path]:
    for name in os.environ.get(VARIABLE, "").split(os.pathsep):
        if name:
            yield Path(name)


def _load_point(point: EntryPoint) -> None:
    """Imports what an entry point names."""
    package = f"{point.dist.name} {point.dist.version}" if point.dist else "a package"
    try:
        point.load()
        spec = find_spec(point.module)
    except Exception as error:
        raise _broken(f"{point.name} of {package}", error) from error
    origin = spec.origin if spec else None
    digest = sha256(read_bytes(Path(origin))) if origin and Path(origin).is_file() else "unknown"
    _LOADED[f"{point.name} ({package})"] = digest


def _broken(what: str, error: Exception) -> InputError:
    return InputError(
        "plugin-broken",
        f"The plugin {what} could not be loaded: {type(error).__name__}: {error}.",
    )
