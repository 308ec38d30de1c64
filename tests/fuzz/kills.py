"""`nox -s kills`: real commands killed at random moments and started again, against uninterrupted runs of them.

Prints what was lost, doubled or changed, how many files were broken after a kill, and how many starts failed; exit
code 1 where any was. Everything is small: about ten minutes on two cores.
"""

import argparse
import hashlib
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from killing import LONGEST_S, Case, Damage, Entries, Timing, is_broken, log_of, records, run_killed, run_whole

sys.path.insert(0, str(Path(__file__).parents[1]))

import tiny

from rimbench.records import Item, Record
from rimbench.store import Manifest, ModelSource, RunStore, SuiteSource, identity_of

SYSTEMS = {
    "writer": '[answer]\nmode = "generate"\nmax_new_tokens = 24\ntemperature = 1.0\n',
    "direct": '[prompt]\nprefix = "The answer is {"\n[answer]\nmode = "readout"\n',
    "rim": '[prompt]\nprefix = "The answer is {"\n[memory]\nblocks = 4\n[answer]\nmode = "readout"\n',
}
RECIPE = """
description = "made for tests"
[base]
repo = "some/base"
revision = "abc"
[memory]
[data]
max_row_tokens = 200
[[stages]]
objective = "rim-stage1"
epochs = 2
learning_rate = 1e-3
batch_size = 8
rows_per_device = 4
log_steps = 1
save_steps = 1
[[stages]]
objective = "rim-stage2"
blocks = 2
epochs = 2
learning_rate = 1e-3
batch_size = 8
rows_per_device = 4
log_steps = 1
save_steps = 1
"""
PROCESSES = 2
ROWS = 96
IMPORTED = 10_000
REPORTED = 200


