"""Does the memory do it? RiM against trained controls, with several seeds: `nox -s controls` runs it, resumably.

    rim-v2              both stages, as shipped
    any-k               the same, and stage 2 reads out at every budget, so that its K = 0 is trained
    curriculum-only     the same two stages, targets and weights without blocks
    direct-equal-flop   the answer alone, for as much arithmetic as both stages of rim-v2
    no-stage-1          stage 2 alone, for as many steps as both

All start from the shipped base and learn from the same examples of a seed, 91% of them open-ended, with the same
rates, dropout and weights of examples. They are asked demo-in-dist, and 1,000 fresh chains without options as in
`open_ended.py`. `--steps`, `--batch` and `--examples` train for a part of the recipes' steps, in other batches and on
fewer examples, the same for all: what comes out states them. Every stage of every training is kept in the working
folder; any-k goes on from rim-v2's stage 1, which has its settings, data and seed.

`docs/controls-SCALE.json` holds every accuracy, the paired differences to each control by seed, and those over all
seeds and items; what is not trained yet is left out, and named. `--only` and `--seeds` train a part, and `--summary`
nothing. At the recipes' own scale rim-v2 of seed 0 is the one that is shipped.
`regimes.py` puts the same systems to other settings.
"""

import argparse
import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from corpus import Row, tuning_rows
from curve import compared, estimated, in_order, run_in, shown
from family import DOCS, PACKED, TUNING_ROWS, WORK, Scale, steps, train_here, write_rows
from open_ended import BLOCKS, Outcomes, fresh_items, read_out
from seed_intervals import mean_over_seeds

from rimbench.api.run import run
from rimbench.cli.sweep import sweep
from rimbench.statistics.estimate import accuracy
from rimbench.suites.titration import Titration

RECIPES = {
    "rim-v2": "nano-rim-v2",
    "any-k": "nano-rim-v2-any-k",
    "curriculum-only": "nano-curriculum-only",
    "direct-equal-flop": "nano-direct-equal-flop",
    "no-stage-1": "nano-rim-v2-no-stage-1",
}
WITH_MEMORY = ("rim-v2", "any-k", "no-stage-1")
SHARES_STAGE_1 = {"any-k": "rim-v2"}
SEEDS = (0, 1, 2)
OPEN, CHOICE, SUITE = "open-ended", "multiple-choice", "demo-in-dist"


class Setting(Protocol):
    """What systems are trained from and on, and asked."""

    @property
    def folder(self) -> Path:
        """Where all that belongs to it is kept."""

    @property
    def suite(self) -> str | None:
        """The suite that is asked beside the items, if any."""

    def base(self, scale: Scale) -> Path:
        """What every system is tuned from."""

    def tuning_rows(self, seed: int, n: int) -> Iterable[Row]:
        """What every system of a seed learns from."""

    def items(self) -> Sequence[Titration]:
        """The questions without options that are asked."""


class Shipped:
    """The shipped base, its data, demo-in-dist, and the fresh chains of `open_ended.py`."""

    folder = WORK / "controls"
    suite = SUITE

    def base(self, scale: Scale) -> Path:
        """The same at every scale."""
        return PACKED / "base"

    def tuning_rows(self, seed: int, n: int) -> Iterable[Row]:
        """As the shipped family has them."""
        return tuning_rows(seed, n)

    def items(self) -> Sequence[Titration]:
        """Fresh ones for all seeds."""
        return fresh_items(SEEDS)


SHIPPED = Shipped()


@dataclass(frozen=True, slots=True)
class Trained:
    """One training: which system, with which seed, at which scale, on what."""

    system: str
    seed: int
    scale: Scale
    setting: Setting = SHIPPED

    @property
    def folder(self) -> Path:
        """Where it is trained and answered."""
        return self.setting.folder / str(self.scale) / f"{self.system}-{self.seed}"


AS_SHIPPED = Trained("rim-v2", 0, Scale(1.0, 32, TUNING_ROWS))


def main() -> None:
    """Train and ask what is missing, seed after seed, then keep and print what is there."""
    parser = arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=list(RECIPES), help="these systems")
    parser.add_argument("--seeds", nargs="+", type=int, choices=SEEDS, default=SEEDS, help="these seeds")
    options = parser.parse_args()
    scale = Scale(options.steps, options.batch, options.examples)
    every = [Trained(system, seed, scale) for seed in SEEDS for system in RECIPES]
    for each in every if not options.summary else ():
        if each.system in options.only and each.seed in options.seeds:
            answer(each)
    found = there(every)
    document = summarise(found) | asdict(scale)
    document["missing"] = [f"{each.system}, seed {each.seed}" for each in every if each not in found]
    (DOCS / f"controls-{scale}.json").write_text(json.dumps(document, indent=2) + "\n")
    for entry in (*document["accuracies"], *document["differences"], *document["over_seeds"]):
        print(shown(entry, f"{entry['kind']:15} {of_seed(entry)}"))
    print(f"missing: {'; '.join(document['missing']) or 'nothing'}")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What a command that trains at a scale is told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--steps", type=float, default=1.0, help="share of the recipes' steps")
    parser.add_argument("--batch", type=int, default=32, help="rows a step")
    parser.add_argument("--examples", type=int, default=TUNING_ROWS, help="the first so many of a seed's")
    parser.add_argument("--summary", action="store_true", help="only what is there already")
    return parser


def there(every: Iterable[Trained]) -> dict[Trained, dict[str, Any]]:
    """What is kept of those that were trained and asked."""
    return {each: json.loads(kept(each).read_text()) for each in every if kept(each).exists()}


