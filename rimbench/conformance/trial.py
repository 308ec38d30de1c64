"""One engine on trial: it is opened, asked once for what several checks look at, and closed."""

import functools
from dataclasses import asdict, dataclass
from pathlib import Path

from rimbench import engines
from rimbench.conformance.checks import CHECKS, Check
from rimbench.conformance.exchange import Exchange
from rimbench.conformance.looks import Look
from rimbench.conformance.reference import Reference
from rimbench.engines import Engine, EngineFacts
from rimbench.errors import EngineError

MODEL = Path(__file__).parents[1] / "nano" / "cot"
"""The embedded model that writes its reasoning: it knows letters, and ends its texts by itself."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one check; `passed` is None where it was not tried."""

    check: str
    requires: str
    passed: bool | None
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class Conformance:
    """An engine's outcomes, in the order of the checks, and the settings that it was tried with."""

    engine: str
    facts: EngineFacts | None
    outcomes: tuple[Judged, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(outcome.passed is not False for outcome in self.outcomes)

    def document(self) -> dict[str, object]:
        """As JSON has it."""
        return asdict(self) | {"passed": self.passed}


def check_engine(name: str, folder: Path = MODEL) -> Conformance:
    """Try every check on the engine of that name; EngineError where it cannot run here, UsageError for no engine."""
    engine = engines.known(name)
    why_not = engine.obstacle()
    if why_not is not None:
        raise EngineError(f"engine '{name}' cannot run here: {why_not}")
    return hold(name, engine, folder)


def hold(name: str, engine: type[Engine], folder: Path = MODEL) -> Conformance:
    """Try every check on a class, which is found under that name."""
    exchange = Exchange(name, engine, _reference(folder), folder)
    outcomes = [_try(check, exchange) for check in CHECKS]
    return Conformance(name, exchange.facts, tuple(outcomes))


def _try(check: Check, exchange: Exchange) -> Judged:
    if exchange.lost is not None or (check.of_model and not exchange.engine_class.runs_model):
        why = "the engine could not be opened" if exchange.lost else "it runs no model"
        return Judged(check.name, check.requires, None, None, why)
    try:
        finding: Look = check.look(exchange)
    except (Exception, SystemExit) as error:  # a check says what is broken, and does not break of it
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        finding = Look(False, "an answer", said)
    return Judged(check.name, check.requires, finding.held, finding.expected, finding.found)


@functools.lru_cache(maxsize=2)
def _reference(folder: Path) -> Reference:
    return Reference(folder)