def main() -> int:
    """Kill what was asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--command", action="append", help="only this command; repeat")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual number of kills")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rimbench-kills-") as scratch:
        given = Path(scratch)
        write_given(given)
        cases = [case for case in every_case(given) if not options.command or case.name in options.command]
        with ThreadPoolExecutor(PROCESSES) as pool:
            made = list(pool.map(lambda case: kill_often(case, options.share, given, options.seed), cases))
    return print_table(made)


def every_case(given: Path) -> list[Case]:
    """The commands; each writes into a folder of its own, and all read what is given."""
    suite, results = str(given / "tiny.toml"), str(given / "reported")
    older, newer = given / "older", given / "newer"

    def command(name: str, *arguments: str) -> Callable[[Path], list[str]]:
        return lambda folder: [name, *(a.replace("{folder}", str(folder)) for a in arguments)]

    def system(name: str) -> tuple[str, str]:
        return "--system", str(given / f"{name}.toml")

    there = ("--results", "{folder}")
    run = command("run", *system("writer"), "--suite", suite, "--samples", "1", "--batch-size", "8", *there)
    sweep = command("sweep", *system("rim"), "--suite", suite, "--batch-size", "4", *there)
    latency = command(
        "latency", *system("direct"), *system("rim"), "--suite", suite, "--batch", "1", "--batch", "2", "--samples",
        "4", "--seconds", "0", *there,
    )  # fmt: skip
    train = command(
        "train", str(given / "recipe.toml"), "--base", str(given / "checkpoint"), "--data",
        str(given / "train.jsonl"), "--check-suite", suite, "--out", "{folder}/out",
    )  # fmt: skip
    import_ = command(
        "import", str(given / "answers.jsonl"), "--system", "them", "--suite", str(given / "large.toml"), *there
    )
    export = command("export", "{folder}/all.parquet", "--force", "--results", results)
    report = command("report", "--html", "{folder}/page.html", "--results", results)

    def older_file(name: str) -> Callable[[Path], object]:
        return lambda folder: shutil.copy(older / name, folder / name)

    def whole_or(name: str) -> Callable[[Path], tuple[Entries, int]]:
        return partial(replaced, name, {"older": older / name, "newer": newer / name})

    for name, arguments in (("all.parquet", export), ("page.html", report)):
        for folder, kept in ((older, "older-results"), (newer, "reported")):
            folder.mkdir(exist_ok=True)
            asked = [a.replace(results, str(given / kept)) for a in arguments(folder)]
            must_end_well(Case(name, 0, lambda _folder, asked=asked: asked, records), folder)
            if not (folder / name).exists():
                raise FileNotFoundError(folder / name)
    return [
        Case("run", 20, run, records, appends=True),
        Case("sweep", 10, sweep, records, appends=True),
        Case("latency", 8, latency, measurements, appends=True),
        Case("train", 7, train, trained),
        Case("import", 20, import_, records, appends=True),
        Case("export", 15, export, whole_or("all.parquet"), older_file("all.parquet"), replaces=True, early=4),
        Case("report --html", 20, report, whole_or("page.html"), older_file("page.html"), replaces=True, early=8),
    ]


def kill_often(case: Case, share: float, given: Path, seed: int) -> Damage:
    """Kill a command so many times: started again in the same folder until it is complete, then in a new one."""
    chance, damage = random.Random(f"{seed} {case.name}"), Damage(case.name)
    kills = max(1, round(case.kills * share))
    whole = new_folder(case, given)
    timing = must_end_well(case, whole)
    expected, _ = case.read(whole)
    folder = new_folder(case, given)
    for _ in range(4 * kills):
        before, _ = case.read(folder)
        code = run_killed(case, folder, timing, chance)
        damage.kills += code is None
        damage.ended(code or 0, log_of(folder))
        after, broken = case.read(folder)
        damage.broken += broken
        if case.appends:
            kept = dict(after)
            damage.lost += sum(key not in kept for key, _ in before)
            damage.changed += sum(key in kept and kept[key] != value for key, value in before)
        if damage.kills == kills:
            damage.ended(run_whole(case, folder)[0], log_of(folder))
        if code is not None or damage.kills == kills:
            compare(case, folder, expected, damage)
            folder = new_folder(case, given)
        elif case.replaces:
            case.prepare(folder)
        if damage.kills == kills:
            break
    say(f"{case.name}: {damage.kills} kills")
    return damage


def compare(case: Case, folder: Path, expected: Entries, damage: Damage) -> None:
    """Set what a command that came to its end has left beside what an uninterrupted run leaves."""
    kept, broken = case.read(folder)
    damage.broken += broken
    if case.name == "latency":  # times differ, and each measurement that was kept has a file of its own
        kept, expected = unlike_files(kept), unlike_files(expected)
    damage.compare(kept, expected)


def new_folder(case: Case, given: Path) -> Path:
    """An empty folder but for what was there before."""
    folder = Path(tempfile.mkdtemp(prefix=f"{case.name.split()[0]}-", dir=given))
    case.prepare(folder)
    return folder


def must_end_well(case: Case, folder: Path) -> Timing:
    """Run uninterrupted: without that there is nothing to compare with."""
    code, timing = run_whole(case, folder)
    if code != 0:
        sys.exit(f"{case.name} failed without a kill: {log_of(folder)}")
    if timing.whole_s > LONGEST_S:
        sys.exit(f"{case.name} takes {timing.whole_s:.0f} s: too long to be killed often")
    return timing


def measurements(folder: Path) -> tuple[Entries, int]:
    """Every measured row of every file."""
    entries: Entries = []
    broken = 0
    for path in folder.glob("latency-*/latency.json"):
        if is_broken(path):
            broken += 1
            continue
        for row in json.loads(path.read_text())["rows"]:
            key = (path.parent.name, row["system"], row["quantity"], row["batch"])
            entries.append((key, json.dumps(row["samples_ms"])))
    return entries, broken


def unlike_files(entries: Entries) -> Entries:
    """What was measured, once, whichever file has it."""
    return [(key, "") for key in dict.fromkeys(key[1:] for key, _ in entries)]  # type: ignore[index]


def trained(folder: Path) -> tuple[Entries, int]:
    """Every logged loss, and the files of the last checkpoint."""
    out, entries = folder / "out", list[tuple[object, str]]()
    losses = out / "loss.jsonl"
    lines = losses.read_bytes().splitlines(keepends=True) if losses.exists() else []
    for line in lines:
        if line.endswith(b"\n"):
            row = json.loads(line)
            entries.append(((row["stage"], row["step"], tuple(sorted(row))), line.decode()))
    for path in sorted((out / "checkpoint").rglob("*")):
        if path.is_file() and path.name != "README.md":
            entries.append((path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
    broken = (out / "training.json").exists() and is_broken_json(out / "training.json")
    return entries, int(broken)


def is_broken_json(path: Path) -> bool:
    """Of a file that ends without a newline."""
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return True
    return False


def replaced(name: str, wholes: dict[str, Path], folder: Path) -> tuple[Entries, int]:
    """Whether the file is the older one or the new one, byte for byte."""
    path = folder / name
    content = path.read_bytes() if path.exists() else None
    found = [which for which, whole in wholes.items() if whole.read_bytes() == content]
    return ([(name, found[0])], 0) if found else ([(name, "neither")], 1)


def write_given(given: Path) -> None:
    """A checkpoint, systems, suites, rows to train on, answers to import, and runs to report, before and after."""
    checkpoint = tiny.make_checkpoint(given / "checkpoint")
    for name, rest in SYSTEMS.items():
        (given / f"{name}.toml").write_text(
            f'description = "made for tests"\n[weights]\npath = "{checkpoint}"\n{rest}'
        )
    tiny.write_suite(given, IMPORTED)
    for old, new in (("tiny.toml", "large.toml"), ("tiny.jsonl", "large.jsonl")):
        (given / new).write_text((given / old).read_text().replace("tiny.jsonl", "large.jsonl"))
    tiny.write_suite(given, ROWS)
    (given / "recipe.toml").write_text(RECIPE)
    (given / "train.jsonl").write_text("".join(json.dumps(training_row(i)) + "\n" for i in range(40)))
    answers = ({"item_id": str(i), "predicted": "ABCD"[i % 3]} for i in range(IMPORTED))
    (given / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    chance = random.Random(0)
    for number in range(4):
        write_run(given / "reported", f"system-{number}", chance)
        if number < 2:
            shutil.copytree(given / "reported" / f"system-{number}", given / "older-results" / f"system-{number}")


def training_row(i: int) -> dict[str, object]:
    reply = {
        "role": "assistant",
        "content": f"\\boxed{{{i + 1}}}",
        "reasoning_content": f"Up to {i + 1}.\n\nSo {i + 1}.",
    }
    return {"messages": [{"role": "user", "content": f"Start at {i}, what is it now?"}, reply]}


def write_run(results: Path, system: str, chance: random.Random) -> None:
    """A run with long texts, so that writing the page takes a while."""
    items = [
        Item(str(i), f"Question {i}?", dict(zip("ABCD", "wxyz", strict=True)), "ABCD"[i % 4]) for i in range(REPORTED)
    ]
    identity = {
        "weights_sha256": "0" * 64,
        "suite": {"content_sha256": "1" * 64},
        "system": {"answer": {"mode": "generate", "temperature": 0.7}},
        "engine": {"name": "transformers", "device": "cpu", "dtype": "float32"},
    }
    start, made_of = "2026-01-01T00:00:00+00:00", identity_of(identity)
    sources = SuiteSource(), ModelSource("made up")
    manifest = Manifest(
        1, system, system, "suite", REPORTED, 2, made_of, *sources, {}, {}, None, None, start, start, 1
    )
    with RunStore(results / system) as store:
        store.write_manifest(manifest, items)
        for item in items:
            letters = chance.choices("ABCD", k=3)
            texts = ["".join(chance.choices("abcdefghij klmnop", k=1200)) for _ in letters]
            store.append(
                [
                    Record(item.item_id, k, item.gold, letter, "ok", text, None, 10, 300, "0" * 64)
                    for k, (letter, text) in enumerate(zip(letters, texts, strict=True))
                ]
            )


def print_table(made: list[Damage]) -> int:
    """One line a command, and the sum; the exit code."""
    total = Damage("all", *(sum(getattr(d, name) for d in made) for name in COLUMNS))
    print(f"{'command':<16}" + "".join(f"{name:>9}" for name in COLUMNS))
    for damage in [*made, total]:
        print(f"{damage.command:<16}" + "".join(f"{getattr(damage, name):>9}" for name in COLUMNS))
    for damage in made:
        for line in dict.fromkeys(damage.said):
            print(f"{damage.command} failed after a kill: {line}")
    return 1 if any(getattr(total, name) for name in COLUMNS[1:]) else 0


COLUMNS = ("kills", "lost", "doubled", "changed", "broken", "failed")


def say(line: str) -> None:
    """A line on progress."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
