"""Text of strangers that a terminal would obey, in every place that has text: no command passes it on raw."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import unicodedata

import pytest

from rimbench.display.plaintext import HIDDEN, as_json, plain, shown

EVIL = "e\x1b]0;own\x07\x1b[45m\x9b5m\u202e\u200b\u2066\U000e0041\x7fz"
"""Renames the window, colours the background twice, turns the direction, hides a letter."""
RAW = re.compile("\x1b\\]|\x1b\\[45m|[\x00-\x06\x07\x0b\x0c\x0e-\x1a\x7f-\x9f\u200b\u202e\u2066\U000e0041]")

DRIVER = """
import json, os, sys
from rimbench.cli.app import main
os._exit = sys.exit
for arguments in json.load(open("commands.json")):
    sys.stdout.write("@@ " + json.dumps(arguments) + "\\n")
    sys.stdout.flush()
    sys.argv = ["rimbench", *arguments]
    try:
        main()
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout.write(f"@@ ended {ended.code}\\n")
"""


def through_pipe(folder, environment):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
    return done.stdout.decode()


def through_terminal(folder, environment):
    reader, writer = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER], cwd=folder, env=environment, stdin=writer, stdout=writer, stderr=writer
    )
    os.close(writer)
    printed = b""
    while True:
        select.select([reader], [], [])
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # Linux ends a terminal that nobody writes to like this
            break
        if not chunk:
            break
        printed += chunk
    os.close(reader)
    process.wait()
    return printed.decode()


def toml(text):
    """A string of TOML, which knows no surrogates."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


def write_workspace(folder):
    """Systems, suites, rows, claims and answers whose every text is hostile; the commands that show them."""
    name = EVIL.replace("/", "")
    options = {letter: f"{letter} {EVIL} {i}" for i, letter in enumerate("ABCD")}
    rows = [{"id": f"{EVIL}{i}", "question": f"{EVIL}?\n{i}", "options": options, "answer": "A"} for i in range(30)]
    rows += [{"id": f"{EVIL}bad", "question": "q", "options": options, "answer": EVIL}]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    quoted = toml(f"{name}.jsonl")
    suite = (
        f'description = {toml(EVIL)}\nn = 30\nseed = 1\n[source]\npath = {quoted}\n'
        f'[[layout]]\nname = {toml(EVIL)}\nid = "id"\nquestion = "question"\noptions = "options"\n'
        'gold = { letter = "answer" }\n'
    )  # fmt: skip
    suite_file, system_file = f"{name}suite.toml", f"{name}system.toml"
    (folder / suite_file).write_text(suite)
    system = '[weights]\npackage = "rimbench"\nfile = "nano/base"\n[answer]\nmode = "generate"\nmax_new_tokens = 4\n'
    description = f"description = {toml(EVIL)}\n"
    (folder / system_file).write_text(description + system)
    (folder / "keys.toml").write_text(f"{toml(EVIL)} = 1\n" + description + system)
    (folder / "broken.toml").write_bytes(EVIL.encode())
    claims = (
        f'title = {toml(EVIL)}\nsource = {toml(EVIL)}\n[[figure]]\nkind = "accuracy"\n'
        f'id = {toml(EVIL)}\nsystem = {toml(name + "system")}\nsuite = {toml(name + "suite")}\n'
        f'value = "50 %"\nn = 100\nsource = {toml(EVIL)}\n[[claim]]\nkind = "restated"\nid = "c"\n'
        f'text = {toml(EVIL)}\nfigure = {toml(EVIL)}\nvalue = "50 %"\nsource = "s"\n'
    )  # fmt: skip
    (folder / "claims.toml").write_text(claims)
    answers = [{"item_id": f"{EVIL}{i}", "predicted": "A" if i % 2 else EVIL, "gold": "A"} for i in range(30)]
    answers += [{"item_id": f"{EVIL}unknown", "predicted": "A", "gold": "A"}]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    wrong = [{"item_id": f"{EVIL}{i}", "predicted": "A", "gold": EVIL, EVIL: 1} for i in range(3)]
    (folder / "wrong.jsonl").write_text("".join(json.dumps(row) + "\n" for row in wrong))
    results = ["--results", f"{name}results"]
    return [
        ["run", "--engine", "fake", "--system", system_file, "--suite", suite_file, "--samples", "2", *results],
        ["run", "--engine", "fake", "--system", system_file, "--suite", suite_file, *results],
        ["run", "--system", EVIL, "--suite", EVIL],
        ["run", "--system", "keys.toml", "--suite", suite_file],
        ["run", "--system", "broken.toml", "--suite", suite_file],
        ["run", "--system", f"{EVIL}.toml", "--suite", suite_file],
        ["run", "--engine", EVIL, "--system", "nano-base", "--suite", "demo-in-dist"],
        ["run", f"--{EVIL}", EVIL],
        ["import", "answers.jsonl", "--system", "elsewhere", "--suite", suite_file, *results],
        ["import", "answers.jsonl", "--system", "elsewhere", "--suite", suite_file, "--json", *results],
        ["import", "answers.jsonl", "--system", EVIL, "--suite", suite_file, *results],
        ["import", "wrong.jsonl", "--system", "wrong", "--suite", suite_file, *results],
        ["report", *results],
        *([["report", f"--{form}", *results] for form in ("markdown", "json", "csv", "latex", "model-index")]),
        ["report", "--html", f"{name}.html", *results],
        ["compare", f"{name}system", "elsewhere", *results],
        ["compare", f"{name}system", EVIL, *results],
        ["rescore", *results],
        ["rescore", EVIL, *results],
        ["export", f"{name}.parquet", *results],
        ["suites", "show", suite_file],
        ["suites", "show", suite_file, "--json"],
        ["suites", "show", "medqa", "--data", f"{name}.jsonl"],
        ["show-prompt", "--system", system_file, "--suite", suite_file],
        ["show-prompt", "--system", system_file, "--suite", suite_file, "--json"],
        ["show-prompt", "--system", system_file, "--suite", suite_file, "--item", f"{EVIL}no"],
        ["audit", "claims.toml", *results],
        ["audit", "claims.toml", "--json", *results],
        ["audit", EVIL],
        ["plan", EVIL],
        ["report", "--results", EVIL],
        ["ask", EVIL, "--option", EVIL, "--option", "b", "--system", "nano-rim-v2"],
        ["train", EVIL],
    ]


