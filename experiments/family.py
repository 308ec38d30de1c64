"""The nano family, trained again: data, base, fine-tuned systems, and the package data made of them.

`nox -s nano` runs it. Every part is kept in the working folder and goes on where it stopped, so that the same command
may be started again at any time; the seeds are fixed, and so is what comes out on one machine.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from corpus import Row, base_rows, tuning_rows
from start import make_start

from rimbench.checkpoints import loaded_files
from rimbench.cli.train import train as train_command
from rimbench.training.losses import draw_losses
from rimbench.training.recipe import RECIPES

DOCS = Path(__file__).parents[1] / "docs"
PACKED = Path(__file__).parents[1] / "rimbench" / "nano"
WORK = Path("checkpoints") / "nano"
TUNED = ("cot", "direct", "rim-v1", "rim-v2")
BASE_PARTS = {
    "base-chains": 200_000,
    "base-letters": 48_000,
    "base-close": 32_000,
    "base-far": 64_000,
    "base": 48_000,
}
"""The parts of the base's training, one on the other's checkpoint, with the rows of each."""
TUNING_ROWS = 8_000
"""The size of the training set that all tuned systems share."""
SEED = 0


def main() -> None:
    """Train what is missing, and pack the family."""
    copy_weights(train_base(), PACKED / "base")
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(tune, TUNED))
    pack()


def folder_of(name: str, seed: int = SEED) -> Path:
    """Where a checkpoint of the family is trained."""
    return WORK / "family" / f"{name}-{seed}" if name not in BASE_PARTS else WORK / name


def tune(name: str, seed: int = SEED, recipe: str | None = None) -> Path:
    """Tune the base on a seed's examples, the same for every system; the checkpoint's folder."""
    data = write_rows(WORK / f"tuning-{TUNING_ROWS}-{seed}.jsonl", tuning_rows(seed, TUNING_ROWS))
    return train(recipe or f"nano-{name}", PACKED / "base", data, folder_of(name, seed), seed)


def train_base() -> Path:
    """The common pretrained start; two processes train on half of a batch each, where there are two cores."""
    checkpoint = WORK / "base" / "checkpoint"
    if checkpoint.exists():
        return checkpoint
    checkpoint = WORK / "start"
    if not (checkpoint / "config.json").exists():
        make_start(checkpoint, texts(base_rows(SEED, 20_000)), SEED)
    processes = min(cores(), 2)  # the recipe's batch is 2 times 32 rows
    launch = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "-m", "rimbench"]
    for part, (name, count) in enumerate(BASE_PARTS.items()):
        data = write_rows(WORK / f"{name}.jsonl", base_rows(SEED + part, count, part))
        checkpoint = train("nano-base", checkpoint, data, WORK / name, SEED, launch)
    return checkpoint


def train(  # noqa: PLR0913 - what to train, from what, on what, where, and how it is launched
    recipe: str, base: Path, data: Path, folder: Path, seed: int, launch: Iterable[str] = ("-m", "rimbench")
) -> Path:
    """Train a recipe, or go on with it; the checkpoint's folder. Its log stands beside its folder."""
    done = folder / "checkpoint"
    if not done.exists():
        command = [sys.executable, *launch, "train", recipe, "--base", str(base), "--data", str(data)]
        command += ["--out", str(folder), "--seed", str(seed), "--check-suite", "demo-in-dist"]
        print(" ".join(command), flush=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".log").open("a") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return done


@dataclass(frozen=True, slots=True)
class Scale:
    """A share of the recipes' steps, in batches of so many rows, on so many examples: what a machine has time for."""

    steps: float
    batch: int
    examples: int

    def __str__(self) -> str:
        return f"{self.steps:g}x{self.batch}-{self.examples}"


def scaled(recipe: str, scale: Scale) -> Path:
    """A shipped recipe at a scale, as a file; the recipe that its `flop_of` names is scaled too.

    How often a stage is validated stays, so that its patience spans a larger share of it.
    """
    head, *stages = (RECIPES / f"{recipe}.toml").read_text().split("[[stages]]")
    text = "[[stages]]".join(stages)
    text = re.sub(r"^max_steps = (\d+)$", lambda n: f"max_steps = {round(int(n[1]) * scale.steps)}", text, flags=re.M)
    text = re.sub(r"^(batch_size|rows_per_device) = \d+$", rf"\1 = {scale.batch}", text, flags=re.M)
    text = re.sub(r'^flop_of = "(.*)"$', lambda name: f'flop_of = "{scaled(name[1], scale)}"', text, flags=re.M)
    path = WORK / "scaled" / str(scale) / f"{recipe}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}[[stages]]{text}")
    return path


def train_here(recipe: str, scale: Scale, base: Path, data: Path, folder: Path, seed: int) -> Path:  # noqa: PLR0913 - as `train`
    """Train a shipped recipe at a scale in this process, or go on with it; the checkpoint's folder."""
    train_command(str(scaled(recipe, scale)), str(base), str(data), folder, seed, check_suite=["demo-in-dist"])
    return folder / "checkpoint"


def pack() -> None:
    """Copy the checkpoints into the package, with a manifest of what made them, and draw their losses.

    What the working folder does not hold, such as the parts that a shipped base went through, stays as it was stated.
    """
    manifest = PACKED / "manifest.json"
    stated = json.loads(manifest.read_text()) if manifest.exists() else {}
    here = [name for name in (*BASE_PARTS, *TUNED) if (folder_of(name) / "training.json").exists()]
    entries = {name: entry(name) if name in here else stated[name] for name in (*BASE_PARTS, *TUNED)}
    for name in here:
        if name == "base" or name in TUNED:  # what the base itself started from is not shipped
            copy_weights(folder_of(name) / "checkpoint", PACKED / name)
    draw_losses([(f"nano-{name}", folder_of(name) / "loss.jsonl") for name in here], DOCS / "training.svg")
    manifest.write_text(json.dumps(entries, indent=2) + "\n")


def copy_weights(source: Path, target: Path) -> None:
    """Copy of a checkpoint's folder what an answer depends on."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in loaded_files(source):
        shutil.copyfile(path, target / path.name)


def entry(name: str) -> dict[str, object]:
    """What made a checkpoint, as the manifest states it."""
    folder = folder_of(name)
    made = json.loads((folder / "training.json").read_text())
    weights = folder / "checkpoint" / "model.safetensors"
    return {
        "recipe": "nano-base" if name in BASE_PARTS else f"nano-{name}",
        "recipe_sha256": made["recipe"],
        "data_sha256": made["data"],
        "seed": made["seed"],
        "base": made["base"],
        "steps": steps(folder),
        "rows": BASE_PARTS.get(name, TUNING_ROWS),
        "commit": made.get("commit"),
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }


def steps(folder: Path) -> dict[str, int]:
    """The optimizer steps that each stage took."""
    found = sorted(folder.glob("stage-*/weights/steps"))
    return {path.parents[1].name: int(path.read_text()) for path in found}


def write_rows(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows as JSON lines, whole or not at all."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        with fresh.open("w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        fresh.replace(path)
    return path


def texts(rows: Iterable[Row]) -> Iterable[str]:
    """Every text of the rows, which the tokenizer's vocabulary is learned from."""
    for row in rows:
        for message in row["messages"]:  # type: ignore[attr-defined]
            yield from (text for key, text in message.items() if key != "role" and text)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
