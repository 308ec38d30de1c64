"""The commands as a newcomer types them, in a folder with nothing in it but what a test puts there."""

import json
import shutil
from pathlib import Path

import pytest
import tiny

import rimbench as rimbench_package


def message_of(done, code):
    """The error of a command, and the lines below it."""
    first = done.stderr.index("rimbench: error: ")
    message, *lines = done.stderr[first:].splitlines()
    assert done.returncode == code and "Traceback" not in done.stderr
    assert all(line.startswith("rimbench:   ") for line in lines)
    return message.removeprefix("rimbench: error: "), [line.removeprefix("rimbench:   ") for line in lines]


def runs_of(rimbench, tmp_path, *arguments):
    done = rimbench("run", *arguments, check=True)
    return done, [json.loads((tmp_path / line / "manifest.json").read_text()) for line in done.stdout.split()]


def copy_checkpoint(checkpoint, folder):
    folder.mkdir(parents=True)
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_without_weights_and_rows_a_run_says_how_to_get_both_and_what_runs_at_once(rimbench):
    message, lines = message_of(rimbench("run", "--system", "rim-v2", "--suite", "medmcqa"), 1)
    assert message == "system 'rim-v2' has no public checkpoint and none here; suite 'medmcqa' has no rows here"
    assert lines == [
        "train rim-v2: rimbench train rim-v2",
        "the rows of medmcqa are fetched from the hub, once, where it can be reached",
        "or give what you have: rimbench run --system rim-v2 --suite medmcqa --model PATH --data FILE",
        "or name it in rimbench.toml, which 'rimbench init' begins",
        "or the same on the embedded family, at once: rimbench run --system nano-rim-v2 --suite demo-in-dist",
    ]


@pytest.mark.parametrize(
    ("command", "system", "suite", "small"),
    [
        ("run", "cot", "demo-long", "nano-cot"),
        ("run", "base", "medqa", "nano-base"),
        ("run", "base", "demo-long", "nano-base"),
        ("run", "rim-v1", "in-dist", "nano-rim-v1"),
        ("sweep", "rim-v2", "medqa", "nano-rim-v2"),
        ("latency", "base-direct", "medmcqa", "nano-base-direct"),
    ],
)
def test_what_a_command_lacks_is_answered_with_the_command_that_runs_without_it(
    rimbench, command, system, suite, small
):
    _, lines = message_of(rimbench(command, "--system", system, "--suite", suite), 1)
    assert lines[-1].endswith(f": rimbench {command} --system {small} --suite demo-in-dist")
    assert any(f"rimbench {command} --system {system} --suite {suite} --" in line for line in lines)


@pytest.mark.parametrize(
    "command",
    [
        ["report", "--markdown"],
        ["compare", "a", "b"],
        ["rescore"],
        ["export", "all.parquet"],
        ["audit", "rim-card", "--results", "results"],
    ],
)
def test_without_results_a_command_says_how_to_get_some(rimbench, command):
    message, lines = message_of(rimbench(*command), 1)
    assert message.startswith("no results folder results") and "rimbench run" in message
    assert [line.rpartition(": ")[2].split()[:2] for line in lines] == [
        ["rimbench", "run"], ["rimbench", "demo"], ["rimbench", "import"],
    ]  # fmt: skip


def test_runs_that_lie_one_folder_deeper_are_read_and_of_two_such_folders_both_are_named(rimbench, tmp_path):
    asked = ("run", "--system", "nano-direct", "--suite", "demo-long", "--limit", 2, "--results")
    rimbench(*asked, "results/demo", check=True)
    asked_there = rimbench("report", "--json", "--results", "results/demo", check=True)
    for results in ((), ("--results", "results")):
        done = rimbench("report", "--json", *results, check=True)
        assert done.stdout == asked_there.stdout
        assert "results holds no run of its own: reading those of results/demo, the only folder" in done.stderr
    rimbench("export", "all.parquet", check=True)
    (tmp_path / "results" / "linked").symlink_to(tmp_path / "results" / "demo")
    assert rimbench("report", "--json", check=True).stdout == asked_there.stdout
    shutil.copytree(tmp_path / "results" / "demo", tmp_path / "results" / "more")
    _, lines = message_of(rimbench("report"), 1)
    assert lines[:2] == [
        f"there are runs in results/{name}: give --results results/{name}" for name in ("demo", "more")
    ]
    rimbench(*asked, "results", check=True)
    assert "no run of its own" not in rimbench("report", check=True).stderr


