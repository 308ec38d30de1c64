"""One stage on transformers' Trainer: packed rows for data, the stage's objective for a loss.

Flows in: a stage of a recipe, its rows, the model. Flows out: the model, trained in place, with checkpoints and a
loss log on the way. Runs alone or under torchrun (DDP): a step's loss is the same however its rows are shared out.
"""

import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState  # type: ignore[import-untyped]
from torch import Tensor
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from rimbench.errors import ModelError, UsageError
from rimbench.training.objectives import (
    any_budget_weights,
    anytime_weights,
    batch_loss,
    segment_nll,
    sft_weights,
    stage1_weights,
)
from rimbench.training.packing import TrainingBatch, TrainingRow, collate
from rimbench.training.recipe import Stage, Stage1, Stage2
from rimbench.training.vocabulary import TrainedRows, vocabulary_names
from rimbench.training.watch import LossBar, LossLines, LossLog, NumberGuard, ValidationLog


@dataclass(frozen=True, slots=True)
class Start:
    """What training, or a stage, starts from; both are changed in place. `commit` is that of the code, for the card.

    `rows` are the vocabulary rows that are trained; None trains all of them.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    commit: str | None = None
    rows: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class StageRows:
    """The rows of one stage, those for validation, and how many examples it left out: without steps, or too long."""

    rows: tuple[TrainingRow, ...]
    validation: tuple[TrainingRow, ...]
    no_steps: int
    too_long: int


@dataclass(frozen=True, slots=True)
class StagePlace:
    """Where stage `number` (from 1) of the training in `root` keeps its files."""

    root: Path
    number: int

    @property
    def folder(self) -> Path:
        """The Trainer's checkpoints."""
        return self.root / f"stage-{self.number}"

    @property
    def weights(self) -> Path:
        """What the stage ended with."""
        return self.folder / "weights"

    @property
    def log(self) -> Path:
        """The loss log of all stages."""
        return self.root / "loss.jsonl"

    @property
    def validation_log(self) -> Path:
        """The validation losses of all stages."""
        return self.root / "validation.jsonl"


class StageTrainer(Trainer):
    """transformers' Trainer with packed rows for data and a stage's objective for a loss."""

    def __init__(self, stage: Stage, made: StageRows, start: Start, place: StagePlace, seed: int) -> None:
        pad_id = start.tokenizer.pad_token_id
        self.stage = stage
        self.made = made
        self.guard = NumberGuard(place.number, place.folder)
        self.trained_rows = None if start.rows is None else TrainedRows(start.model, start.rows)
        super().__init__(
            model=start.model,
            args=training_arguments(stage, place.folder, seed, len(made.rows), validated=bool(made.validation)),
            data_collator=Collator(0 if pad_id is None else int(pad_id)),
            train_dataset=made.rows,
            eval_dataset=made.validation or None,
            processing_class=start.tokenizer,
            callbacks=[
                self.guard,
                LossLog(place.log, place.number),
                ValidationLog(place.validation_log, place.number),
                *([EarlyStoppingCallback(stage.patience)] if stage.patience else []),
                LossBar() if sys.stderr.isatty() else LossLines(place.number),
            ],
        )
        self.remove_callback(PrinterCallback)
        # The loss below is a mean over rows already: the Trainer must divide it by the accumulation steps.
        self.model_accepts_loss_kwargs = False
        self._check_fsdp()

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Tensor | Any],
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """One backward pass, after which the frozen rows of the vocabulary have no gradient."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        if self.trained_rows is not None:
            self.trained_rows.zero_others(self.accelerator.unwrap_model(model))
        return loss

    def full_weights(self) -> dict[str, Tensor]:
        """The whole model's weights, gathered from all processes under FSDP; every process must call."""
        weights: dict[str, Tensor] = self.accelerator.get_state_dict(self.model_wrapped)
        return weights

    def _check_fsdp(self) -> None:
        """ModelError for a kind of FSDP whose checkpoints or frozen rows would be wrong."""
        if not self.is_fsdp_enabled:
            return
        plugin = self.accelerator.state.fsdp_plugin
        if plugin.fsdp_version != 2 or "FULL_STATE_DICT" not in str(plugin.state_dict_type):
            raise ModelError(
                f"FSDP of version {plugin.fsdp_version} with {plugin.state_dict_type} is not supported: launch with "
                "--use_fsdp --fsdp_version 2 --fsdp_state_dict_type FULL_STATE_DICT"
            )

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        """The stage's loss of one micro-batch, a mean over its rows."""
        batch = TrainingBatch(**inputs)
        nll = segment_nll(model, batch, self.stage.reduction)
        loss = batch_loss(nll, self._weights(batch), batch)
        self.guard.check_loss(loss, batch.example, self.state.global_step)
        return loss

    def prediction_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Tensor],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[Tensor, None, None]:
        """The validation loss of one batch: the answer after each row's last block, whatever the stage weighs."""
        with torch.no_grad(), self.compute_loss_context_manager():
            batch = TrainingBatch(**self._prepare_inputs(inputs))
            answers = batch.is_answer & (batch.block == batch.blocks)
            loss = batch_loss(segment_nll(model, batch, self.stage.reduction), answers.float(), batch)
        return loss, None, None

    def _get_train_sampler(self, train_dataset: Any = None) -> "LengthSampler":
        return LengthSampler([row.tokens for row in self.made.rows], self.stage.batch_size, self.args.seed)

    def get_decay_parameter_names(self, model: torch.nn.Module) -> list[str]:
        """As usual, but never the vocabulary: decay would move rows that take no gradient."""
        vocabulary = vocabulary_names(self.accelerator.unwrap_model(self.model))
        names: list[str] = super().get_decay_parameter_names(model)
        return [name for name in names if name.removeprefix("module.") not in vocabulary]

    def _weights(self, batch: TrainingBatch) -> Tensor:
        if isinstance(self.stage, Stage1):
            progress = self.state.global_step / max(1, self.state.max_steps)
            return stage1_weights(batch, progress, self.stage.answer_weight)
        if isinstance(self.stage, Stage2):
            return any_budget_weights(batch) if self.stage.any_budget else anytime_weights(batch)
        return sft_weights(batch)


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows -> a packed batch, as the mapping of tensors that the Trainer moves to its device."""

    pad_id: int

    def __call__(self, rows: Sequence[TrainingRow]) -> dict[str, Tensor]:
        """The batch's fields by name."""
        batch = collate(rows, self.pad_id)
        return {field.name: getattr(batch, field.name) for field in fields(batch)}


