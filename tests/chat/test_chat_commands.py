"""What a run makes of a checkpoint's chat template, through the real command."""

import hashlib
import json

import pytest
import tiny

from rimbench.reporting.summary import summarise

DATED = "<|im_start|>{{ strftime_now('%d %B %Y') }} {{ messages[0].content }}<|im_end|>"


@pytest.fixture
def ask(rimbench, suite_file, tmp_path):
    """Runs a system whose checkpoint has another template; `prompt` is what else its TOML says of prompts."""

    def run(template, prompt="", limit=6, answer='mode = "readout"'):
        folder = tmp_path / "checkpoint"
        if not folder.exists():
            tiny.make_checkpoint(folder)
        (folder / "chat_template.jinja").write_text(template)
        (tmp_path / "mine.toml").write_text(
            f'description = "t"\n[weights]\npath = "{folder}"\n[prompt]\n{prompt}\n[answer]\n{answer}\n'
        )
        return rimbench("run", "--system", "mine.toml", "--suite", suite_file, "--limit", limit)

    return run


@pytest.mark.parametrize(
    "template", ["{{ raise_exception('A system message must come first') }}", "{% if %}", "{{ messages[0].role }}"]
)
def test_a_template_that_gives_no_prompt_ends_the_command_in_one_line(ask, template):
    done = ask(template)
    assert done.returncode == 1
    assert done.stderr.startswith("rimbench: error: the chat template of system 'mine' ")
    assert done.stderr.count("\n") == 1


def test_a_run_with_a_dated_template_goes_on_with_the_same_prompts_and_the_date_is_a_setting(ask, tmp_path):
    first = ask(DATED)
    records = tmp_path / first.stdout.strip() / "records.jsonl"
    whole = records.read_bytes()
    records.write_bytes(b"".join(whole.splitlines(keepends=True)[:3]))
    assert ask(DATED).stdout == first.stdout
    assert sorted(records.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert ask(DATED, prompt="date = 2024-07-26").stdout != first.stdout


def test_the_name_of_a_run_follows_its_prompts(ask, tmp_path):
    manifests = [
        json.loads((tmp_path / ask(DATED, prompt=prompt).stdout.strip() / "manifest.json").read_text())
        for prompt in ("", 'prefix = "Answer: "', 'prefix = "Answer:"')
    ]
    plain, spaced, bare = (manifest["identity"]["prompts_sha256"] for manifest in manifests)
    assert plain != spaced == bare  # the tokenizer writes the space apart, so that both prompts are the same


def as_earlier_builds_named_it(folder):
    """The run's folder with the name that it had before names followed prompts."""
    manifest = json.loads((folder / "manifest.json").read_text())
    identity = manifest["identity"]
    del identity["prompts_sha256"], identity["system"]["prompt"]["date"]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:10]
    earlier = folder.rename(folder.with_name(f"mine-tiny-{digest}"))
    (earlier / "manifest.json").write_text(json.dumps(manifest | {"run": earlier.name}))
    return earlier


def test_a_run_of_an_earlier_build_is_gone_on_with_where_its_prompts_are_those_of_today(ask, tmp_path):
    text = 'mode = "generate"\nmax_new_tokens = 4'
    earlier = as_earlier_builds_named_it(tmp_path / ask(tiny.CHAT_TEMPLATE, answer=text).stdout.strip())
    records = earlier / "records.jsonl"
    whole = records.read_bytes()
    records.write_bytes(b"".join(whole.splitlines(keepends=True)[:3]))
    assert tmp_path / ask(tiny.CHAT_TEMPLATE, answer=text).stdout.strip() == earlier
    assert sorted(records.read_bytes().splitlines()) == sorted(whole.splitlines())
    other = [json.loads(line) | {"prompt_sha256": "0" * 64} for line in whole.splitlines()[:1]]
    records.write_text("".join(json.dumps({k: v for k, v in line.items() if k != "check"}) + "\n" for line in other))
    refused = ask(tiny.CHAT_TEMPLATE, answer=text)
    assert refused.returncode == 1 and "prompt_sha256: answers 000000000000" in refused.stderr


def test_a_run_of_an_earlier_build_whose_letters_were_read_begins_anew(ask, tmp_path):
    earlier = as_earlier_builds_named_it(tmp_path / ask(tiny.CHAT_TEMPLATE).stdout.strip())
    anew = tmp_path / ask(tiny.CHAT_TEMPLATE).stdout.strip()
    assert anew != earlier
    summed = summarise(anew.parent)
    assert [cell.run for cell in summed.cells] == [anew.name]
    says = "and says from which tokens letters were read"
    assert f"{earlier.name} is left out: {anew.name} asked the same again, {says}" in summed.notes
    records = anew / "records.jsonl"
    records.write_bytes(b"".join(records.read_bytes().splitlines(keepends=True)[:3]))  # not all of it was asked yet
    assert {cell.run for cell in summarise(anew.parent).cells} == {anew.name, earlier.name}
