"""Watching a training: the loss log that plots, and the stop at a loss or gradient that is no number.

Flows in: what transformers' Trainer reports. Flows out: `loss.jsonl`, one line a logged step
(`stage, step, epoch, loss, grad_norm, learning_rate`), `validation.jsonl` (`stage, step, epoch, eval_loss`), and a
ModelError that says which examples were at fault.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rimbench.errors import ModelError
from rimbench.files.writing import write_whole

SECONDS_BETWEEN_LINES = 30.0


class LossLog(TrainerCallback):
    """Appends to the log; what a resumed stage is about to do again is dropped first, so each step stands once."""

    logged: tuple[str, ...] = ("loss", "grad_norm", "learning_rate")

    def __init__(self, path: Path, stage: int) -> None:
        self.path = path
        self.stage = stage

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Keep the lines of earlier stages, and of this one up to the step that it goes on from."""
        if state.is_world_process_zero and self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if line.endswith("\n") and self._is_before(line, state.global_step)]
            write_whole(self.path, "".join(kept))

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """One line a logged step; what reports no such loss, as the Trainer's closing summary, is left out."""
        logs: dict[str, float] = kwargs["logs"]
        if state.is_world_process_zero and self.logged[0] in logs:
            line: dict[str, float | None] = {"stage": self.stage, "step": state.global_step, "epoch": state.epoch}
            line.update({name: logs.get(name) for name in self.logged})
            with self.path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")

    def _is_before(self, line: str, step: int) -> bool:
        entry = json.loads(line)
        return (entry["stage"], entry["step"]) <= (self.stage, step)


class ValidationLog(LossLog):
    """The same for validation losses, in a file of their own."""

    logged = ("eval_loss",)


class LossBar(ProgressCallback):
    """The Trainer's progress bar, on stderr, with the loss beside it instead of lines on stdout."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Show the last logged loss."""
        if self.training_bar is not None and "loss" in logs:
            self.training_bar.set_postfix(loss=f"{logs['loss']:.4g}")


class LossLines(TrainerCallback):
    """Where there is no terminal for a bar: a line on stderr every so often: step, loss, time left."""

    def __init__(self, stage: int) -> None:
        self.stage = stage
        self._began_at = 0
        self._began = self._last = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take the time, and the step that training goes on from."""
        self._began_at, self._began = state.global_step, time.monotonic()

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Say where training stands, unless it was said just now."""
        logs: dict[str, float] = kwargs["logs"]
        now = time.monotonic()
        if not state.is_world_process_zero or "loss" not in logs or now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        per_step = (now - self._began) / max(1, state.global_step - self._began_at)
        left = per_step * (state.max_steps - state.global_step) / 60
        sys.stderr.write(
            f"rimbench: stage {self.stage}: step {state.global_step} of {state.max_steps}, loss {logs['loss']:.4g}, "
            f"{left:.0f} min left\n"
        )
        sys.stderr.flush()


class NumberGuard(TrainerCallback):
    """Stops training at the first loss or gradient that is not a finite number, before it reaches the weights."""

    def __init__(self, stage: int, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self.examples: list[int] = []

    def check_loss(self, loss: Tensor, examples: Tensor, step: int) -> None:
        """Remember the micro-batch's examples; ModelError if its loss is no number."""
        self.examples += examples.tolist()
        if not torch.isfinite(loss):
            self.examples = examples.tolist()
            raise self._error("loss", step)

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """ModelError if a gradient of this update is no number."""
        model: torch.nn.Module = kwargs["model"]
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        if not all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            raise self._error("gradient", state.global_step)
        self.examples = []

    def _error(self, what: str, step: int) -> ModelError:
        # The weights of a checkpoint are known to be good once a loss that they gave is a number.
        last = last_checkpoint(self.folder, before=step if what == "loss" else step + 1)
        return ModelError(
            f"{what} is no number in stage {self.stage}, step {step + 1}, on rows "
            f"{', '.join(map(str, self.examples))} of the data, counted from 1: stopped before the update; the last "
            f"good checkpoint is {last or 'the start of the stage'}; look at these rows, or lower the learning rate "
            f"and train in another folder{f', from it with --base {last}' if last else ''}"
        )


def last_checkpoint(folder: Path, before: int | None = None) -> Path | None:
    """The Trainer's newest whole checkpoint, of those before a step if that is given.

    A checkpoint is whole where its state file, written last, is there and complete.
    """
    numbers = [path.name.removeprefix("checkpoint-") for path in folder.glob("checkpoint-*")]
    steps = sorted((int(number) for number in numbers if number.isdigit()), reverse=True)
    for step in steps:
        if before is not None and step >= before:
            continue
        path = folder / f"checkpoint-{step}"
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a kill came while it was written
        return path
    return None
