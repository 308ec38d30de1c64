"""The house: which module may import which, and what may not be imported before it is used."""

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rimbench
from rimbench import suites

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rimbench"

# What each part may import of ours; `cli` may import everything, and nobody imports it.
MAY_IMPORT = {
    "errors": set(),
    "display": set(),
    "files": {"errors", "display"},
    "records": {"errors"},
    "plugins": {"errors"},
    "provenance": {"errors"},
    "checkpoints": {"errors"},
    "portability": {"errors", "checkpoints"},
    "statistics": {"errors"},
    "extraction": {"errors", "records", "plugins", "files"},
    "suites": {"errors", "records", "plugins", "files", "extraction"},
    "rim": {"errors", "files", "portability"},
    "chat": {"errors", "rim"},
    "systems": {"errors", "checkpoints", "plugins", "chat", "files", "rim"},
    "engines": {"errors", "checkpoints", "files", "records", "plugins", "rim"},
    "conformance": {"errors", "checkpoints", "engines", "records"},
    "store": {"errors", "display", "records", "files", "engines", "rim", "suites", "systems"},
    "running": {
        "errors",
        "checkpoints",
        "chat",
        "engines",
        "extraction",
        "plugins",
        "provenance",
        "records",
        "rim",
        "store",
        "suites",
        "systems",
    },
    "latency": {
        "errors",
        "checkpoints",
        "files",
        "records",
        "engines",
        "running",
        "statistics",
        "store",
        "systems",
    },
    "reporting": {
        "errors",
        "display",
        "files",
        "latency",
        "plugins",
        "records",
        "statistics",
        "store",
        "suites",
        "systems",
    },
    "claims": {
        "errors",
        "display",
        "files",
        "latency",
        "plugins",
        "records",
        "reporting",
        "statistics",
        "store",
        "suites",
        "systems",
    },
    "importing": {
        "errors",
        "display",
        "engines",
        "extraction",
        "files",
        "plugins",
        "provenance",
        "records",
        "store",
        "suites",
        "systems",
    },
    "api": {
        "errors",
        "claims",
        "display",
        "engines",
        "files",
        "plugins",
        "provenance",
        "records",
        "reporting",
        "running",
        "statistics",
        "store",
        "suites",
        "systems",
    },
    "publishing": {"errors", "checkpoints", "display", "files", "portability", "reporting", "store"},
    "training": {"errors", "display", "checkpoints", "chat", "files", "plugins", "records", "rim", "suites"},
}
LOOSE = {"__init__", "__main__", "checkpoints", "errors", "plugins", "portability", "provenance"}
"""The modules that lie beside the packages: what every one of them may need."""
WRITES_BY_ITSELF = {
    "files/writing.py": "the one place that writes",
    "store/writing.py": "appends to the records",
    "training/watch.py": "appends to a log",
    "rim/checkpoint.py": "writes into a hidden folder that takes its name when it is whole",
    "systems/weights.py": "writes into a hidden folder that takes its name when it is whole",
    "latency/machine.py": "writes to the kernel",
    "reporting/drawing.py": "draws into a file that is given to it",
}
WRITERS = {"write_text", "write_bytes", "savefig", "to_csv", "to_json", "to_parquet", "dump", "save_file", "tofile"}
HEAVY = ("torch", "transformers", "vllm", "datasets", "pandas", "scipy", "pydantic", "huggingface_hub")
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "misc", "tools"}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path):
    """The parts of rimbench that a module imports, at any depth of its code."""
    tree = ast.parse(path.read_text())
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("rimbench.")} - {"__version__"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_part_may(path):
    part = part_of(path)
    if part in ("cli", "__init__", "__main__"):
        return
    assert imported_parts(path) - {part} <= MAY_IMPORT[part]


def test_what_lies_beside_the_packages_is_little():
    assert {path.stem for path in PACKAGE.glob("*.py")} == LOOSE


def test_the_table_of_imports_has_no_cycle():
    order = []
    while len(order) < len(MAY_IMPORT):
        free = [part for part, uses in MAY_IMPORT.items() if part not in order and uses <= set(order)]
        assert free, f"a cycle among {set(MAY_IMPORT) - set(order)}"
        order += free


def public_names(path):
    """The classes, type aliases and functions that a module defines for others."""
    for node in ast.parse(path.read_text()).body:
        name = ""
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = target.id if isinstance(target, ast.Name) and target.id[:1].isupper() else ""
            name = "" if name.isupper() else name
        if name and not name.startswith("_"):
            yield name


def says_its_contract(path, name):
    """Whether a module has the name because every one of its kind has it: a format of imports, a command that is
    called like what it calls, a registry that lists what there is and loads one by its name.
    """
    folder = path.relative_to(PACKAGE).parts[0]
    contracts = {
        "importing": {"read", "recognises", "source"},
        "engines": {"available"},
        "suites": {"load"},
        "systems": {"available", "load"},
        "cli": {path.stem.rstrip("_")},
    }
    return name in contracts.get(folder, ())


def test_no_public_name_is_given_to_two_things():
    found = [
        name
        for path in modules()
        for name in set(public_names(path))
        if not says_its_contract(path, name)
    ]  # fmt: skip
    assert {name for name in found if found.count(name) > 1} == set()


def writers_in(path):
    """The calls of a module that write a file, at any depth of its code, but into what `replacing` gives."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        modes = [a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)]
        into_scratch = any(isinstance(a, ast.Name) and a.id == "scratch" for a in node.args)
        opens = name in ("open", "fdopen") and any(isinstance(m, str) and set(m) & set("wax+") for m in modes)
        if (name in WRITERS or opens) and not into_scratch:
            found.add(name)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_written_through_the_one_function_that_replaces_it_whole(path):
    if str(path.relative_to(PACKAGE)) not in WRITES_BY_ITSELF:
        assert writers_in(path) == set()


def test_no_module_has_a_name_that_says_nothing():
    assert not [
        path for path in modules() if set(path.relative_to(PACKAGE).with_suffix("").parts) & NAMES_THAT_SAY_NOTHING
    ]


def test_every_library_that_is_imported_is_declared_and_every_declared_one_is_used():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    optional = itertools.chain(*project["optional-dependencies"].values())
    names = [[re.split(r"[<>=\[]", line)[0].replace("-", "_") for line in lines]
             for lines in (project["dependencies"], optional)]  # fmt: skip
    imported = set()
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
    imported -= {*sys.stdlib_module_names, "rimbench", "pydantic_core"}  # pydantic pins its core
    assert imported - set(itertools.chain(*names)) == set()
    assert set(names[0]) - imported == set()


def test_there_is_one_version_number():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"] and "version" in project["project"]["dynamic"]
    assert ROOT / project["tool"]["hatch"]["version"]["path"] == PACKAGE / "__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", rimbench.__version__)


def test_what_results_are_read_with_has_the_versions_of_the_whole_and_no_library_that_runs_models():
    lines = set((ROOT / "constraints-report.txt").read_text().split())
    assert lines <= set((ROOT / "constraints.txt").read_text().split())
    names = {line.split("==")[0].lower().replace("-", "_") for line in lines}
    assert not names & {"torch", "transformers", "datasets", "accelerate", "vllm"}
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    required = {re.split(r"[<>=\[]", line)[0].replace("-", "_") for line in needed}
    assert required - names == {"torch", "transformers", "safetensors"}


def loaded_by(*arguments):
    """Which heavy libraries a command has imported when it ends."""
    code = (
        "import sys\n"
        f"sys.argv = ['rimbench', *{list(arguments)!r}]\n"
        "from rimbench.cli.app import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout.rpartition("LOADED ")[2])


def test_help_imports_no_heavy_library():
    assert loaded_by("--help") == []


def test_an_import_of_the_package_and_a_look_at_its_names_load_no_heavy_library():
    names = (*HEAVY, "numpy", "pyarrow")
    code = f"import sys, rimbench; dir(rimbench); print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == []


@pytest.mark.parametrize("command", ["run", "report", "suites", "audit", "import", "train", "sweep"])
def test_the_help_of_a_command_imports_at_most_what_the_command_line_is_made_with(command):
    assert set(loaded_by(command, "--help")) <= {"pydantic"}


LOADS = {
    "plan": {"pydantic"},
    "audit rim-card": {"pydantic"},
    "report": {"pydantic"},
    "compare one two": {"pydantic"},
    "rescore": {"pydantic"},
    "export all.parquet": {"pydantic", "pandas"},
    "import answers.jsonl --system three --suite demo-long": {"pydantic", "huggingface_hub"},
    "systems": {"pydantic"},
    "recipes": {"pydantic"},
    "suites": {"pydantic", "huggingface_hub"},
    "init": {"pydantic", "huggingface_hub"},
    "run --system nano-direct --suite demo-long --limit 2 --engine fake": {
        "pydantic",
        "huggingface_hub",
        "torch",
        "transformers",
    },
}
"""What a command may load of the heavy libraries; the others load what runs models."""


@pytest.mark.parametrize("command", LOADS)
def test_a_command_loads_no_heavy_library_but_those_that_it_needs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.jsonl").write_text(f'{{"item_id": "{first_of("demo-long")}", "predicted": "A"}}\n')
    for system in ("one", "two"):
        loaded_by("import", "answers.jsonl", "--system", system, "--suite", "demo-long")
    assert set(loaded_by(*command.split())) <= LOADS[command]


def first_of(suite):
    return suites.load(suite, limit=1).items[0].item_id


@pytest.mark.parametrize("command", ["systems", "suites"])
def test_a_listing_imports_no_library_that_runs_models_or_reads_data_sets(command):
    assert set(loaded_by(command)) <= {"pydantic", "huggingface_hub"}


CODE = sorted(path for folder in ("rimbench", "benchmarks", "experiments") for path in (ROOT / folder).rglob("*.py"))
RUNS_STRANGERS_CODE = ("from_pretrained", "LLM")
"""What asks a user whether a checkpoint's own code may run, unless it is told that it may not."""


def calls_that_may_run_strangers_code(source):
    """The lines of calls that load a checkpoint and do not say that its code is never run."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in RUNS_STRANGERS_CODE
        ):
            said = {word.arg: word.value for word in node.keywords}.get("trust_remote_code")
            if not (isinstance(said, ast.Constant) and said.value is False):
                yield node.lineno


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_checkpoint_is_loaded_without_saying_that_its_code_is_not_run(path):
    assert list(calls_that_may_run_strangers_code(path.read_text())) == []


def test_a_call_that_says_nothing_of_a_checkpoints_code_or_allows_it_is_found():
    source = "a.from_pretrained(x)\nb.from_pretrained(x, trust_remote_code=True)\nvllm.LLM(model=x)\n"
    assert list(calls_that_may_run_strangers_code(source)) == [1, 2, 3]
    assert list(calls_that_may_run_strangers_code("a.from_pretrained(x, trust_remote_code=False)")) == []