@pytest.mark.parametrize(
    ("command", "part", "lines"),
    [
        (["run", "--system", "mine", "--suite", "demo-long"], "is no system but weights",
         ["--system cot --model mine", "--system rim-v2 --model mine"]),
        (["show-prompt", "--system", "./mine/", "--suite", "demo-long"], "--system base --model ./mine/", 2),
        (["latency", "--system", "org/name@main"], "--system base --model org/name@main", 2),
        (["run", "--system", "my model/model.safetensors", "--suite", "demo-long"], "--model 'my model'", 2),
        (["run", "--system", "", "--suite", "demo-long"], "unknown system ''", 0),
        (["run", "--system", "mine/notes.csv", "--suite", "demo-long"], "a TOML file whose name ends in .toml", 0),
        (["run", "--system", "nano-cot", "--suite", "mine"], "becomes one by 'rimbench init suite'", 0),
        (["run", "--system", "nano-cot", "--suite", "org/data"], "unknown suite 'org/data'",
         ["[source] repo, revision and file in a suite's TOML file"]),
        (["run", "--system", "nano-cot", "--suite", "rows.csv"], "'rows.csv' holds rows and is no suite",
         ["--suite medmcqa --data rows.csv", "rimbench init suite rows.csv, which writes rows.toml"]),
        (["run", "--system", "nano-cot", "--suite", "sub/rows.JSONL"], "holds rows", 2),
        (["suites", "show", "rows.tsv"], "holds rows", 2),
        (["audit", "rows.csv"], "is no claims file", ["rimbench import rows.csv --system NAME --suite NAME"]),
        (["audit", "mine"], "is no claims file", ["rimbench audit rim-card --results mine"]),
        (["audit", "rows"], "unknown claims file 'rows'", 0),
    ],
)  # fmt: skip
def test_what_is_given_in_the_wrong_place_is_answered_with_the_option_that_takes_it(
    rimbench, tmp_path, command, part, lines
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.csv").touch()
    message, said = message_of(rimbench(*command), 2)
    assert part in message
    if isinstance(lines, int):
        assert len(said) == lines
    else:
        assert all(any(line.endswith(each) for line in said) for each in lines)


def test_the_command_that_is_shown_for_rows_makes_a_suite_of_them(rimbench, tmp_path):
    (tmp_path / "rows.csv").write_text("question,one,two,answer\nOne and one?,2,3,A\nOne and two?,2,3,B\n")
    _, [_, shown] = message_of(rimbench("suites", "show", "rows.csv"), 2)
    words = shown.partition("rimbench ")[2].partition(",")[0].split()
    made = rimbench(*words, check=True).stdout.strip()
    assert len(json.loads(rimbench("suites", "show", made, "--json", check=True).stdout)["items"]) == 2


def test_weights_of_ones_own_have_a_name_of_their_own_in_runs_comparisons_and_times(rimbench, tmp_path):
    copy_checkpoint(Path(rimbench_package.__file__).parent / "nano" / "cot", tmp_path / "theirs")
    asked = ("run", "--suite", "demo-long", "--limit", 2, "--system")
    rimbench(*asked, "nano-base-direct", check=True)
    _, [manifest] = runs_of(
        rimbench, tmp_path, *asked[1:], "nano-base-direct", "--model", "theirs", "--name", "theirs-v1"
    )
    assert (manifest["system"], manifest["departures"]) == ("theirs-v1", {})
    assert rimbench("compare", "theirs-v1", "nano-base-direct", check=True).stdout.count("theirs-v1 vs") == 2
    rimbench(*asked, "nano-rim-v2", "--name", "mine", "--blocks", 2, check=True)
    labels = [cell["label"] for cell in json.loads(rimbench("report", "--json", check=True).stdout)["cells"]]
    assert sorted(labels) == ["mine (K 2)", "nano-base-direct", "theirs-v1"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("nano-rim-v2", "--blocks", 9), "nano-rim-v2: K = 9 is more than the 8 blocks of its file"),
        (("nano-cot", "--answer", "readout"), "nano-cot writes before it answers: a readout has the letter before"),
        (("nano-rim-v2", "--blocks", 7), None),
    ],
)
def test_what_a_system_was_not_trained_for_is_remarked_on(rimbench, asked, said):
    told = rimbench("run", "--suite", "demo-long", "--limit", 2, "--system", *asked, check=True).stderr
    assert said in told if said else "trained" not in told


