"""Training: a recipe and its examples -> a checkpoint folder that systems name, by transformers' Trainer.

Flows in: a `Recipe`, a `Corpus`, a model and tokenizer to start from. Flows out: `FOLDER/checkpoint`
(weights, tokenizer and card), `FOLDER/loss.jsonl`, and while it runs `FOLDER/stage-N` with the Trainer's own
checkpoints. Each stage starts from the last one's weights with a fresh optimizer. Starting the same training
again in the same folder goes on after the last whole checkpoint; another recipe, data set or seed in that
folder is refused.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PreTrainedModel, set_seed

from rimbench import checkpoints
from rimbench.display.notes import Say, say_nothing
from rimbench.errors import DataError, ModelError, UsageError
from rimbench.files.writing import write_whole
from rimbench.rim.blocks import Memory, token_id
from rimbench.rim.checkpoint import add_memory_tokens, save_checkpoint
from rimbench.rim.mask import check_model
from rimbench.training.card import write_card
from rimbench.training.data import Corpus, Example, is_for_validation
from rimbench.training.flop import step_flop
from rimbench.training.packing import Encoding, TrainingRow, balanced, encoding, sft_row, stage1_row, stage2_row
from rimbench.training.recipe import DataTable, Recipe, Sft, Stage, Stage1, Stage2, load_recipe
from rimbench.training.stage import (
    StagePlace,
    StageRows,
    StageTrainer,
    Start,
    process_state,
    stage_steps,
    training_arguments,
)
from rimbench.training.vocabulary import vocabulary_digest
from rimbench.training.watch import last_checkpoint

TRAINING = "training.json"
"""What a folder's training is made of, beside its stages."""


def train(  # noqa: PLR0913 - what to train, on what, from what, and where; `say` is told what each stage leaves out
    recipe: Recipe,
    corpus: Corpus,
    start: Start,
    folder: Path,
    seed: int,
    say: Say = say_nothing,
) -> Path:
    """Train every stage of a recipe and return the checkpoint's folder.

    Raises UsageError where the folder holds another training, DataError where a stage has fewer rows than a
    batch, ModelError for a model that cannot be trained so, or a loss or gradient that is no number.
    """
    done = folder / "checkpoint"
    identity: dict[str, str | int] = {
        "recipe": recipe.sha256(),
        "data": corpus.sha256,
        "seed": seed,
        "base": start.name,
    }
    refuse_another(folder, identity)
    if done.exists():
        return done
    trained_rows = prepare_tokens(start, recipe.block, seed)
    encode = encoding(start.tokenizer, recipe.block, recipe.wording)
    start = replace(start, rows=None if recipe.train_vocabulary else trained_rows)
    before = vocabulary_digest(start.model, trained_rows)
    # Every stage is packed and checked before the first is trained, which may take days.
    packed = [stage_rows(corpus.examples, stage, encode, recipe.data) for stage in recipe.stages]
    stages = [within_flop(s, made, corpus, start) for s, made in zip(recipe.stages, packed, strict=True)]
    for stage, made in zip(stages, packed, strict=True):
        check_model(start.model, max(max(row.layout.position_ids()) for row in (*made.rows, *made.validation)) + 1)
        training_arguments(stage, folder, seed, len(made.rows), validated=bool(made.validation))
    claim_folder(folder, identity, start.commit)
    notes = []
    for number, (stage, made) in enumerate(zip(stages, packed, strict=True), start=1):
        validation = f", {len(made.validation)} for validation" if made.validation else ""
        left_out = f"{made.no_steps} examples without steps and {made.too_long} too long left out"
        place = f"stage {number} of {len(recipe.stages)}"
        say(f"{place}, {stage.objective}: {len(made.rows)} rows{validation} ({left_out})")
        steps = train_stage(stage, made, start, StagePlace(folder, number), seed)
        start = replace(start, model=load_trained(StagePlace(folder, number), start.model))
        notes.append(f"{number}. {stage.objective}: {len(made.rows)} rows{validation}, {steps} steps ({left_out})")
    if not recipe.train_vocabulary and vocabulary_digest(start.model, trained_rows) != before:
        raise ModelError(f"frozen vocabulary rows moved while training in {folder}: the result is not saved")
    if process_state().is_main_process:
        made_from: dict[str, str | int | None] = {"base": start.name, "seed": seed, "commit": start.commit}
        save_checkpoint(start.model, start.tokenizer, done, write_card(recipe, corpus, made_from, notes))
    process_state().wait_for_everyone()
    return done


def refuse_another(folder: Path, identity: dict[str, str | int]) -> None:
    """UsageError where this folder holds a training of something else."""
    path = folder / TRAINING
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else identity
    changed = [name for name in identity if found.get(name) != identity[name]]
    if changed:
        raise UsageError(
            f"{folder} holds a training with another {', '.join(changed)}: choose another folder, or remove it"
        )


def claim_folder(folder: Path, identity: dict[str, str | int], commit: str | None) -> None:
    """Write down what is trained in this folder, and the commit of the code that began it."""
    path = folder / TRAINING
    if path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({**identity, "commit": commit}, indent=2))


