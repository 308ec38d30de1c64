"""Every command that help, README and docs show: its options and the names it gives exist, and it runs as it stands.

What cannot run in a folder with the embedded models alone is recognised by `CANNOT_RUN`, with its reason.
"""

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

import rimbench
from rimbench.claims.catalogue import find_claims
from rimbench.cli.app import app
from rimbench.plugins import find_files
from rimbench.suites import catalogue
from rimbench.systems import registered
from rimbench.training.recipe import RECIPES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NANO = Path(rimbench.__file__).parent / "nano"
COMMANDS = typer.main.get_command(app)
ENDS = {">", "|", "&&"}
OF_THE_READER = {
    "my-model": "a model of the reader's", "gpt-4o-mini": "whose answers the reader has",
    "candidate": "a run of the reader's", "released": "a run of the reader's", "my-engine": "the reader's engine",
    "plain": "the engine that the page has just written", "sparrow.toml": "the file that the page has just written",
}  # fmt: skip
CANNOT_RUN = {
    r"--system (?!nano-)|(compare|cascade|train) (?!nano-)|show-prompt": "needs weights that are not shipped",
    r"--suite (medmcqa|medqa)|suites show medqa|--by subject_name": "needs rows that are not shipped",
    r"\b(ask|import|export-model|rescore cot-|check-checkpoint|check-engine)\b": "needs files of the reader's",
    r"suites show my-suite": "needs a suite of the reader's",
    r"\b(latency|demo)\b|ablate .*demo-in-dist(?! .*--limit)": "takes minutes; tests of its own run it smaller",
    r"--every-eval-ever": "needs the sources of its runs to be stated",
}


def examples():
    """Where each example stands, and its line."""
    found = []
    for place, command in commands("rimbench", COMMANDS):
        text = f"{command.help or ''}\n{command.epilog or ''}"
        lines = re.findall(r"(?:^\s+|Examples?: |\|\s+)(rimbench .*?)(?=\s+\||$)", text, re.MULTILINE)
        found += [(f"{place} --help", line) for line in lines]
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            found += [(page.name, line) for line in lines if re.search(r"(?<![\w/.-])rimbench\s", line)]
    return list(dict.fromkeys(found))


def commands(place, command):
    yield place, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(f"{place} {name}", below)


def words_of(line):
    """What follows `rimbench`, up to the end of its command, and the file that its output goes to."""
    words = shlex.split(line, comments=True)
    words = words[words.index("rimbench") + 1 :]
    end = next((i for i, word in enumerate(words) if word in ENDS), len(words))
    return words[:end], words[end + 1] if words[end : end + 1] == [">"] else None


def parsed(words):
    """The command that words name and its parameters; a usage error of its own for options that it has not."""
    command, name = COMMANDS, "rimbench"
    while words and words[0] in getattr(command, "commands", {}):
        name, *words = words
        command = command.commands[name]
    return command.make_context(name, list(words)).params


EXAMPLES = examples()


@pytest.mark.parametrize(("place", "line"), EXAMPLES)
def test_an_example_names_commands_options_systems_suites_and_recipes_that_exist(place, line):
    words, _ = words_of(line)
    found = parsed(words)
    every = {"system": registered(), "suite": find_files(catalogue.folder()), "recipe": find_files(RECIPES)}
    for kind, known in every.items():
        given = found.get(kind) or ()
        for name in [given] if isinstance(given, str) else given:
            beside = name.endswith(".toml") or name in OF_THE_READER or str(name) in words_of(line)[0][:1]
            assert beside or name == "all" or name in known, f"{place}: {name} is no {kind}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with some runs of the embedded models, and the reader's files that examples name."""
    path = tmp_path_factory.mktemp("examples")
    shutil.copytree(NANO / "direct", path / "checkpoints" / "mine")
    shutil.copy(find_claims("rim-card"), path / "my-card.toml")
    (path / "questions.csv").write_text("question,A,B,answer\nIs 7 prime?,yes,no,A\nIs 8 prime?,yes,no,B\n")
    systems = [f"--system={name}" for name in ("nano-rim-v2", "nano-cot", "nano-direct")]
    with contextlib.chdir(path):
        run(["run", *systems, "--suite", "demo-in-dist", "--limit", "8"])
        shutil.copytree("results", "results/demo")
    return path


def run(words):
    """What a command writes to stdout; its error where it fails."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(io.StringIO()):
        COMMANDS.main(list(words), "rimbench", standalone_mode=False)
    return written.getvalue()


RUN = [each for each in EXAMPLES if not any(re.search(pattern, each[1]) for pattern in CANNOT_RUN)]


@pytest.mark.parametrize(("place", "line"), RUN)
def test_an_example_runs_as_it_stands(folder, place, line):
    words, file = words_of(line)
    with contextlib.chdir(folder):
        for made in ("rimbench.toml", "questions.toml", "mine.toml"):  # of the same example elsewhere
            Path(made).unlink(missing_ok=True)
        written = run(words)
        assert written or file is None
        if file is not None:
            Path(file).write_text(written)


@pytest.mark.parametrize(("place", "command"), list(commands("rimbench", COMMANDS)))
def test_help_shows_every_option_once_and_many_of_them_in_groups(place, command):
    written = run([*place.split()[1:], "--help"])
    for param in command.params:
        if param.param_type_name == "option":
            assert len(re.findall(rf"^  (-\w, )?{re.escape(param.opts[0])}(?![\w-])", written, re.MULTILINE)) == 1, (
                param.name
            )
    groups = re.findall(r"^(What to ask|How to ask|Where and in which form|Options):$", written, re.MULTILINE)
    many = len(re.findall(r"^  (?:-\w, )?--", written, re.MULTILINE)) > 8
    assert (groups == ["Options"]) != many


def test_most_kinds_of_commands_are_among_those_that_run_and_no_reason_is_left_over():
    ran = {words_of(line)[0][0] for _, line in RUN}
    assert ran >= {"report", "cascade", "plan", "audit", "rescore", "export", "systems", "suites", "init", "recipes"}
    for pattern in CANNOT_RUN:
        assert any(re.search(pattern, line) for _, line in EXAMPLES), pattern