def answer(trained: Trained) -> None:
    """Train one and ask it what its setting asks: by kind and budget whether each item was answered right."""
    if kept(trained).exists():
        return
    trained.setting.base(trained.scale)  # no part of this training's time
    began = time.monotonic()
    checkpoint = PACKED / "rim-v2" if trained == AS_SHIPPED else tune(trained)
    right: dict[str, Any] = {"steps": steps(trained.folder), "seconds": round(time.monotonic() - began)}
    blocks = BLOCKS if trained.system in WITH_MEMORY else 0
    right[OPEN] = read_out(checkpoint, trained.setting.items(), blocks)
    if trained.setting.suite is not None:
        right[CHOICE] = chosen(trained, checkpoint, trained.setting.suite, blocks)
    kept(trained).write_text(json.dumps(right) + "\n")


def chosen(trained: Trained, checkpoint: Path, suite: str, blocks: int) -> list[Outcomes]:
    """Whether each item of a suite is answered right, at every budget."""
    results = trained.folder / "results"
    if blocks:
        sweep("nano-rim-v2", suite, model=str(checkpoint), batch_size=64, results=results)
    else:
        run("nano-direct", suite, model=checkpoint, batch_size=64, results=results)
    return [in_order(run_in(results, "rim" if blocks else "direct", budget)) for budget in range(blocks + 1)]


def tune(trained: Trained) -> Path:
    """Train one, or go on with it."""
    rows, setting = trained.scale.examples, trained.setting
    data = write_rows(tuning_file(trained), setting.tuning_rows(trained.seed, rows))
    shared = SHARES_STAGE_1.get(trained.system)
    if shared is not None and not trained.folder.exists():
        copy_first_stage(tune(replace(trained, system=shared)).parent, trained.folder)
    base = setting.base(trained.scale)
    return train_here(RECIPES[trained.system], trained.scale, base, data, trained.folder, trained.seed)


def tuning_file(trained: Trained) -> Path:
    """Where the examples of a seed are kept, the same for every system."""
    return trained.setting.folder / f"tuning-{trained.scale.examples}-{trained.seed}.jsonl"


def copy_first_stage(source: Path, target: Path) -> None:
    """Let a training begin with what another one's first stage ended with."""
    fresh = target.with_suffix(".part")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source / "stage-1" / "weights", fresh / "stage-1" / "weights")
    lines = (source / "loss.jsonl").read_text().splitlines(keepends=True)
    (fresh / "loss.jsonl").write_text("".join(line for line in lines if json.loads(line)["stage"] == 1))
    fresh.replace(target)


def kept(trained: Trained) -> Path:
    """Where a training's answers are kept."""
    return trained.folder / "right.json"


def summarise(found: dict[Trained, dict[str, Any]]) -> dict[str, Any]:
    """Every accuracy, and RiM at K = 8 against each control: by seed, and over the seeds that both have."""
    accuracies: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    over_seeds: list[dict[str, Any]] = []
    for kind in (OPEN, CHOICE):
        outcomes = {
            (name, trained.seed): right
            for trained, by_kind in found.items()
            if kind in by_kind
            for name, right in named(trained.system, by_kind[kind])
        }
        names = dict.fromkeys(name for name, _ in outcomes)
        for (name, seed), right in outcomes.items():
            accuracies.append({"system": name, "kind": kind, "seed": seed} | estimated(accuracy(right)))
        for rim, control in pairs(list(names)):
            seeds = [seed for seed in SEEDS if (rim, seed) in outcomes and (control, seed) in outcomes]
            entry = {"pair": f"{rim} - {control}", "kind": kind}
            differences += [
                entry | {"seed": seed} | compared(outcomes[rim, seed], outcomes[control, seed]) for seed in seeds
            ]
            over = mean_over_seeds(
                [np.subtract(outcomes[rim, seed], outcomes[control, seed], dtype=float) for seed in seeds]
            )
            if over is not None:
                over_seeds.append(entry | {"seeds": len(seeds), "method": over.method} | estimated(over))
    return {
        "accuracies": accuracies,
        "differences": differences,
        "over_seeds": over_seeds,
        "steps_taken": {f"{each.system}, seed {each.seed}": right["steps"] for each, right in found.items()},
        "seconds": {f"{each.system}, seed {each.seed}": right.get("seconds") for each, right in found.items()},
    }


def of_seed(entry: dict[str, Any]) -> str:
    """Which seed a line is of, or how many."""
    return f"seed {entry['seed']} " if "seed" in entry else f"seeds: {entry['seeds']}"


def named(system: str, budgets: Sequence[Outcomes]) -> list[tuple[str, Outcomes]]:
    """A system's outcomes by name: with memory, at every budget."""
    if len(budgets) == 1:
        return [(system, budgets[0])]
    return [(f"{system}, K = {blocks}", right) for blocks, right in enumerate(budgets)]


def pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each RiM at its last budget against its own K = 0 and against every control."""
    last = f"K = {BLOCKS}"
    rims = [f"{name}, {last}" for name in ("rim-v2", "any-k")]
    controls = ["any-k, K = 0", "curriculum-only", "direct-equal-flop", f"no-stage-1, {last}"]
    wanted = [
        ("rim-v2", "rim-v2, K = 0"),
        *((rim.partition(",")[0], control) for rim in rims for control in controls),
    ]
    named_pairs = [(f"{rim}, {last}", control) for rim, control in wanted]
    return [pair for pair in named_pairs if set(pair) <= set(names)]


if __name__ == "__main__":
    main()
