import json
import shutil

import pytest
import tiny

from rimbench import suites, systems
from rimbench.cli.sweep import sweep
from rimbench.errors import UsageError
from rimbench.reporting.budgets import find_sweeps, read_sweep
from rimbench.running import completion, packed, plans, sweeps
from rimbench.store import RECORDS, find_runs, read_manifest, read_records

K_MAX = 8
ITEMS = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    checkpoint = tiny.make_checkpoint(folder / "checkpoint")
    (folder / "tiny-rim.toml").write_text(
        f'description = "made for tests"\n[weights]\npath = "{checkpoint}"\n'
        '[prompt]\nprefix = "The answer is {"\n[memory]\nblocks = 8\n'
        '[answer]\nmode = "generate"\nextraction = "first_letter"\nmax_new_tokens = 8\n'
    )
    tiny.write_suite(folder, ITEMS)
    return folder


@pytest.fixture(scope="module")
def system(made):
    return systems.load(str(made / "tiny-rim.toml"))


@pytest.fixture(scope="module")
def suite(made):
    return suites.load(str(made / "tiny.toml"))


def plan(system, suite, results):
    return sweeps.plan_sweep(system, suite, plans.RunSettings(results, batch_size=5))


@pytest.fixture(scope="module")
def swept(made, system, suite):
    planned = plan(system, suite, made / "swept")
    sweeps.run_sweep(planned, tiny.Watching())
    return planned


def answers(folder):
    return {record.item_id: record for record in read_records(folder / RECORDS)}


@pytest.mark.parametrize("blocks", [0, 1, 4, 8])
def test_a_sweep_answers_as_separate_runs_with_that_memory_budget_do(made, system, suite, swept, blocks):
    settings = plans.RunSettings(made / "separate", batch_size=5)
    asked = systems.override(system, blocks=blocks, answer="readout")
    (run,) = plans.plan_runs([asked], [suite], settings)
    completion.run_all([run], settings, tiny.Watching())
    separate, packed_pass = answers(run.folder), answers(swept.folder / f"k{blocks}")
    assert separate.keys() == packed_pass.keys() and len(separate) == ITEMS
    for item_id, record in separate.items():
        other = packed_pass[item_id]
        assert (other.answer, other.status, other.gold) == (record.answer, record.status, record.gold)
        assert (other.prompt_sha256, other.prompt_tokens) == (record.prompt_sha256, record.prompt_tokens)
        assert other.option_logprobs == pytest.approx(record.option_logprobs, abs=1e-4)
    assert run.name != swept.runs[blocks].name  # other kernels, so never the same records


def test_the_budgets_give_different_answers_so_that_equality_says_something(swept):
    assert len({tuple(r.option_logprobs["A"] for r in answers(run.folder).values()) for run in swept.runs}) == 9


def test_a_sweep_is_nine_ordinary_runs_in_a_folder_that_no_report_of_the_others_counts(made, swept):
    assert find_runs(made / "swept") == []
    assert [folder.name for folder in find_runs(swept.folder)] == [f"k{blocks}" for blocks in range(K_MAX + 1)]
    for blocks, run in enumerate(swept.runs):
        manifest = read_manifest(run.folder)
        assert manifest.identity.setup.memory.blocks == blocks
        assert manifest.identity.engine.attention == "sdpa, K 0 to 8 in one packed pass"
        assert manifest.ended_at is not None