@pytest.mark.parametrize("through", [through_pipe, through_terminal])
def test_no_command_passes_on_what_a_terminal_would_obey(tmp_path, through):
    commands = write_workspace(tmp_path)
    (tmp_path / "commands.json").write_text(json.dumps(commands))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "COLUMNS": "200", "LINES": "50", "TERM": "xterm-256color"}
    printed = through(tmp_path, environment)
    parts = printed.split("@@ [")[1:]
    assert len(parts) == len(commands)
    for command, part in zip(commands, parts, strict=True):
        found = RAW.search(part.partition("\n")[2])
        assert found is None, (command, found, part)
        assert "Traceback" not in part, (command, part)
    worked = [part for part in parts if "@@ ended 0" in part]
    assert len(worked) >= 20, [part[:200] + part[-400:] for part in parts if "@@ ended 0" not in part]
    assert printed.count(r"\x1b]0;own") > len(commands)


def test_what_is_hidden_is_every_control_format_and_separator_character_but_for_letters_joiners_and_seen_signs():
    hidden = {
        c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    seen = {
        c for c in hidden if re.search("ARABIC .*(SIGN|MARK|SANAH|SAFHA|AYAH)|SYRIAC|KAITHI", unicodedata.name(c, ""))
    }
    joiners = {"\u200c", "\u200d"}
    letter_mark = {"\u061c"}
    assert {c for c in hidden if HIDDEN.match(c)} == hidden - (seen - letter_mark) - joiners
    for text in ("नमस्ते क्\u200dष", "می\u200cخواهم", "👩\u200d👩\u200d👧", "a\u00a0b\u3000c", "é ½ 😀 剂量"):
        assert shown(text) == plain(text) == text


def test_running_text_keeps_its_lines_and_tabs_and_one_line_does_not():
    assert shown("a\n\tb\r\x1b[1m\u202e\U000e0041") == "a\n\tb\\x0d\\x1b[1m\\u202e\\U000e0041"
    assert plain("a\n\tb\x1b") == "a  b\\x1b"


@pytest.mark.parametrize("text", [EVIL, "\ud800", "\x00\x1f\x7f\x80\xa0\u2028", 'a\nb\t"\\'])
def test_json_holds_the_same_values_without_a_raw_character(text):
    document = as_json({text: [text]})
    assert json.loads(document) == {text: [text]}
    assert not HIDDEN.search(document.replace("\n", ""))
    document.encode()
