"""Registries: a table of ours by name, and what other packages add to it by entry points.

Other packages are looked at where a name is not ours, or where all names are asked for. A name of ours can't be
taken by another package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hunkwise.engine.errors import EngineError, PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registry(Generic[T]):
    """Things of one kind by name. Iterating gives our names first, then those of other packages.

    `group` is the group of entry points, `what` names the kind in messages. `rows` are ours, each
    "module:attribute", imported when it is asked for. `fits` tells whether what another package offers is of the
    kind.
    """

    group: str
    what: str
    rows: Mapping[str, str]
    fits: Callable[[object], bool] = callable

    def __iter__(self) -> Iterator[str]:
        yield from self.rows
        yield from sorted({entry.name for entry in self._offered()} - self.rows.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.rows or any(entry.name == name for entry in self._offered())

    def load(self, name: str) -> T:
        """Import what a name stands for. Raises PluginError, which names the package that is to blame.

        The name is one of this registry.
        """
        if name in self.rows:
            ours: T = resolve_name(self.rows[name])
            return ours
        entry, *others = [entry for entry in self._offered() if entry.name == name]
        package = _package(entry)
        if others:
            both = ", ".join([package, *map(_package, others)])
            raise PluginError(f"the {self.what} {name!r} is offered by {both}; uninstall all but one")
        try:
            theirs = entry.load()
        except Exception as error:  # a stranger's module may raise anything
            raise self._broken(name, package, error) from error
        if not self.fits(theirs):
            raise PluginError(f"{package}: {entry.value} is no {self.what}; see CONTRIBUTING.md of hunkwise")
        loaded: T = self._blaming(theirs, name, package) if callable(theirs) else theirs
        return loaded

    def _offered(self) -> list[EntryPoint]:
        from importlib.metadata import entry_points  # reads every installed package: not for --help

        return list(entry_points(group=self.group))

    def _blaming(self, function: Callable[..., Any], name: str, package: str) -> Any:
        @wraps(function)
        def blamed(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except EngineError:
                raise
            except Exception as error:
                raise self._broken(name, package, error) from error

        return blamed

    def _broken(self, name: str, package: str, error: Exception) -> PluginError:
        return PluginError(
            f"the {self.what} {name!r} of the package {package} fails: {type(error).__name__}: {error}; "
            "update or uninstall that package"
        )


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unnamed package"
