"""Which cells a report is of, where not all that a folder holds are wanted."""

from collections.abc import Collection, Iterable

from rimbench.errors import UsageError
from rimbench.plugins import unknown
from rimbench.reporting.variants import name_of
from rimbench.store import Manifest


class Selection:
    """The systems and suites that were named; all where none was. What it is asked about it knows from then on."""

    def __init__(self, systems: Iterable[str] = (), suites: Iterable[str] = ()) -> None:
        self._systems, self._suites = tuple(systems), tuple(suites)
        self._names = dict[str, set[str]]()  # by system
        self._known = set[tuple[str, str]]()

    def __bool__(self) -> bool:
        return bool(self._systems or self._suites)

    def takes(self, suite: str, system: str, *names: str) -> bool:
        """Whether something of this suite and system, which bears further names too, was asked for."""
        if not self:
            return True
        self._known.add((system, suite))
        self._names.setdefault(system, {system}).update(names)
        of_system = not self._systems or any(name in self._systems for name in (system, *names))
        return of_system and (not self._suites or suite in self._suites)

    def leaves_out(self, manifest: Manifest, but: Collection[str] = (), name: str | None = None) -> bool:
        """Whether a run was not asked for, by its system, with all that it departs in `but` for some, or its name."""
        names = (name_of(manifest, but), *([name] if name else []))
        return not self.takes(manifest.suite, manifest.system, *names)

    def check(self, *, found: bool) -> None:
        """UsageError where a name stands for nothing that was asked about, or nothing at all was `found`."""
        names = set().union(*self._names.values()) if self._names else set[str]()
        suites = {suite for _, suite in self._known}
        for name in self._systems:
            if name not in names:
                raise unknown("system", name, self._names)
        for name in self._suites:
            if name not in suites:
                raise unknown("suite", name, suites)
        if self and not found:
            there = ", ".join(f"{system} on {suite}" for system, suite in sorted(self._known))
            raise UsageError(
                f"no run of {' or '.join(self._systems) or 'any system'} on {' or '.join(self._suites)}: there are "
                f"{there or 'none'}"
            )


EVERY = Selection()
"""All systems on all suites."""
