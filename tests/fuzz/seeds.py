"""Small valid files of every kind that rimbench reads, made here or lying among the tests: where fuzzing starts."""

import csv
import importlib.util
import io
import json
import sys
import tempfile
from pathlib import Path

from rimbench.claims import catalogue as claims
from rimbench.importing import formats, reading
from rimbench.latency.measured import Measured, Measurement, Passes, Setting, Told
from rimbench.latency.stored import keep_measurement
from rimbench.plugins import find_files, load_module
from rimbench.records import Item, Record
from rimbench.store import Manifest, ModelSource, RunStore, SuiteSource, identity_of
from rimbench.suites import catalogue as suites
from rimbench.systems import available as systems
from rimbench.training import recipe

TESTS = Path(__file__).parents[1]
LOGS = TESTS / "importing" / "logs"

QUIZ = [json.loads(line)["doc"] for line in (LOGS / "samples_quiz_letters_2026-11-22.jsonl").read_text().splitlines()]
"""The questions that the logs were made from: id, question, opa to opd, and cop, the number of the right one."""

SUITE_TOML = b"""
description = "made for tests"
n = 50
seed = 1
[source]
path = "rows.jsonl"
[[layout]]
name = "one column"
id = "id"
cluster = "group"
question = "question"
options = "options"
gold = { letter = "answer_idx" }
answer_text = "answer"
filter = { kept = true }
[[layout]]
name = "several columns"
question = "question"
options = ["opa", "opb", "opc", "opd"]
gold = { index = "cop", base = "auto" }
[[layout]]
name = "text"
question = "question"
options = "choices"
gold = { text = "answer" }
[[layout]]
name = "chat"
messages = "messages"
"""


def options(doc: dict) -> dict[str, str]:
    return {letter: doc[f"op{letter.lower()}"] for letter in "ABCD"}


def rows() -> dict[str, list[dict]]:
    """The quiz in each layout of the suite above."""
    one, several, text, chat = [], [], [], []
    for doc in QUIZ:
        gold = "ABCD"[doc["cop"]]
        common = {"id": doc["id"], "question": doc["question"]}
        answer = {"answer_idx": gold, "answer": options(doc)[gold], "kept": True, "group": "g"}
        one.append(common | {"options": options(doc)} | answer)
        several.append({key: value for key, value in doc.items() if key != "subject_name"})
        text.append(common | {"choices": list(options(doc).values()), "answer": options(doc)[gold]})
        asked = "\n".join([doc["question"], *(f"{letter}. {option}" for letter, option in options(doc).items())])
        reply = {"role": "assistant", "content": f"It is \\boxed{{{gold}}}.", "reasoning_content": "One.\n\nTwo."}
        chat.append({"messages": [{"role": "user", "content": asked}, reply]})
    return {"one": one, "several": several, "text": text, "chat": chat}


def as_lines(values: list[dict]) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def as_table(values: list[dict], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(values[0]), delimiter=delimiter)
    writer.writeheader()
    for value in values:
        writer.writerow({k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in value.items()})
    return out.getvalue().encode()


def as_parquet(values: list[dict]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(values), out)
    return out.getvalue()


def row_files() -> dict[str, list[bytes]]:
    """Files of questions by suffix."""
    made = list(rows().values())
    return {
        ".jsonl": [as_lines(each) for each in made],
        ".json": [json.dumps(each).encode() for each in made],
        ".csv": [as_table(each) for each in made],
        ".parquet": [as_parquet(each) for each in made],
    }


def toml_files() -> dict[str, list[bytes]]:
    """What rimbench ships of each kind of TOML, and what the tests write."""
    sys.path.insert(0, str(TESTS / "claims"))
    import claims_files as parts

    written = parts.HEAD + parts.QWEN3 + parts.accuracy("a", "60 %") + parts.accuracy("b", "55 %")
    written += parts.latency("fast", "40 ms", extra=parts.ON_H100) + parts.comparison("better")
    written += parts.claim("times", 'figures = ["fast"]', "t")
    kinds = {
        "suite": find_files(suites.folder()),
        "system": systems(),
        "claims": find_files(claims.claims_folder()),
        "recipe": find_files(recipe.RECIPES),
    }
    found = {kind: [path.read_bytes() for path in files.values()] for kind, files in kinds.items()}
    found["suite"].append(SUITE_TOML)
    found["claims"].append(written.encode())
    return found


