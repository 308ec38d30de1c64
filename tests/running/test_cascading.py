"""A system of kind `cascade`, run end to end: its answers are the first's where it is sure, else the second's."""

import math

import pytest
import tiny

from rimbench import suites, systems
from rimbench.errors import ConfigError, UsageError
from rimbench.latency.measuring import measure
from rimbench.latency.timing import StoppingRules
from rimbench.running import completion, plans
from rimbench.store import Answers, read_manifest

ITEMS = 10
CASCADE = (
    'description = "made for tests"\nkind = "cascade"\nfirst = "{first}"\nsecond = "{second}"\nthreshold = {at}\n'
)


@pytest.fixture(scope="module")
def made(tmp_path_factory, checkpoint):
    folder = tmp_path_factory.mktemp("cascade")
    place = tiny.beside(checkpoint, folder)
    for name, answer in {
        "read": 'mode = "readout"',
        "write": 'mode = "generate"\nextraction = "first_letter"\nmax_new_tokens = 4',
    }.items():
        (folder / f"{name}.toml").write_text(
            f'description = "made for tests"\n[weights]\npath = "{place}"\n[prompt]\nprefix = "{name}: "\n'
            f"[answer]\n{answer}\n"
        )
    tiny.write_suite(folder, ITEMS)
    return folder


def load(folder, first="read.toml", second="write.toml", at=0.5, name="both"):
    (folder / f"{name}.toml").write_text(CASCADE.format(first=first, second=second, at=at))
    return systems.load(str(folder / f"{name}.toml"))


def run(system, folder, results, watching=None, **more):
    settings = plans.RunSettings(results, engine="transformers", batch_size=4, **more)
    planned = plans.plan_runs([system], [suites.load(str(folder / "tiny.toml"))], settings)
    completion.run_all(planned, settings, watching or tiny.Watching())
    return planned[0]


def answers(planned):
    return {record.item_id: record for record in Answers(planned.folder)}


def margin(record):
    first, second, *_ = sorted(map(math.exp, record.option_logprobs.values()), reverse=True)
    return first - second


def test_a_cascades_records_are_the_firsts_where_it_is_sure_and_else_the_seconds_with_the_tokens_of_both(
    made, tmp_path
):
    alone = [answers(run(systems.load(str(made / f"{name}.toml")), made, tmp_path)) for name in ("read", "write")]
    at = sorted(map(margin, alone[0].values()))[ITEMS // 2]
    planned = run(load(made, at=at), made, tmp_path)
    found, passed_on = answers(planned), 0
    for item_id, record in found.items():
        first, second = (each[item_id] for each in alone)
        expected = first if margin(first) >= at else second
        passed_on += expected is second
        assert (record.answer, record.status, record.text) == (expected.answer, expected.status, expected.text)
        both = first.prompt_tokens + second.prompt_tokens
        assert record.prompt_tokens == (both if expected is second else first.prompt_tokens)
        assert record.generated_tokens == expected.generated_tokens
    assert passed_on == ITEMS // 2
    kept = read_manifest(planned.folder).identity.setup.second
    assert (kept.threshold, kept.prompt.prefix) == (at, "write: ")


def test_another_threshold_or_second_system_is_another_run_and_a_cut_off_one_goes_on(made, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(load(made), made, tmp_path, tiny.Watching(stop_after=5))
    again = tiny.Watching()
    planned = run(load(made), made, tmp_path, again)
    assert 0 < again.kept < ITEMS and len(answers(planned)) == ITEMS
    names = [planned.name, run(load(made, at=0.6), made, tmp_path).name]
    (made / "write-2.toml").write_text((made / "write.toml").read_text().replace("write: ", "other: "))
    names.append(run(load(made, second="write-2.toml"), made, tmp_path).name)
    assert len(set(names)) == 3


def test_a_cascade_is_timed_end_to_end_with_the_passes_and_tokens_of_both(made, tmp_path):
    settings = plans.RunSettings(tmp_path, engine="transformers", batch_size=1)
    suite, rules = suites.load(str(made / "tiny.toml")), StoppingRules(least=3, most=3, seconds=0)
    every, none = (
        measure(plans.plan_runs([load(made, at=at)], [suite], settings), 1, rules)[0] for at in (1.0, 1e-9)
    )
    assert none.passes.count == 1 and every.passes.count > 1
    assert every.prompt_tokens > 1.5 * none.prompt_tokens
    assert every.subject.identity.setup.second.threshold == 1.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"first": "write.toml"}, "first: write.toml writes its answer and has no margin to be sure by"),
        ({"second": "both.toml"}, "second: .*both.toml is a cascade itself; expected a single system"),
        ({"second": "gone.toml"}, "gone.toml does not exist"),
        ({"second": "../outside.toml"}, "lies outside"),
        ({"at": 1.5}, "threshold: expected 1 or less"),
        ({"at": 0}, "threshold: expected more than 0"),
    ],
)
def test_what_is_no_cascade_is_said_in_one_line(made, changes, says):
    with pytest.raises(ConfigError, match=says):
        load(made, **changes)


def test_a_cascade_has_no_draws_and_no_other_weights(made, tmp_path):
    with pytest.raises(UsageError, match="is a cascade, which answers once: leave --samples out"):
        run(load(made), made, tmp_path, samples=2)
    with pytest.raises(UsageError, match="leave --model, --blocks, --answer and --max-new-tokens out"):
        systems.override(load(made), model="elsewhere")