class LengthSampler(torch.utils.data.Sampler[int]):
    """Random order in which the rows of a batch are of nearly one length, so that little of a batch is padding.

    Every epoch shuffles the rows anew from (seed, epoch), sorts each pool of `POOL` batches by length, and shuffles
    the batches. What fills no batch is left out until another epoch. The order knows nothing of processes or of
    accumulation: a step has the same rows however many share it. A resumed epoch has the order that it began with.
    """

    POOL = 50

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch is drawn next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths) // self.batch_size * self.batch_size

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self.seed}:{self.epoch}")
        order = chance.sample(range(len(self.lengths)), len(self))
        pool = self.POOL * self.batch_size
        for start in range(0, len(order), pool):
            order[start : start + pool] = sorted(order[start : start + pool], key=lambda row: self.lengths[row])
        batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        chance.shuffle(batches)
        return chain(*batches)


def process_state() -> PartialState:
    """The processes that train together; without `cpu`, accelerate does not see torchrun on a machine with no GPU."""
    return PartialState(cpu=not torch.cuda.is_available())


def training_arguments(stage: Stage, folder: Path, seed: int, rows: int, *, validated: bool) -> TrainingArguments:
    """The Trainer's settings for a stage over `rows`, with a validation loss or without; bf16 on a GPU, else float32.

    UsageError where processes and rows per device do not make up the batch, or where one process sees
    several GPUs (the Trainer would split packed batches between them).
    """
    processes, gpus = process_state().num_processes, torch.cuda.device_count()
    if gpus > 1 and processes == 1:
        raise UsageError(f"{gpus} GPUs and one process: launch with torchrun --nproc-per-node {gpus}")
    together, steps = stage.rows_per_device * processes, stage_steps(stage, rows)
    if stage.batch_size % together:
        raise UsageError(
            f"batch_size {stage.batch_size} is no multiple of {stage.rows_per_device} rows on each of {processes} "
            "processes: change rows_per_device or the number of processes"
        )
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=stage.epochs,
        max_steps=steps if steps == stage.max_steps else -1,  # else the Trainer counts its epochs
        per_device_train_batch_size=stage.rows_per_device,
        gradient_accumulation_steps=stage.batch_size // together,
        learning_rate=stage.learning_rate,
        lr_scheduler_type=stage.schedule,
        warmup_steps=stage.warmup,
        weight_decay=stage.weight_decay,
        adam_beta2=stage.adam_beta2,
        max_grad_norm=stage.max_grad_norm,
        bf16=gpus > 0,
        use_cpu=gpus == 0,
        seed=seed,
        data_seed=seed,
        save_steps=stage.save_steps,
        save_total_limit=2,
        eval_strategy="steps" if validated else "no",
        eval_steps=stage.save_steps,
        per_device_eval_batch_size=stage.rows_per_device,
        load_best_model_at_end=stage.patience is not None,
        metric_for_best_model="eval_loss" if stage.patience else None,
        greater_is_better=False if stage.patience else None,
        restore_callback_states_from_checkpoint=stage.patience is not None,
        logging_steps=stage.log_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        disable_tqdm=True,  # it prints the losses to stdout; `LossBar` shows them
        ddp_find_unused_parameters=False,
        report_to="none",
        log_level="error",
        log_level_replica="error",
    )


def stage_steps(stage: Stage, rows: int) -> int:
    """The most optimizer steps that a stage takes over so many rows: its epochs', or its `max_steps`."""
    by_epochs = math.ceil(stage.epochs * (rows // stage.batch_size))
    return by_epochs if stage.max_steps is None else min(stage.max_steps, by_epochs)