def write_results(results: Path) -> None:
    """Two systems on the quiz with draws, one of them read out, and a measurement of both."""
    items = [Item(d["id"], d["question"], options(d), "ABCD"[d["cop"]], cluster=d["id"][:1]) for d in QUIZ]
    logprobs = {"A": -0.5, "B": -1.5, "C": -2.5, "D": -3.5}
    for name, wrong in (("one", 2), ("two", 3)):
        identity = {
            "weights_sha256": "0" * 64,
            "suite": {"content_sha256": "1" * 64},
            "system": {"name": name, "memory": {"blocks": 2}, "answer": {"mode": "readout", "temperature": 0.7}},
            "seed": 0,
            "engine": {"name": "transformers", "device": "cpu", "dtype": "float32", "batch_size": 8},
        }
        source = SuiteSource("file", "rows.jsonl", seed=1)
        made = Manifest(
            1, name, name, "quiz", len(items), 2, identity_of(identity), source, ModelSource("m"), {"torch": "2"},
            {"kind": "cpu"}, None, None, "2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00", 1,
        )  # fmt: skip
        with RunStore(results / name) as store:
            store.write_manifest(made, items)
            for i, item in enumerate(items):
                answer, status = (None, "no_answer") if i == wrong else ("ABCD"[i % wrong], "ok")
                store.append(
                    [
                        Record(item.item_id, k, item.gold, answer, status, "text", None if k else logprobs, 5, 1, "p")
                        for k in range(3)
                    ]
                )
    keep_measurement(_measurement(), results)


def _measurement() -> Measurement:
    rows = [
        Measured(
            name, "answer", "transformers", "cpu", "float32", 1, tuple(ms + 0.1 * (i % 3) for i in range(12)), ms,
            (ms,), 40, 12.0, 0, 0.5, Told({"q-1": "A", "q-2": None}, 1, 0), Passes(2, 1.0, 1.0, 0.5, 0.5, 1.0),
            Setting("eager", 1.0, 1.0, 1000),
        )
        for name, ms in (("one", 10.0), ("two", 100.0))
    ]  # fmt: skip
    return Measurement(
        "quiz", "2026-01-01T00:00:00+00:00", "abc", False, {"kind": "cpu"}, {"torch": "2"}, tuple(rows)
    )


def foreign_files() -> dict[str, dict[str, list[bytes]]]:
    """Answers of other harnesses, by format and suffix; a format that takes none of them starts from all."""
    with tempfile.TemporaryDirectory() as folder:
        # Parquet is left out: its bytes are pyarrow's to read, and a row of it is read like one of JSON lines.
        logs = sorted(path for path in LOGS.rglob("*") if path.is_file() and path.suffix != ".parquet")
        files = [*logs, *_made_answers(Path(folder))]
        glimpses = {file: reading.glimpse(file) for file in files}
        found: dict[str, dict[str, list[bytes]]] = {}
        for name in reading.format_names():
            module = load_module(formats, name.replace("-", "_"), "format")
            own = [file for file in files if module.recognises(glimpses[file])]
            for file in own or files:
                found.setdefault(name, {}).setdefault(file.suffix, []).append(file.read_bytes())
        for file in files:
            found.setdefault(reading.AUTO, {}).setdefault(file.suffix, []).append(file.read_bytes())
    return found


def _made_answers(folder: Path) -> list[Path]:
    plain = [
        {"item_id": d["id"], "predicted": "ABCD"[i % 4], "gold": "ABCD"[d["cop"]], "prompt_tokens": 9, "sample": 0}
        for i, d in enumerate(QUIZ)
    ]
    asked = [
        {"question": d["question"], "options": list(options(d).values()), "response": "Answer: B", "label": d["opa"]}
        for d in QUIZ
    ]
    scores = {"acc,none": 0.5, "acc_stderr,none": 0.2, "alias": "quiz"}
    results = {
        "results": {"quiz": scores},
        "configs": {"quiz": {"task": "quiz"}},
        "n-samples": {"quiz": {"original": 6}},
    }
    files = {
        "plain.jsonl": as_lines(plain),
        "asked.jsonl": as_lines(asked),
        "plain.json": json.dumps(plain).encode(),
        "asked.json": json.dumps(asked).encode(),
        "plain.csv": as_table(plain),
        "asked.csv": as_table(asked),
        "plain.tsv": as_table(plain, "\t"),
        "results_2026-11-22.json": json.dumps(
            results | {"config": {"model": "hf"}, "versions": {"quiz": 1}}
        ).encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    made = [folder / name for name in files]
    if importlib.util.find_spec("inspect_ai") is not None:
        from inspect_ai.log import read_eval_log, write_eval_log

        log = read_eval_log(str(LOGS / "quiz.eval"))
        log.samples = [sample.model_copy(update={"events": [], "attachments": {}}) for sample in log.samples or []]
        write_eval_log(log, str(folder / "quiz.json"))
        made.append(folder / "quiz.json")
    return made


def answers(texts: list[str]) -> list[bytes]:
    """A text and the options that it is read against."""
    return [
        json.dumps({"text": text, "options": options(QUIZ[i % len(QUIZ)])}).encode() for i, text in enumerate(texts)
    ]
