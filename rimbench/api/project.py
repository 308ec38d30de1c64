"""What a folder says of the work in it: `rimbench.toml`, read where a command or a notebook is started.

What the file says holds as if it had been given as an option, and is said; an option that is given wins.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator

from rimbench import engines, suites, systems
from rimbench.display.notes import note
from rimbench.errors import ConfigError, UsageError, with_lines
from rimbench.files.faults import list_faults
from rimbench.files.toml import TomlTable, below, parse_toml
from rimbench.files.writing import write_whole
from rimbench.plugins import find_modules, unknown
from rimbench.systems.weights import PINNED_HUB_NAME, checkpoint_in

FILE = "rimbench.toml"
RESULTS = Path("results")
TRAINED = Path("checkpoints")
"""Where `rimbench train RECIPE` puts its checkpoint, in a folder called after the recipe."""


@dataclass(frozen=True, slots=True)
class Project:
    """What the file says, its paths beside the current folder; nothing of it where there is no file."""

    results: Path | None = None
    engine: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Path] = field(default_factory=dict)

    def results_or(self, given: str | Path | None) -> Path:
        """The folder of the runs: the one that was given, else the file's, else `results`."""
        if given is not None:
            return Path(given)
        if self.results is not None:
            note(f"{FILE}: results = {self.results}")
        return self.results or RESULTS

    def runs_in(self, given: str | Path | None) -> Path:
        """The folder to read runs of: the same, or the only one below it that holds runs where it holds none."""
        from rimbench.store import place_of_runs

        results = self.results_or(given)
        place = place_of_runs(results)
        if place != results:
            note(f"{results} holds no run of its own: reading those of {place}, the only folder in it with runs")
        return place

    def engine_or(self, given: str | None) -> str:
        """The engine: the one that was given, else the file's, else `auto`."""
        if given is None and self.engine is not None:
            note(f"{FILE}: engine = {self.engine}")
        return given or self.engine or "auto"


def read_project(*, allow_outside: bool = False) -> Project:
    """What the current folder's file says; ConfigError lists its faults, one a line, with the nearest names."""
    path = Path(FILE)
    if not path.exists() and not path.is_symlink():
        return Project()
    values = parse_toml(path, "project")
    try:
        found = _File.model_validate(values, context={"allow_outside": allow_outside})
    except ValidationError as error:
        faults = [f"{path}: {fault}" for fault in list_faults(error, _File)]
        if len(faults) == 1:
            raise ConfigError(faults[0]) from error
        raise with_lines(ConfigError(f"{path} has {len(faults)} faults:"), faults) from error
    models = {name: table.model for name, table in found.systems.items()}
    data = {name: Path(table.data) for name, table in found.suites.items()}
    return Project(Path(found.results) if found.results else None, found.engine, models, data)


def write_project() -> Path:
    """Begin the current folder's file: all that it may say, in comments; UsageError where there is one already."""
    return begin_file(Path(FILE), lambda: "\n".join(_template()) + "\n")


def begin_file(path: Path, text: Callable[[], str]) -> Path:
    """Write a file that is not there yet; UsageError for one that is."""
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already: edit it, or move it away first")
    write_whole(path, text())
    return path


def trained(system: systems.System) -> str | None:
    """The checkpoint that `rimbench train` left in the current folder for a system without public weights."""
    recipe = system.weights.recipe
    found = checkpoint_in(TRAINED / Path(recipe).stem) if recipe and system.weights.path is None else None
    return None if found is None else str(found)


def _template() -> Iterable[str]:
    from rimbench.systems import weights

    yield "# What rimbench takes in this folder where a command has no option for it; an option wins."
    yield "# Paths lead below this folder. Take the # off a line, and off the [table] above it, to have it hold."
    yield '\n# results = "results"\n# engine = "auto"  # or transformers, vllm'
    for name in systems.registered():
        system = systems.load(name)
        if weights.obstacle(system.weights) is not None:
            recipe = system.weights.recipe
            example = f"{TRAINED}/{recipe}/checkpoint" if recipe else f"weights/{name}"
            yield f'\n# [systems.{name}]  # {system.description}\n# model = "{example}"'
    for summary in suites.listing():
        if not summary.loadable:
            yield f'\n# [suites.{summary.name}]  # {summary.description}\n# data = "{summary.name}.jsonl"'


def _known(kind: str, name: str, known: Iterable[str]) -> str:
    """A name that rimbench has, or that of a TOML file beside the project's, or the path of one."""
    if Path(name if name.endswith(".toml") else f"{name}.toml").is_file():
        return name
    if name not in known:
        raise ValueError(str(unknown(kind, name, known)))
    return name


def _below(named: str, key: str, info: ValidationInfo) -> Path:
    try:
        return below(Path(FILE), named, key, allow_outside=bool((info.context or {}).get("allow_outside")))
    except ConfigError as error:
        raise ValueError(str(error).removeprefix(f"{FILE}: {key}: ")) from error


def _known_system(name: str) -> str:
    return _known("system", name, systems.registered())


def _known_suite(name: str) -> str:
    return _known("suite", name, suites.suite_files())


class _SystemTable(TomlTable):
    """`[systems.NAME]`: its weights, a checkpoint folder or a revision of a hub repository."""

    model: str

    @field_validator("model")
    @classmethod
    def _is_there(cls, model: str, info: ValidationInfo) -> str:
        folder = _below(model, "model", info)
        if checkpoint_in(folder) is not None:
            return str(checkpoint_in(folder))
        if PINNED_HUB_NAME.match(model) and not folder.exists():
            return model
        wrong = "holds no checkpoint (no config.json)" if folder.exists() else "does not exist"
        raise ValueError(f"{model} {wrong}: expected a checkpoint folder, or org/name@revision")


class _SuiteTable(TomlTable):
    """`[suites.NAME]`: the file of its rows."""

    data: str

    @field_validator("data")
    @classmethod
    def _is_there(cls, data: str, info: ValidationInfo) -> str:
        file = _below(data, "data", info)
        if not file.is_file():
            raise ValueError(f"{data} {'is no file' if file.exists() else 'does not exist'}: expected a file of rows")
        return str(file)


class _File(TomlTable):
    """The whole file."""

    results: str | None = None
    engine: str | None = None
    systems: dict[Annotated[str, AfterValidator(_known_system)], _SystemTable] = Field(default_factory=dict)
    suites: dict[Annotated[str, AfterValidator(_known_suite)], _SuiteTable] = Field(default_factory=dict)

    @field_validator("results")
    @classmethod
    def _is_folder(cls, results: str, info: ValidationInfo) -> str:
        folder = _below(results, "results", info)
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{results} is no folder: expected the folder of the runs")
        return str(folder)

    @field_validator("engine")
    @classmethod
    def _is_known(cls, engine: str) -> str:
        return _known("engine", engine, ["auto", *find_modules(engines)])
