"""What is wrong in a file of ours is said in words of its own: the key, what was expected, what stood there."""

import pytest
from pydantic import ValidationError

from rimbench.claims.schema import read_claims
from rimbench.cli.options import share_within
from rimbench.errors import ConfigError
from rimbench.files.faults import list_faults
from rimbench.files.shares import parse_share
from rimbench.suites.schema import SuiteSpec, read_suite
from rimbench.systems import read_system
from rimbench.training.recipe import read_recipe

SYSTEM = 'description = "x"\n[weights]\nrepo = "a/b"\n'
ANSWER = '[answer]\nmode = "readout"\n'
SUITE = 'description = "x"\nn = 5\n[[layout]]\nname = "x"\n'
TABLE = SUITE + 'question = "q"\noptions = ["a", "b"]\n'
CLAIMS = 'title = "x"\nsource = "x"\n'
RECIPE = 'description = "x"\n[base]\nnew = "x"\n[data]\nmax_row_tokens = 99\n'
STAGE = "epochs = 1\nlearning_rate = 1\nbatch_size = 1\nrows_per_device = 1\n"


@pytest.mark.parametrize(
    ("read", "text", "fault"),
    [
        (read_system, SYSTEM + "mode = 1\n" + ANSWER,
         "weights.mode: unknown key: did you mean answer.mode? known here: repo, revision, package"),
        (read_system, SYSTEM + '[prompt]\nprefixx = ""\n' + ANSWER,
         "prompt.prefixx: unknown key: did you mean prefix? known here: instruction, prefix, chat_template, date"),
        (read_system, SYSTEM + ANSWER + '[memory]\nblock = 8\n',
         "memory.block: unknown key: did you mean blocks? known here: blocks, memory_tokens, begin, memory, end"),
        (read_system, SYSTEM + ANSWER + "baseline = 1\n",
         "answer.baseline: unknown key: did you mean baseline above the first [table]?"),
        (read_system, SYSTEM + '[answer]\nmode = "redout"\n',
         "answer.mode: expected 'generate' or 'readout': did you mean 'readout'? (got 'redout')"),
        (read_system, SYSTEM + ANSWER + "reasoning_tags = [1]\n", "answer.reasoning_tags.0: expected a list (got 1)"),
        (read_system, SYSTEM + "[prompt]\nchat_template = { a = [1] }\n" + ANSWER,
         "prompt.chat_template.a: expected true or false or a text or a whole number (got a list)"),
        (read_system, 'kind = "cascade"\ndescription = "x"\nfirst = "a"\nsecond = "b"\ntreshold = 0.5\n',
         "treshold: unknown key: did you mean threshold? known here: description, kind, first, second, threshold"),
        (read_suite, SUITE + 'messages = "m"\nquestion = "q"\n',
         "layout.0.conversation.question: unknown key: known here: name, messages"),
        (read_suite, TABLE + 'gold = { latter = "x" }\n',
         "layout.0.table.gold.latter: unknown key: did you mean letter? known here: letter, index, text, base"),
        (read_suite, TABLE + 'gold = "x"\n', "layout.0.table.gold: expected a table (got 'x')"),
        (read_suite, SUITE + 'question = "q"\noptions = 7\n',
         "layout.0.table.options: expected a text or a list (got 7)"),
        (read_suite, SUITE + 'question = "q"\noptions = ["a", 1]\n',
         "layout.0.table.options.1: expected a text (got 1)"),
        (read_suite, 'n = "5"\n', "n: expected a whole number, without quotes (got '5')"),
        (read_suite, "in_distribution = 1\n", "in_distribution: expected true or false (got 1)"),
        (read_claims, CLAIMS + '[[claim]]\nkind = "noize"\n', "claim.0: kind 'noize': expected 'above chance', "),
        (read_claims, CLAIMS + '[[claim]]\nkind = "noize"\n', "did you mean 'noise'?"),
        (read_claims, CLAIMS + '[[suite]]\nname = "x"\nfiel = ""\n',
         "suite.0.fiel: unknown key: did you mean file?"),
        (read_recipe, RECIPE + '[[stages]]\nepochs = 1\n', "stages.0: objective is required, but missing"),
        (read_recipe, RECIPE + f'[[stages]]\nobjective = "sft"\n{STAGE}blocks = 8\n',
         "stages.0.sft.blocks: unknown key: known here: epochs, max_steps, learning_rate"),
    ],
)  # fmt: skip
def test_a_fault_names_its_key_and_what_was_expected_there_in_plain_words(tmp_path, read, text, fault):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert fault in str(caught.value)
    assert "Input" not in str(caught.value) and "valid" not in str(caught.value)


def test_a_key_that_is_no_table_of_its_own_leaves_the_others_told():
    with pytest.raises(ValidationError) as caught:
        SuiteSpec.model_validate({"description": "", "n": True, "layout": [], "wording": 5})
    assert list_faults(caught.value, SuiteSpec) == [
        "description: expected a text of 1 or more characters (got '')",
        "n: expected a whole number (got true)",
        "wording: expected a table (got 5)",
        "layout: expected 1 or more entries",
    ]


@pytest.mark.parametrize(
    "typed", ["0.03", "3%", "3 %", "3.0 %", " 3 percent", "3 points", "3pp", "3 percentage points"]
)
def test_a_share_may_be_typed_with_its_unit(typed):
    assert parse_share(typed) == pytest.approx(0.03)
    assert share_within(0.01, 0.05)(typed) == pytest.approx(0.03)


@pytest.mark.parametrize("typed", ["", "%", "3 x", "three", "nan", "inf", "3,5%", "1e400%", "-3%", "3", "0.06"])
def test_what_is_no_share_or_none_of_the_wanted_ones_is_refused_with_how_it_is_typed(typed):
    with pytest.raises(Exception, match=r"expected a share such as 0.03, or .*3%") as caught:
        share_within(0.01, 0.05)(typed)
    assert type(caught.value).__name__ == "BadParameter"


def test_shares_in_files_may_have_their_unit_too(tmp_path):
    (tmp_path / "s.toml").write_text(TABLE + 'gold = { letter = "x" }\n[heldout]\nfraction = "5%"\n')
    assert read_suite(tmp_path / "s.toml").heldout.fraction == 0.05
    (tmp_path / "r.toml").write_text(
        RECIPE
        + f'validation = "10 percent"\n[[stages]]\nobjective = "sft"\ncompletion = "answer"\n{STAGE}warmup = "3 %"\n'
    )
    recipe = read_recipe(tmp_path / "r.toml")
    assert recipe.data.validation == 0.1 and recipe.stages[0].warmup == 0.03
    (tmp_path / "c.toml").write_text(CLAIMS + 'alpha = "1%"\n')
    assert read_claims(tmp_path / "c.toml").alpha == 0.01
    (tmp_path / "c.toml").write_text(CLAIMS + 'alpha = "60%"\n')
    with pytest.raises(ConfigError, match=r"alpha: expected less than 0.5 \(got '60%'\)"):
        read_claims(tmp_path / "c.toml")