@pytest.mark.parametrize("name", ["", "all", "cot", "a/b", "..", "mine.toml", "two words", "x" * 81])
def test_a_name_that_is_none_or_another_systems_is_refused(rimbench, name):
    message, _ = message_of(rimbench("run", "--system", "nano-cot", "--suite", "demo-long", "--name", name), 2)
    assert message.startswith(f"--name {name!r}: that is ") and "such as my-rim-v2" in message
    several = rimbench("run", "--system", "all", "--suite", "demo-long", "--name", "mine")
    assert message_of(several, 2)[0] == "--name mine with --system all: give --system once with --name"


@pytest.mark.parametrize("repo", ["./mine", "../mine", "mine", "-a/b", "a--b/c", "a/b.", "/mine/", ""])
def test_a_folder_where_a_hub_name_belongs_is_one_line(rimbench, tmp_path, repo):
    (tmp_path / "mine").mkdir()
    (tmp_path / "own.toml").write_text(f'description = "x"\n[weights]\nrepo = "{repo}"\n[answer]\nmode = "readout"\n')
    message, _ = message_of(rimbench("run", "--system", "own.toml", "--suite", "demo-long"), 2)
    assert "weights.repo: expected a name on the hub, org/name" in message and 'path = "FOLDER"' in message


@pytest.mark.parametrize("model", ["-a/b", "a--b/c", "a/b."])
def test_a_model_that_can_be_no_hub_name_is_one_line(rimbench, model):
    message, _ = message_of(rimbench("run", "--system", "base", "--suite", "demo-long", f"--model={model}"), 1)
    assert f"model {model} is no name on the hub" in message


@pytest.mark.parametrize("model", ["", "  "])
@pytest.mark.parametrize("command", [["run"], ["latency"], ["sweep"]])
def test_an_empty_model_is_refused_and_no_other_taken_for_it(rimbench, command, model):
    asked = ("--system", "nano-rim-v2", "--suite", "demo-long", "--model", model)
    message, _ = message_of(rimbench(*command, *asked), 2)
    assert message.startswith("--model is empty")


def test_of_all_suites_those_that_load_are_run_and_the_others_named_in_the_end(rimbench, tmp_path):
    asked = ("run", "--system", "nano-direct", "--suite", "all", "--limit", 2)
    done = rimbench(*asked)
    message, lines = message_of(done, 1)
    assert message == "not run, for they cannot be loaded: in-dist, medmcqa, medqa"
    assert [line.partition(":")[0] for line in lines] == ["in-dist", "medmcqa", "medqa"]
    suites = [json.loads((tmp_path / line / "manifest.json").read_text())["suite"] for line in done.stdout.split()]
    assert suites == ["demo-in-dist", "demo-long", "demo-reworded"]
    named = rimbench("run", "--system", "nano-direct", "--suite", "demo-long", "--suite", "medqa", "--limit", 2)
    assert named.returncode == 1 and not named.stdout  # what is asked for by its name is not left out


def test_weights_that_were_trained_in_the_folder_are_taken_and_said_as_if_they_were_given(
    rimbench, tmp_path, checkpoint
):
    copy_checkpoint(checkpoint, tmp_path / "checkpoints" / "rim-v2" / "checkpoint")
    asked = ("--system", "rim-v2", "--suite", "demo-long", "--limit", 2)
    done, [manifest] = runs_of(rimbench, tmp_path, *asked)
    assert "rim-v2: weights checkpoints/rim-v2/checkpoint, where 'rimbench train rim-v2' put them" in done.stderr
    given = rimbench(
        "run", *asked, "--model", "checkpoints/rim-v2", check=True
    )  # the training's folder stands for it
    assert given.stdout == done.stdout and "nothing left to answer" in given.stderr
    assert manifest["model_source"]["source"] == "checkpoints/rim-v2/checkpoint"


