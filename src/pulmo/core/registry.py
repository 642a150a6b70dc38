"""Registry: the named things of one folder, each registered by a decorator in its own file."""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

from pulmo.core.errors import PulmoError, UsageError
from pulmo.core.plugins import load_installed

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A mapping from name to thing, filled by importing every module of a package.

    To add a thing, put a file with a decorated function or class into the package; the command's
    help, the documentation and the contract tests read the registry. A plugin adds one from outside
    (`pulmo.core.plugins`).
    """

    def __init__(self, kind: str, package: str) -> None:
        """Makes a registry of `kind` (a noun for messages) over the modules of `package`."""
        self.kind = kind
        self._package = package
        self._things: dict[str, T] = {}
        self._loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Returns a decorator that registers what it decorates as `name`."""

        def decorate(thing: T) -> T:
            if not getattr(thing, "__module__", "pulmo").startswith("pulmo"):
                # What pulmo itself has of this name is known before a plugin takes it.
                self._load()
            if name in self._things:
                raise ValueError(f"There are two of {self.kind} {name!r}.")
            self._things[name] = thing
            return thing

        return decorate

    def __getitem__(self, name: str) -> T:
        """Returns the thing called `name`.

        Raises:
            UsageError: there is none; the message lists the names and the nearest one.
        """
        things = self._load()
        if name not in things:
            near = get_close_matches(name, things, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                "registry-name-unknown",
                f"There is no {self.kind} {name!r}; choose one of {', '.join(self)}.{hint}",
            )
        return things[name]

    def __contains__(self, name: object) -> bool:
        return name in self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._load()))

    def __len__(self) -> int:
        return len(self._load())

    def _load(self) -> dict[str, T]:
        if not self._loaded:
            package = import_module(self._package)
            for module in iter_modules(package.__path__):
                import_module(f"{self._package}.{module.name}")
            self._loaded = True
            try:
                load_installed()
            except PulmoError:
                self._loaded = False
                raise
        return self._things