def prepare_tokens(start: Start, memory: Memory | None, seed: int) -> tuple[int, ...]:
    """The ids of the memory tokens, added where the tokenizer has none of them; none for a recipe without memory."""
    if memory is None:
        return ()
    ids = [found for token in memory.tokens if (found := token_id(start.tokenizer, token)) is not None]
    if len(ids) == len(memory.tokens):
        return tuple(ids)
    return add_memory_tokens(start.tokenizer, start.model, memory, torch.Generator().manual_seed(seed))


def within_flop(stage: Stage, made: StageRows, corpus: Corpus, start: Start) -> Stage:
    """The stage with as many steps as cost what the recipe that its `flop_of` names costs on the same examples.

    The step that no longer fits in is left out.
    """
    if not isinstance(stage, Sft) or stage.flop_of is None:
        return stage
    other = load_recipe(stage.flop_of)
    # Blocks are counted by their length: a recipe without memory adds no tokens of it to its tokenizer.
    block = () if other.block is None else (0,) * other.block.block_length
    encode = replace(encoding(start.tokenizer, None, other.wording), block=block)
    price = 0.0
    for spent in other.stages:
        if isinstance(spent, Sft) and spent.flop_of is not None:
            raise UsageError(f"recipe '{stage.flop_of}' has a flop_of itself: name one whose steps are its own")
        rows = stage_rows(corpus.examples, spent, encode, other.data).rows
        price += stage_steps(spent, len(rows)) * step_flop(rows, spent.batch_size, start.model)
    steps = max(1, int(price / step_flop(made.rows, stage.batch_size, start.model)))
    return stage.model_copy(update={"max_steps": steps, "epochs": steps * stage.batch_size / len(made.rows) + 1})


def stage_rows(examples: Sequence[Example], stage: Stage, encode: Encoding, data: DataTable) -> StageRows:
    """Pack every example for a stage, leaving out (counted) those without steps and rows beyond the longest."""
    rows, validation, no_steps, too_long = [], [], 0, 0
    for example in examples:
        if isinstance(stage, Stage1) and not example.steps:
            no_steps += 1
            continue
        row = _pack_example(example, stage, encode)
        if row.tokens > data.max_row_tokens:
            too_long += 1
        elif is_for_validation(example, data.validation):
            validation.append(replace(row, example=example.row, weight=1.0))
        else:
            rows.append(replace(row, example=example.row))
    if len(rows) < stage.batch_size:
        raise DataError(
            f"stage {stage.objective} has {len(rows)} rows for a batch of {stage.batch_size} ({no_steps} examples "
            f"have no steps, {too_long} are longer than {data.max_row_tokens} tokens{_with_blocks(stage)}): "
            "add data, or change the recipe's data.max_row_tokens, blocks or batch_size"
        )
    if stage.patience is not None and not validation:
        raise DataError(
            f"stage {stage.objective} has no validation rows to stop by: add data or raise data.validation"
        )
    return StageRows(balanced(rows), tuple(validation), no_steps, too_long)


def _with_blocks(stage: Stage) -> str:
    return f" with their {stage.blocks} blocks" if isinstance(stage, Stage2) else ""


def _pack_example(example: Example, stage: Stage, encode: Encoding) -> TrainingRow:
    if isinstance(stage, Stage1):
        return stage1_row(example, encode, stage.shift)
    weight = stage.multiple_choice_weight
    if isinstance(stage, Stage2):
        return stage2_row(example, encode, stage.blocks, weight, any_budget=stage.any_budget)
    return sft_row(example, encode, stage.completion, weight)


def train_stage(stage: Stage, made: StageRows, start: Start, place: StagePlace, seed: int) -> int:
    """Train one stage, from its last whole checkpoint if there is one, and keep its weights in its place; the steps
    that it took in all.
    """
    if (place.weights / "steps").exists():
        return int((place.weights / "steps").read_text())
    set_seed(seed)
    usual = set_attention_dropout(start.model, stage.attention_dropout)
    if stage.gradient_checkpointing:
        start.model.gradient_checkpointing_enable({"use_reentrant": False})
    trainer = StageTrainer(stage, made, start, place, seed)
    resumed = last_checkpoint(place.folder)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    set_attention_dropout(start.model, usual)
    if stage.gradient_checkpointing:
        start.model.gradient_checkpointing_disable()
    weights = trainer.full_weights()
    if trainer.is_world_process_zero():
        save_checkpoint(start.model, start.tokenizer, place.weights, weights=weights)
        write_whole(place.weights / "steps", str(trainer.state.global_step))
        for old in place.folder.glob("checkpoint-*"):
            shutil.rmtree(old)
    trainer.accelerator.wait_for_everyone()
    return trainer.state.global_step


def load_trained(place: StagePlace, like: PreTrainedModel) -> PreTrainedModel:
    """The model that a stage ended with; the one that it trained may be sharded over processes, and stays so."""
    dtype, attention = str(like.dtype).removeprefix("torch."), str(like.config._attn_implementation)
    model: PreTrainedModel = checkpoints.load_model(place.weights, dtype, attention)
    return model


def set_attention_dropout(model: PreTrainedModel, dropout: float) -> float:
    """Set the dropout of attention weights, which layers copy from the config; returns what it was."""
    usual = float(model.config.attention_dropout)
    model.config.attention_dropout = dropout
    for module in model.modules():
        if "attention_dropout" in vars(module):
            vars(module)["attention_dropout"] = dropout
    return usual
