"""Files of any content where one of ours is expected: one line says what is wrong, never a traceback.

Valid files of every kind are changed by seeded draws, in their values and in their bytes, and read as the commands
do.
"""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rimbench import suites, systems
from rimbench.claims import catalogue
from rimbench.claims.audit import audit_claims
from rimbench.claims.document import audit_document
from rimbench.claims.runs import measure_own
from rimbench.claims.schema import read_claims
from rimbench.claims.tables import audit_tables
from rimbench.display.plaintext import as_json
from rimbench.errors import ConfigError, RimbenchError
from rimbench.training.recipe import RECIPES, load_recipe

SYSTEMS = Path(systems.__file__).parent
SUITES = suites.catalogue.folder()
DEEP = "[" * 3000 + "]" * 3000
WRONG = [
    *("1", "-1", "0", "1e400", "-0.0", "nan", "inf", "true", "1e-320", "9" * 30, "1" + "0" * 400, "1979-05-27"),
    *('""', '"x"', '"\\u0000"', '"../../etc/passwd"', '"0 %"', '"0 s"', '"100 %"', '"1e9 s"', '"~1 s"'),
    *('"' + "9" * 5000 + ' %"', '"' + "k" * 100_000 + '"', "[]", "[[1]]", '["a", 1]', "{}", "{a = {b = 1}}"),
]


def judge_claims(path):
    spec = read_claims(path)
    audited = audit_claims(spec, measure_own(spec, path, path.parent).measured)
    as_json(audit_document(audited))
    audit_tables(audited)


def load_suite(path):
    suites.load(str(path), limit=3)


READERS = {
    "system": (systems.load, [SYSTEMS / "rim-v1.toml", SYSTEMS / "nano-base.toml"]),
    "suite": (load_suite, [SUITES / "demo-in-dist.toml", SUITES / "demo-long.toml"]),
    "recipe": (load_recipe, [RECIPES / "nano-rim-v2.toml", RECIPES / "cot.toml"]),
    "claims": (judge_claims, [catalogue.find_claims("rim-card"), catalogue.find_claims("rim-paper")]),
}


def only_says(kind, path):
    """The reader accepts the file or refuses it in one line."""
    try:
        READERS[kind][0](path if kind == "claims" else str(path))
    except RimbenchError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 20_000
        assert "Input" not in str(error) and "pydantic" not in str(error)


def with_a_wrong_value(text, chance):
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    for _ in range(chance.randint(1, 3)):
        place = chance.choice(places)
        key = lines[place].partition(" = ")[0]
        lines[place] = chance.choice([f"{key} = {chance.choice(WRONG)}", "", f"{key}x = 1", f"{key} = {DEEP}"])
    return "\n".join(lines).encode()


def with_wrong_bytes(text, chance):
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randint(1, 40)]
            case 2:
                data[place:place] = data[place : place + 40]
            case _:
                data[place:place] = chance.choice([b"\0", b"\xff", b"\r", b"[[", b'"""', b"=", b"\xe2\x80\xae"])
    return bytes(data)


@pytest.mark.parametrize("kind", READERS)
@settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32),
    which=st.integers(0, 1),
    change=st.sampled_from([with_a_wrong_value, with_wrong_bytes]),
)
def test_a_changed_file_is_read_or_refused_in_one_line(tmp_path, kind, seed, which, change):
    path = tmp_path / "file.toml"
    path.write_bytes(change(READERS[kind][1][which].read_text(), random.Random(seed)))
    only_says(kind, path)


SENSELESS = {
    "empty": b"",
    "nul": b"\0",
    "utf-16": b"\xff\xfe",
    "deep arrays": b"a = " + DEEP.encode(),
    "deep keys": b"a" + b".a" * 5000 + b" = 1",
    "deep tables": b"a = " + b"{a = " * 900 + b"1" + b"}" * 900,
    "long number": b"a = " + b"9" * 5000,
    "many tables": b"[[figure]]\n" * 5000,
    "many keys": b"".join(b"k%d = 1\n" % i for i in range(20_000)),
}


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("content", SENSELESS.values(), ids=SENSELESS)
def test_a_file_of_nothing_sensible_is_refused_in_one_short_line(tmp_path, kind, content):
    path = tmp_path / "file.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        READERS[kind][0](path if kind == "claims" else str(path))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 20_000


