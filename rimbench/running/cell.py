"""A cell: one system on one suite, resolved, and the name of the run that answers it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rimbench.engines import EngineFacts
from rimbench.records import Intervention, Prompt
from rimbench.running.prompts import hash_prompts
from rimbench.store import FrozenItems, Identity, Setup, named
from rimbench.suites.controls import Controls, Shown, ShownItems
from rimbench.systems import System


@dataclass(frozen=True, slots=True)
class ErrorRules:
    """How an engine's failures are taken: more than the share `most` of a run's answers end it, and what still fails
    in the end counts as answered, wrongly, where the user says that it is `final`.
    """

    most: float = 0.05
    final: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One system on one suite, resolved: items as they are shown, their prompts, and the settings of the draws.

    `samples` is the number of draws an item beside the greedy answer; `context_tokens` is the longest sequence
    that the model takes; `intervention` is what is done to the memory, in an ablation.
    """

    system: System
    shown: Sequence[Shown]
    prompts: Sequence[Prompt]
    samples: int
    seed: int
    context_tokens: int
    controls: Controls = field(default_factory=Controls)
    errors: ErrorRules = field(default_factory=ErrorRules)
    intervention: Intervention | None = None

    @property
    def item_ids(self) -> Sequence[str]:
        """The ids of the items, in their order."""
        if isinstance(self.shown, ShownItems):
            return self.shown.item_ids
        return [shown.item.item_id for shown in self.shown]

    def shown_by_id(self) -> Callable[[str], Shown]:
        """What finds an item as it is shown."""
        if isinstance(self.shown, ShownItems):
            return self.shown.of
        return {shown.item.item_id: shown for shown in self.shown}.__getitem__

    @property
    def reads_letters(self) -> bool:
        """Whether letters' probabilities are read; those of a build that did not say of which tokens are not kept."""
        return self.prompts[0].option_token_ids is not None

    @property
    def total(self) -> int:
        """How many answers the cell asks for."""
        return len(self.shown) * (self.samples + 1)

    @property
    def too_long(self) -> int:
        """How many prompts leave no room for an answer in the model's context."""
        return sum(not self.has_room(prompt) for prompt in self.prompts)

    @property
    def new_tokens(self) -> int:
        """The most tokens that an answer adds to its prompt: a readout needs the place of one."""
        answer = self.system.answer
        return 1 if answer.mode == "readout" else answer.max_new_tokens

    def has_room(self, prompt: Prompt) -> bool:
        """Whether the model's context has room for an answer behind a prompt."""
        return len(prompt.token_ids) + self.new_tokens <= self.context_tokens


def identify(cell: Cell, weights_sha256: str, suite: FrozenItems, facts: EngineFacts) -> Identity:
    """Everything that could change an answer."""
    system = cell.system
    return named(
        Identity(
            weights_sha256=weights_sha256,
            suite=suite,
            system=Setup(system.prompt, system.memory, system.answer),
            prompts_sha256=hash_prompts(cell.prompts),
            controls=cell.controls,
            seed=cell.seed,
            engine=facts,
            intervention=cell.intervention,
        )
    )


def name_run(cell: Cell, suite_name: str, sha256: str) -> str:
    """The run's name: system, suite, and a hash of its identity."""
    return f"{cell.system.name[:80]}-{suite_name[:80]}-{sha256[:10]}"