def test_what_the_project_file_names_is_taken_and_said_and_an_option_wins(rimbench, tmp_path, checkpoint):
    copy_checkpoint(checkpoint, tmp_path / "mine")
    tiny.write_suite(tmp_path)
    rows = next(path for path in tmp_path.iterdir() if path.suffix == ".jsonl")
    (tmp_path / "rimbench.toml").write_text(
        'results = "kept"\nengine = "transformers"\n[systems.rim-v2]\nmodel = "mine"\n[suites.tiny]\n'
        f'data = "{rows.name}"\n'
    )
    asked = ("--system", "rim-v2", "--suite", "tiny.toml", "--limit", 2)
    done, [manifest] = runs_of(rimbench, tmp_path, *asked)
    assert done.stdout.startswith("kept/rim-v2-tiny-")
    assert manifest["suite_source"]["kind"] == "file" and manifest["model_source"]["source"] == "mine"
    for said in ("weights mine, which rimbench.toml names", f"tiny: rows {rows.name}, which rimbench.toml names",
                 "results = kept", "engine = transformers"):  # fmt: skip
        assert said in done.stderr.replace("tiny.toml", "tiny")
    other = copy_checkpoint(checkpoint, tmp_path / "other")
    _, [manifest] = runs_of(rimbench, tmp_path, *asked, "--model", other.name, "--results", "elsewhere")
    assert manifest["model_source"]["source"] == "other"
    assert [cell["run"] for cell in json.loads(rimbench("report", "--json", check=True).stdout)["cells"]] == [
        done.stdout.strip().removeprefix("kept/")
    ]


def test_every_fault_of_a_project_file_is_said_on_a_line_of_its_own_with_the_nearest_names(rimbench, tmp_path):
    (tmp_path / "rimbench.toml").write_text(
        'result = "x"\nengine = "vlm"\n[systems.rim-v3]\nmodel = "a/b@main"\n[systems.cot]\nmodel = "nowhere"\n'
        '[systems.base]\nmodle = "x"\n[suites.medqua]\ndata = "x.jsonl"\n[suites.medqa]\ndata = 3\n'
        '[suites.in-dist]\ndata = "/etc/passwd"\n'
    )
    message, lines = message_of(rimbench("run", "--system", "nano-cot", "--suite", "demo-long"), 2)
    assert message == "rimbench.toml has 10 faults:"
    assert all(line.startswith("rimbench.toml: ") for line in lines)
    faults = {line.split(": ")[1]: line for line in lines}
    assert "did you mean results?" in faults["result"]
    assert "unknown engine 'vlm': did you mean vllm?" in faults["engine"]
    assert "did you mean rim-v2 or rim-v1" in faults["systems.rim-v3"]
    assert "nowhere does not exist" in faults["systems.cot.model"]
    assert "did you mean model?" in faults["systems.base.modle"]
    assert "required, but missing" in faults["systems.base.model"]
    assert "did you mean medqa" in faults["suites.medqua"]
    assert "suites.medqa.data: expected a text (got 3)" in faults["suites.medqa.data"]
    assert "lies outside" in faults["suites.in-dist.data"] and "--allow-outside" in faults["suites.in-dist.data"]


@pytest.mark.parametrize(
    ("text", "part"),
    [("[systems", "is not readable TOML"), ("systems = 3\n", "rimbench.toml: systems: "),
     ('results = "../x"\n', "--allow-outside"), ('[suites."a.toml"]\ndata = "x"\n', "2 faults")],
)  # fmt: skip
def test_a_faulty_project_file_is_an_error_of_use(rimbench, tmp_path, text, part):
    (tmp_path / "rimbench.toml").write_text(text)
    message, _ = message_of(rimbench("report"), 2)
    assert part in message