def test_a_fault_that_quotes_lines_of_the_file_is_one_line(tmp_path):
    path = tmp_path / "file.toml"
    path.write_text('title = "t"\nsource = "s"\n"a\\nb\\u202e" = 1\n[[figure]]\nkind = "accuracy"\nid = "x\\ny"\n')
    with pytest.raises(ConfigError, match=r"a b\\u202e: unknown key") as caught:
        read_claims(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("what", ["folder", "pipe", "nul", "below a file", "missing", "unreadable name"])
def test_what_is_no_file_is_refused_in_one_line(tmp_path, kind, what):
    path = tmp_path / "file.toml"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "nul":
        path = tmp_path / "a\0b.toml"
    elif what == "below a file":
        (tmp_path / "plain").write_text("x")
        path = tmp_path / "plain" / "file.toml"
    elif what == "unreadable name":
        path = tmp_path / ("x" * 300 + ".toml")
    with pytest.raises(ConfigError) as caught:
        READERS[kind][0](path if kind == "claims" else str(path))
    assert "\n" not in str(caught.value)


def with_a_wrong_json_value(value, chance):
    """The same value with something else in a random place."""
    if chance.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return chance.choice(
            [None, 1, -1, 1e308, True, "", "x", "a\0b", [], {}, [[]], {"a": {"b": 1}}, 10**30, "9" * 9999]
        )
    key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
    changed = dict(value) if isinstance(value, dict) else list(value)
    if isinstance(changed, dict) and chance.random() < 0.15:
        del changed[key]
    else:
        changed[key] = with_a_wrong_json_value(changed[key], chance)
    return changed


ITEM = {"item_id": "0", "question": "q", "options": {"A": "x", "B": "y"}, "gold": "A", "cluster": None}
RECORD = {
    **{"item_id": "0", "sample": 0, "gold": "A", "answer": "A", "status": "ok", "text": "", "option_logprobs": None},
    **{"prompt_tokens": 1, "generated_tokens": 1, "prompt_sha256": "p"},
}
IDENTITY = {
    "weights_sha256": "w",
    "suite": {"content_sha256": "c", "wording": {"question": "", "option": ""}},
    "system": {"prompt": {"instruction": ""}, "memory": {"blocks": 8}, "answer": {"mode": "readout"}},
    "controls": {"permute_options": None, "blind": False},
    "engine": {"name": "fake", "device": "none", "dtype": "none"},
}
MANIFEST = {
    **{"schema_version": 1, "run": "run", "system": "rim-v1", "suite": "medqa", "n": 1, "samples": 0, "sessions": 1},
    "identity": IDENTITY,
    "suite_source": {"kind": "hub", "name": "a/b", "file": "f", "split": "test", "revision": "r", "seed": 1},
    "model_source": {"source": "x", "revision": None},
    **{"versions": {}, "device": {}, "commit": None, "dirty": None, "started_at": "2026", "ended_at": None},
    **{"system_file": "shipped", "suite_file": "shipped"},
}


@settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_an_audit_beside_a_changed_manifest_says_what_is_wrong_in_one_line(tmp_path, seed):
    folder = tmp_path / "results" / "run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "items.jsonl").write_text(json.dumps(ITEM) + "\n")
    (folder / "records.jsonl").write_text(json.dumps(RECORD) + "\n")
    (folder / "manifest.json").write_text(json.dumps(with_a_wrong_json_value(MANIFEST, random.Random(seed))))
    path = catalogue.find_claims("rim-card")
    spec = read_claims(path)
    try:
        audited = audit_claims(spec, measure_own(spec, path, tmp_path / "results").measured)
    except RimbenchError as error:
        assert "\n" not in str(error)
    else:
        as_json(audit_document(audited))
