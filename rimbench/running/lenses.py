"""A RiM system and a suite -> what its memory holds after every block of every item."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rimbench import checkpoints, systems
from rimbench.errors import UsageError
from rimbench.records import Item
from rimbench.running.plans import PlannedRun, RunSettings, plan_runs
from rimbench.running.sweeps import check_memory, packed_rows
from rimbench.store.lenses import AfterBlock, Lens, SeenItem
from rimbench.suites import Suite
from rimbench.systems import System

if TYPE_CHECKING:
    from rimbench.rim.lens import LensRow
    from rimbench.rim.readout import ReadoutRequest

BATCH_SIZE = 16


@dataclass(frozen=True, slots=True)
class PlannedLens:
    """The items to look into, with their steps, where known, and rows; `left_out` had no room in the context.

    `shortest` is the row that the model's packed pass is held against before it is looked into.
    """

    run: PlannedRun
    shortest: "ReadoutRequest"
    items: tuple[Item, ...]
    steps: tuple[tuple[str, ...], ...]
    rows: "tuple[LensRow, ...]"
    left_out: int
    new_tokens: int


def plan_lens(
    system: System, suite: Suite, settings: RunSettings, steps: Mapping[str, tuple[str, ...]], new_tokens: int
) -> PlannedLens:
    """Resolve the weights and lay out what is asked; `steps` are by question. Nothing runs yet.

    Raises UsageError for a system without memory blocks, and where the context has room for no item.
    """
    check_memory(system, "look into")
    (run,) = plan_runs([systems.override(system, answer="readout")], [suite], settings)
    from rimbench.rim.lens import LensRow  # torch comes with it

    tokenizer = checkpoints.read_tokenizer(run.checkpoint.folder)
    requests = packed_rows(run)
    kept = []
    for item in suite.items:
        request, texts = requests[item.item_id], steps.get(item.question, ())
        row = LensRow(request.question, request.blocks, tuple(_encode(tokenizer, text) for text in texts))
        longest = max(new_tokens, *map(len, row.texts)) if row.texts else new_tokens
        if len(row.up_to(len(row.blocks))) + longest <= run.cell.context_tokens:
            kept.append((item, texts, row))
    if not kept:
        raise UsageError(
            f"system '{system.name}' on suite '{suite.name}': no question leaves room for its blocks and "
            f"{new_tokens} tokens more in the model's context of {run.cell.context_tokens}: take fewer --blocks or "
            "--tokens"
        )
    items, texts_of, rows = zip(*kept, strict=True)
    shortest = min(requests.values(), key=lambda row: len(row.question))
    return PlannedLens(run, shortest, items, texts_of, rows, len(suite.items) - len(kept), new_tokens)


def look(planned: PlannedLens, batch_size: int | None, advance: Callable[[int], None]) -> Lens:
    """Run the model over all items, a batch at a time; `advance` is told how many were done."""
    from rimbench.rim.lens import continuations, text_probabilities
    from rimbench.rim.readout import check_packed

    run = planned.run
    tokenizer = checkpoints.read_tokenizer(run.checkpoint.folder)
    model = checkpoints.load_model(run.checkpoint.folder, run.facts.dtype).to(run.facts.device).eval()
    check_packed(model, planned.shortest)
    stop_ids = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    seen: list[SeenItem] = []
    for batch in _batches(planned.rows, batch_size or BATCH_SIZE):
        written = continuations(model, batch, planned.new_tokens, stop_ids[0] if stop_ids else 0, stop_ids)
        likely = text_probabilities(model, batch, 0)
        for row, tokens, probabilities in zip(batch, written, likely, strict=True):
            item, steps = planned.items[len(seen)], planned.steps[len(seen)]
            blocks = tuple(
                AfterBlock(tokenizer.decode(ids), _begins(ids, row.texts), tuple(min(1.0, p) for p in shares))
                for ids, shares in zip(tokens, probabilities, strict=True)
            )
            seen.append(SeenItem(item.item_id, item.question, steps, blocks))
        advance(len(batch))
    identity = run.identity
    return Lens(
        run.name,
        run.cell.system.name,
        run.suite.name,
        identity.weights_sha256,
        identity.suite.content_sha256,
        tuple(seen),
    )


def _begins(tokens: tuple[int, ...], texts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(place for place, text in enumerate(texts) if tokens[: len(text)] == text)


def _encode(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, add_special_tokens=False))


def _batches(rows: "Sequence[LensRow]", size: int) -> "Iterator[Sequence[LensRow]]":
    return (rows[start : start + size] for start in range(0, len(rows), size))