def test_a_sweep_that_was_cut_off_goes_on_to_the_same_records_and_a_complete_one_loads_no_model(
    system, suite, swept, tmp_path, monkeypatch
):
    planned = plan(system, suite, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        sweeps.run_sweep(planned, tiny.Watching(stop_after=7))
    sweeps.run_sweep(planned, tiny.Watching())
    for again, whole in zip(planned.runs, swept.runs, strict=True):
        assert {i: r.answer for i, r in answers(again.folder).items()} == {
            i: r.answer for i, r in answers(whole.folder).items()
        }
    monkeypatch.setattr(packed, "PackedReadout", None)
    sweeps.run_sweep(planned, tiny.Watching())


def test_a_budget_that_lacks_an_answer_is_asked_for_it_alone_and_the_report_says_that_the_sweep_is_partial(
    system, suite, tmp_path
):
    planned = plan(system, suite, tmp_path)
    sweeps.run_sweep(planned, tiny.Watching())
    records = planned.runs[3].folder / RECORDS
    whole = records.read_text().splitlines(keepends=True)
    records.write_text("".join(whole[:-1]))
    notes = []
    [found] = find_sweeps(tmp_path, notes.append)
    assert found.n == ITEMS - 1
    assert notes == [f"sweep {planned.folder.name} is partial: 11 of 12 items have an answer at every budget"]
    again = tiny.Watching()
    sweeps.run_sweep(planned, again)
    assert again.kept == 1 and {r.item_id for r in read_records(records)} == {str(i) for i in range(ITEMS)}
    records.write_text("no record\n")
    assert find_sweeps(tmp_path, notes.append) == [] and notes[-1].startswith(f"left out: {records}: 1 of its lines")


def test_a_budget_that_was_started_over_counts_once(swept, tmp_path):
    shutil.copytree(swept.folder, tmp_path / swept.folder.name)
    shutil.copytree(swept.runs[0].folder, tmp_path / swept.folder.name / "k0.old-1")
    [found] = find_sweeps(tmp_path, pytest.fail)
    assert [budget.k for budget in found.budgets] == list(range(9))


def test_the_outcome_counts_what_the_records_show(swept):
    outcome = read_sweep([run.folder for run in swept.runs])
    columns = [answers(run.folder) for run in swept.runs]
    assert outcome.n == ITEMS and [budget.k for budget in outcome.budgets] == list(range(9))
    assert outcome.budgets[0].changed is None and outcome.budgets[0].above_none is None
    for budget in outcome.budgets[1:]:
        assert budget.above_none.value == pytest.approx(budget.accuracy.value - outcome.budgets[0].accuracy.value)
    for budget, before, now in zip(outcome.budgets[1:], columns, columns[1:], strict=False):
        changed = [i for i in now if now[i].answer != before[i].answer]
        assert budget.changed == len(changed)
        assert budget.to_right == sum(now[i].correct for i in changed)
        assert budget.to_wrong == sum(before[i].correct for i in changed)
        assert budget.accuracy.value == pytest.approx(sum(r.correct for r in now.values()) / ITEMS)
        assert budget.accuracy.method == "Wilson score"
    gained = outcome.budgets[-1].accuracy.value - outcome.budgets[0].accuracy.value
    assert outcome.memory.difference.value == pytest.approx(gained)
    items = swept.runs[0].suite.items
    golds = [item.gold for item in items]
    assert outcome.guess == pytest.approx(sum(1 / len(item.options) for item in items) / ITEMS)
    assert outcome.one_letter.accuracy == max(golds.count(letter) for letter in golds) / ITEMS


def test_an_item_with_room_for_few_blocks_fails_at_the_larger_budgets_alone(made, system, suite, tmp_path):
    longest = max(len(prompt.token_ids) for prompt in plan(system, suite, tmp_path / "any").runs[0].cell.prompts)
    short = tiny.make_checkpoint(tmp_path / "short", context=longest + 1 + 4 * 3)  # three blocks and the answer fit
    planned = plan(systems.override(system, model=str(short)), suite, tmp_path)
    sweeps.run_sweep(planned, tiny.Watching())
    failed = [b.failed for b in read_sweep([run.folder for run in planned.runs]).budgets]
    assert failed[:4] == [0, 0, 0, 0] and failed[4] > 0
    assert failed == sorted(failed)


def test_the_command_prints_every_budget_from_zero(made, swept, capsys):
    arguments = {"system": str(made / "tiny-rim.toml"), "suite": str(made / "tiny.toml"), "batch_size": 5}
    sweep(**arguments, results=made / "swept")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:11]] == [str(blocks) for blocks in range(9)]
    assert any("K = 8 minus K = 0" in line for line in lines)
    assert any("Chance is" in line for line in lines)
    sweep(**arguments, results=made / "swept", json=True)
    document = json.loads(capsys.readouterr().out)
    assert [budget["k"] for budget in document["budgets"]] == list(range(9))
    assert document["n"] == ITEMS and document["folder"] == str(swept.folder)


def test_a_system_without_memory_is_refused(suite, tmp_path):
    with pytest.raises(UsageError, match="'base' has no memory blocks to sweep over"):
        plan(systems.load("base"), suite, tmp_path)
