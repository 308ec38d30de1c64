"""Prompts of one length: the ends that all prompts share stay, the questions are cut or repeated."""

import dataclasses

import pytest
import tiny

from rimbench import suites, systems
from rimbench.errors import UsageError
from rimbench.latency.lengths import with_prompt_tokens
from rimbench.running import plans


@pytest.fixture
def run(tmp_path, checkpoint, suite_file):
    toml = tmp_path / "rim.toml"
    toml.write_text(
        f'description = "t"\n[weights]\npath = "{tiny.beside(checkpoint, tmp_path)}"\n[prompt]\nprefix = "is "\n'
        '[memory]\nblocks = 2\n[answer]\nmode = "readout"\n'
    )
    loaded = suites.load(str(suite_file))
    [planned] = plans.plan_runs([systems.load(str(toml))], [loaded], plans.RunSettings(tmp_path, "transformers", 1))
    return planned


@pytest.mark.parametrize("tokens", [120, 400])
def test_prompts_are_as_long_as_asked_and_keep_template_memory_and_prefix(run, tokens):
    resized = with_prompt_tokens(run, tokens).cell.prompts
    assert {len(prompt.token_ids) for prompt in resized} == {tokens}
    for before, after in zip(run.cell.prompts, resized, strict=True):
        assert after.token_ids[-11:] == before.token_ids[-11:]  # two blocks of four, and the prefix of three bytes
        assert after.token_ids[:10] == before.token_ids[:10]
        assert after.option_token_ids == before.option_token_ids
    assert len({prompt.sha256 for prompt in resized}) > 1  # still different questions


@pytest.mark.parametrize("tokens", [5, 5000])
def test_a_length_without_room_is_refused_with_what_there_is_room_for(run, tokens):
    with pytest.raises(UsageError, match=rf"--prompt-tokens {tokens}: expected \d+ to 1023"):
        with_prompt_tokens(run, tokens)


def test_prompts_that_are_all_the_same_can_be_resized(run):
    cell = dataclasses.replace(run.cell, prompts=run.cell.prompts[:1] * 2, shown=run.cell.shown[:2])
    assert len(with_prompt_tokens(dataclasses.replace(run, cell=cell), 300).cell.prompts[1].token_ids) == 300
