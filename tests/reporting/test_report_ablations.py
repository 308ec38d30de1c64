import shutil

import pytest
import tiny

from rimbench import suites, systems
from rimbench.records import donors
from rimbench.reporting import formats, summary
from rimbench.reporting.ablations import find_ablations
from rimbench.reporting.document import as_document
from rimbench.reporting.plots import make_plots
from rimbench.reporting.tables import ablation_table, make_tables
from rimbench.running import ablations, completion, plans
from rimbench.statistics.verdict import Settings
from rimbench.store import RECORDS, read_records

ITEMS = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reported")
    checkpoint = tiny.make_checkpoint(folder / "checkpoint")
    (folder / "tiny-rim.toml").write_text(
        f'description = "made for tests"\n[weights]\npath = "{checkpoint}"\n[prompt]\nprefix = "The answer is {{"\n'
        '[memory]\nblocks = 2\n[answer]\nmode = "readout"\n'
    )
    tiny.write_suite(folder, ITEMS)
    return folder


@pytest.fixture(scope="module")
def system(made):
    return systems.load(str(made / "tiny-rim.toml"))


@pytest.fixture(scope="module")
def suite(made):
    return suites.load(str(made / "tiny.toml"))


@pytest.fixture(scope="module")
def results(made, system, suite):
    settings = plans.RunSettings(made / "results", "transformers")
    completion.run_all(plans.plan_runs([system], [suite], settings), settings, tiny.Watching())
    ablations.run_ablation(ablations.plan_ablation(system, suite, settings), tiny.Watching())
    return made / "results"


def test_the_runs_of_an_ablation_are_no_systems_of_the_report(results):
    report = summary.summarise(results)
    assert [cell.label for cell in report.cells] == ["tiny-rim"]
    assert report.comparisons == ()
    [found] = report.ablations
    assert [effect.intervention for effect in found.effects] == [
        "filler", "transplant", "mean", "noise", "shuffle", "drop-1", "drop-2", "blind-readout",
    ]  # fmt: skip
    assert found.family.size == 8


def test_every_format_has_the_table(results):
    report = summary.summarise(results)
    assert "What the memory does: tiny-rim on tiny, N = 40" in [table.title for table in make_tables(report)]
    for form in ("markdown", "latex", "html"):
        assert "What the memory does" in formats.render(form, report, results)
    assert as_document(report)["ablations"][0]["effects"][1]["follows"].keys() == {"donor", "question", "neither"}
    [plot] = [plot for plot in make_plots(report) if plot.name.startswith("interventions")]
    assert plot.table == ablation_table(report.ablations[0]).title


def test_whom_a_transplants_answers_follow_is_counted_answer_by_answer(results, suite):
    [found] = find_ablations(results, pytest.fail, Settings())
    follows = found.effects[1].follows
    [records] = results.glob("*-ablate/transplant/records.jsonl")
    given, golds = donors(suite.items, 0), {item.item_id: item.gold for item in suite.items}
    whom = [
        "donor" if answer == golds[given[item_id]] else "question" if answer == golds[item_id] else "neither"
        for item_id, answer in ((record.item_id, record.answer) for record in read_records(records))
    ]
    shares = {name: whom.count(name) / len(whom) for name in ("donor", "question", "neither")}
    assert {name: getattr(follows, name) for name in shares} == pytest.approx(shares)
    assert all(effect.follows is None for effect in found.effects if effect.kind != "transplant")


def test_an_ablation_that_lacks_answers_gets_no_verdict(results, tmp_path):
    shutil.copytree(results, tmp_path / "cut")
    [folder] = (tmp_path / "cut").glob("*-ablate")
    whole = (folder / "mean" / RECORDS).read_text().splitlines()
    (folder / "mean" / RECORDS).write_text("\n".join(whole[:35]) + "\n")
    said = []
    [found] = find_ablations(tmp_path / "cut", said.append, Settings())
    [mean] = [effect for effect in found.effects if effect.intervention == "mean"]
    assert (mean.n, mean.verdict, mean.said) == (35, None, "partial")
    assert said == [f"ablation {folder.name} is partial: its command goes on with it"]


def test_a_transplant_is_told_of_the_items_that_the_intact_run_has_answered_too(results, tmp_path):
    shutil.copytree(results, tmp_path / "cut")
    [folder] = (tmp_path / "cut").glob("*-ablate")
    whole = (folder / "intact" / RECORDS).read_text().splitlines()
    (folder / "intact" / RECORDS).write_text("\n".join(whole[:7]) + "\n")
    [found] = find_ablations(tmp_path / "cut", [].append, Settings())
    transplant = found.effects[1]
    assert transplant.n == 7
    assert transplant.follows.question == transplant.accuracy.value
    assert {round(7 * share, 9) % 1 for share in (transplant.follows.donor, transplant.follows.neither)} == {0}


def test_ablations_of_two_seeds_have_a_title_and_a_plot_each(results, system, suite, tmp_path):
    shutil.copytree(results, tmp_path / "seeds")
    settings = plans.RunSettings(tmp_path / "seeds", "transformers", seed=1)
    ablations.run_ablation(ablations.plan_ablation(system, suite, settings, ["mean"]), tiny.Watching())
    report = summary.summarise(tmp_path / "seeds")
    titles = {ablation_table(ablation).title for ablation in report.ablations}
    assert titles == {
        "What the memory does: tiny-rim on tiny, N = 40",
        "What the memory does: tiny-rim (seed 1) on tiny, N = 40",
    }
    assert {plot.table for plot in make_plots(report) if plot.name.startswith("interventions")} == titles


def test_an_ablation_without_its_intact_run_is_left_out_with_a_reason(results, tmp_path):
    shutil.copytree(results, tmp_path / "headless")
    [folder] = (tmp_path / "headless").glob("*-ablate")
    shutil.rmtree(folder / "intact")
    said = []
    assert find_ablations(tmp_path / "headless", said.append, Settings()) == []
    assert "lacks the intact run or an intervention yet" in said[0]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("json", '"intervention": "blind-readout"'), ("markdown", "What the memory does"), ("csv", None),
        ("latex", "What the memory does"), ("model-index", None), ("html", "What the memory does"),
    ],
)  # fmt: skip
def test_a_folder_of_interventions_alone_is_reported_in_every_format(results, tmp_path, form, told):
    [folder] = results.glob("*-ablate")
    shutil.copytree(folder, tmp_path / folder.name)
    report = summary.summarise(tmp_path)
    assert report.cells == () and len(report.ablations) == 1
    made = formats.render(form, report, tmp_path)
    assert made == "" if told is None else told in made  # without a cell there is no row, and no index