def test_latency_without_a_system_takes_trained_weights_first_and_says_so(rimbench, tmp_path, checkpoint):
    few = ("--batch", 1, "--samples", 2, "--seconds", 0, "--quantity", "readout")
    copy_checkpoint(checkpoint, tmp_path / "checkpoints" / "rim-v2" / "checkpoint")
    done = rimbench("latency", *few, env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert "no --system: rim-v2 (checkpoints/rim-v2/checkpoint)" in done.stderr


@pytest.mark.parametrize(
    ("data", "part"),
    [("mdqa=x.jsonl", None), ("medqa=x.jsonl", "x.jsonl"), ("demo-long=x.jsonl", "expected FILE or SUITE=FILE")],
)
def test_import_takes_rows_as_run_does(rimbench, tmp_path, data, part):
    (tmp_path / "answers.jsonl").write_text('{"item_id": "0", "predicted": "A"}\n')
    done = rimbench("import", "answers.jsonl", "--system", "other", "--suite", "medqa", "--data", data)
    told = rimbench("run", "--system", "nano-direct", "--suite", "medqa", "--data", data)
    assert done.returncode == told.returncode != 0
    assert (part or data) in done.stderr and (part or data) in told.stderr


def test_init_writes_a_file_of_comments_that_holds_line_by_line_once_they_are_taken_off(
    rimbench, tmp_path, checkpoint
):
    assert rimbench("init", check=True).stdout == "rimbench.toml\n"
    text = (tmp_path / "rimbench.toml").read_text()
    assert all(line.startswith("#") or not line for line in text.splitlines())
    assert rimbench("systems", check=True).stderr == ""
    message, _ = message_of(rimbench("init"), 2)
    assert message.startswith("rimbench.toml is there already")
    taken = "\n".join(line.removeprefix("# ") for line in text.splitlines() if not line.endswith((".", "hold.")))
    (tmp_path / "rimbench.toml").write_text(taken)
    copy_checkpoint(checkpoint, tmp_path / "checkpoints" / "cot" / "checkpoint")
    faults = message_of(rimbench("report"), 2)[1]
    assert faults and all("does not exist" in fault for fault in faults)  # nothing but what is not there
    assert not any("systems.cot" in fault for fault in faults)


def test_doctor_says_of_every_cell_whether_it_runs_and_what_mends_it(rimbench, tmp_path, checkpoint):
    copy_checkpoint(checkpoint, tmp_path / "checkpoints" / "cot" / "checkpoint")
    told = json.loads(rimbench("doctor", "--json", check=True).stdout)
    cells = {(cell["system"], cell["suite"]): cell for cell in told["cells"]}
    systems = json.loads(rimbench("systems", "--json", check=True).stdout)
    suites = json.loads(rimbench("suites", "--json", check=True).stdout)
    assert len(cells) == len(systems) * len(suites)
    assert cells["nano-cot", "demo-long"] == {
        "system": "nano-cot", "suite": "demo-long", "ready": True, "mend": [],
    }  # fmt: skip
    assert cells["cot", "demo-long"]["ready"]
    assert cells["rim-v2", "demo-long"]["mend"] == ["rimbench train rim-v2"]
    assert cells["rim-v2", "medqa"]["mend"] == ["rimbench train rim-v2", "rimbench suites show medqa"]
    assert all(cell["ready"] == (not cell["mend"]) for cell in cells.values())
    assert told["machine"]["hub"].startswith("not asked: HF_HUB_OFFLINE is set")
    shown = rimbench("doctor", check=True).stdout
    assert "Runs now" in shown and "rimbench train rim-v2" in shown and "GiB free" in shown


@pytest.mark.parametrize(
    ("command", "here", "needs"), [("systems", "nano-cot", "rim-v2"), ("suites", "demo-long", "medqa")]
)
def test_a_listing_groups_by_what_is_ready_and_what_needs_something(rimbench, command, here, needs):
    ready, lacking = rimbench(command, check=True).stdout.split("that need something first")
    assert f"\n{here} " in ready and f"\n{needs} " not in ready
    assert f"\n{needs} " in lacking and f"\n{here} " not in lacking


def test_a_listing_goes_on_beside_a_faulty_project_file_and_says_what_is_wrong(rimbench, tmp_path):
    (tmp_path / "rimbench.toml").write_text("engin = 3\n")
    for command in ("systems", "suites", "doctor"):
        done = rimbench(command, check=True)
        assert "engin: unknown key: did you mean engine?" in done.stderr and done.stdout
