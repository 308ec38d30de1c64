"""Every engine that is found keeps to its contract; an engine that breaks it in one way fails that check alone."""

import json
import time
from dataclasses import replace

import pytest
from tiny import build_prompt
from transformers import AutoTokenizer

from rimbench import checkpoints, engines, systems
from rimbench.conformance import CHECKS, check_engine
from rimbench.conformance.trial import hold
from rimbench.engines import Decoding, EngineChoice, Limits, Request, check_room
from rimbench.engines.transformers import TransformersEngine
from rimbench.records import Item, Trace

FOUND = [pytest.param(name, marks=pytest.mark.vllm) if name == "vllm" else name for name in engines.available()]
OPTIONS = {"A": "aspirin", "B": "bisoprolol", "C": "colchicine", "D": "digoxin"}


def runs_here(name):
    why_not = engines.known(name).obstacle()
    if why_not is not None:
        pytest.skip(f"{name}: {why_not}")
    return name


@pytest.mark.parametrize("name", FOUND)
def test_an_engine_that_is_found_keeps_to_its_contract(name):
    found = check_engine(runs_here(name))
    assert [o for o in found.outcomes if o.passed is False] == []
    tried = {o.check for o in found.outcomes if o.passed}
    assert tried == {check.name for check in CHECKS if engines.known(name).runs_model or not check.of_model}


@pytest.mark.parametrize("name", FOUND)
def test_it_keeps_to_it_on_random_weights_in_the_memory_tokens_layout_too(name, checkpoint):
    assert [o for o in check_engine(runs_here(name), checkpoint).outcomes if o.passed is False] == []


class Altered(TransformersEngine):
    """An engine with one fault: `change(request, answers)` gives what comes back of a request."""

    @classmethod
    def describe(cls, choice):
        return replace(super().describe(choice), name="altered")

    def answer(self, requests, seed):
        for group in super().answer(requests, seed):
            yield [(request, self.change(request, answers)) for request, answers in group]

    def ask_changed(self, requests, changed, seed):
        """What comes of changed requests, as of those that they were made from, in whatever order it comes."""
        own = {id(other): request for other, request in zip(changed, requests, strict=True)}
        for group in super().answer(changed, seed):
            yield [(own[id(other)], answers) for other, answers in group]

    def change(self, request, answers):
        return answers

    def each(self, answers, **changes):
        return [replace(answer, **{k: v(answer) for k, v in changes.items()}) for answer in answers]


class Renamed(Altered):
    """Says another way of launching at every call."""

    calls = 0

    @classmethod
    def describe(cls, choice):
        cls.calls += 1
        return replace(super().describe(choice), graphs=f"kind {cls.calls}")


class Twice(Altered):
    def answer(self, requests, seed):
        for group in super().answer(requests, seed):
            yield group + group[-1:]


class OneShort(Altered):
    def change(self, request, answers):
        return answers[:-1] if len(request.samples) == 3 else answers


class Unnormalised(Altered):
    def change(self, request, answers):
        if not request.decoding.readout or request.prompt.option_token_ids is None:
            return answers
        return self.each(answers, option_logprobs=lambda a: {k: v + 5e-4 for k, v in a.option_logprobs.items()})


class Softened(Altered):
    """Divides every log-probability, as a temperature does, and normalises."""

    def change(self, request, answers):
        import math

        def soft(answer):
            if answer.option_logprobs is None:
                return None
            total = math.log(sum(math.exp(v / 1.1) for v in answer.option_logprobs.values()))
            return {k: v / 1.1 - total for k, v in answer.option_logprobs.items()}

        return self.each(answers, option_logprobs=soft)


class Retokenised(Altered):
    """Gives the model the prompt's text, which its tokenizer writes in its own way."""

    def answer(self, requests, seed):
        mine = []
        for request in requests:
            ids = self._tokenizer.encode(self._tokenizer.decode(request.prompt.token_ids), add_special_tokens=False)
            mine.append(replace(request, prompt=replace(request.prompt, token_ids=tuple(ids))))
        yield from self.ask_changed(requests, mine, seed)


class NoMass(Altered):
    def change(self, request, answers):
        return self.each(answers, label_mass=lambda a: 1.0 if a.label_mass is not None else None)


class Stripped(Altered):
    """Takes something off a greedy text's end, from its 13th token on."""

    def change(self, request, answers):
        greedy = request.decoding.temperature == 0 and request.decoding.max_new_tokens > 12
        return self.each(answers, text=lambda a: f"{a.text}." if greedy else a.text)


class OtherFirst(Altered):
    def change(self, request, answers):
        if request.decoding.readout:
            return answers
        return self.each(answers, option_logprobs=lambda a: {k: v * 1.5 for k, v in a.option_logprobs.items()})


class Forgetful(Altered):
    """Another text at the second time that the same batch is asked greedily, and the first again at the third."""

    seen = 0

    def answer(self, requests, seed):
        self.second = False
        if len(requests) == 6 and requests[0].decoding.max_new_tokens == 48:
            self.seen += 1
            self.second = self.seen == 2
        yield from super().answer(requests, seed)

    def change(self, request, answers):
        return self.each(answers, text=lambda a: f"{a.text}." if self.second else a.text)


class Lonely(Altered):
    def answer(self, requests, seed):
        self.alone = len(requests) == 1 and requests[0].decoding.max_new_tokens == 48
        yield from super().answer(requests, seed)

    def change(self, request, answers):
        return self.each(answers, text=lambda a: f"{a.text}." if self.alone else a.text)


class Clocked(Altered):
    """Draws otherwise at the second time that the same draws are asked for."""

    seen = 0

    def answer(self, requests, seed):
        decoding = requests[0].decoding
        if len(requests) == 6 and len(requests[0].samples) == 3 and decoding.temperature > 0:
            self.seen += 1
        yield from super().answer(requests, seed + 1000 * (self.seen == 2))


class Seedless(Altered):
    def answer(self, requests, seed):
        yield from super().answer(requests, 0)


class Ordered(Altered):
    """Draws by the number of draws in the batch."""

    def answer(self, requests, seed):
        yield from super().answer(requests, seed + (0 if len(requests[0].samples) == 3 else 1))


class Wide(Altered):
    """Leaves top_p out."""

    def answer(self, requests, seed):
        wide = [replace(r, decoding=replace(r.decoding, top_p=1.0)) for r in requests]
        yield from self.ask_changed(requests, wide, seed)


class Uncounted(Altered):
    """Leaves the end token out of the count."""

    def change(self, request, answers):
        if request.decoding.readout or request.decoding.traced:
            return answers
        return self.each(answers, generated_tokens=lambda a: a.generated_tokens - 1)


class NeverCut(Altered):
    def change(self, request, answers):
        return self.each(answers, finished=lambda a: True)


class Cached(Altered):
    def change(self, request, answers):
        return self.each(answers, trace=lambda a: a.trace and Trace(a.trace.token_ids, a.trace.token_at, 4))


class Cutting(Altered):
    """Cuts a prompt that is too long at its start."""

    def __init__(self, folder, facts, limits):
        super().__init__(folder, facts, limits)
        self._room = limits.sequence_tokens

    def answer(self, requests, seed):
        mine = []
        for request in requests:
            ids = request.prompt.token_ids[-(self._room - request.decoding.max_new_tokens) :]
            mine.append(replace(request, prompt=replace(request.prompt, token_ids=ids)))
        yield from self.ask_changed(requests, mine, seed)


class Dying(Altered):
    dead = False

    def answer(self, requests, seed):
        if self.dead:
            raise RuntimeError("the engine is gone")
        try:
            yield from super().answer(requests, seed)
        except ValueError:
            self.dead = True
            raise


class Keeping(Altered):
    def close(self):
        """Frees nothing."""


class Closed(Altered):
    def __init__(self, folder, facts, limits):
        raise OSError("no such device")


FAULTS = {
    "facts": Renamed,
    "opens": Closed,
    "once": Twice,
    "samples": OneShort,
    "letters": Unnormalised,
    "readout": Softened,
    "token-ids": Retokenised,
    "label-mass": NoMass,
    "greedy": Stripped,
    "first-letter": OtherFirst,
    "again": Forgetful,
    "company": Lonely,
    "same-seed": Clocked,
    "other-draws": Seedless,
    "drawn-alone": Ordered,
    "top-p": Wide,
    "limit": Uncounted,
    "finished": NeverCut,
    "trace": Cached,
    "too-long": Cutting,
    "recovers": Dying,
    "closes": Keeping,
}


@pytest.mark.parametrize("check", [check.name for check in CHECKS])
def test_an_engine_with_one_fault_fails_the_check_of_it_alone(check):
    found = hold("altered", FAULTS[check])
    assert {o.check: o.found for o in found.outcomes if o.passed is False}.keys() == {check}
    assert not found.passed


class Untold(Altered):
    def change(self, request, answers):
        return self.each(answers, trace=lambda a: a.trace and replace(a.trace, cached_tokens=None))


def test_an_engine_that_loads_its_model_and_does_not_say_what_came_from_a_cache_is_told_so():
    [broken] = [outcome for outcome in hold("altered", Untold).outcomes if outcome.passed is False]
    assert broken.check == "trace" and "an unknown number of tokens from a cache" in broken.found


def test_an_engine_without_a_fault_passes():
    assert hold("altered", Altered).passed


def test_the_command_ends_with_exit_code_1_for_a_broken_engine_and_0_for_a_sound_one(rimbench, tmp_path):
    package = tmp_path / "site" / "broken-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[rimbench.engines]\nbroken = broken_engine:Broken\n")
    (tmp_path / "site" / "broken_engine.py").write_text(
        "from dataclasses import replace\nfrom rimbench.engines.transformers import TransformersEngine\n\n"
        "class Broken(TransformersEngine):\n"
        "    @classmethod\n    def describe(cls, choice):\n"
        "        return replace(super().describe(choice), name='broken')\n\n"
        "    def close(self):\n        pass\n"
    )
    import os
    from pathlib import Path

    env = {"PYTHONPATH": os.pathsep.join((str(tmp_path / "site"), str(Path(__file__).parents[2])))}
    done = rimbench("check-engine", "broken", "--json", env=env)
    document = json.loads(done.stdout)
    assert done.returncode == 1 and document["passed"] is False
    assert [o["check"] for o in document["outcomes"] if o["passed"] is False] == ["closes"]
    assert rimbench("check-engine", "broken", env=env).stdout.count("BROKEN") == 1
    assert rimbench("check-engine", "fake", env=env).returncode == 0
    assert "broken 1.0" in rimbench("check-engine", env=env).stdout
    assert rimbench("check-engine", "brokn", env=env).returncode == 2


def test_timing_does_not_pay_for_the_letters_share_and_reads_how_it_was_run(checkpoint):
    tokenizer = checkpoints.read_tokenizer(checkpoint)
    item = Item("1", "Which drug?", OPTIONS, "A")
    prompt = build_prompt(systems.load("rim-v1"), item, item.question, tokenizer)
    asked = [Request("1", prompt, (0,), Decoding(True, 1, traced=True))]
    facts = TransformersEngine.describe(EngineChoice(8))
    with engines.open_engine(checkpoint, facts, Limits(600, 0)) as engine:
        began = time.perf_counter()
        [[(_, [read])]] = engine.answer(asked, 0)
        assert (read.label_mass, read.trace.token_ids, read.trace.cached_tokens) == (None, (), 0)
        assert engine.conditions(asked[0].decoding).graphs in ("eager", "graphs")
        written = [replace(asked[0], decoding=Decoding(False, 6, traced=True))]
        [[(_, [text])]] = engine.answer(written, 0)
        assert began < text.trace.token_at[0] and text.trace.token_at[-1] < time.perf_counter()


def test_a_request_with_no_room_for_its_answer_is_too_long(checkpoint):
    tokenizer = checkpoints.read_tokenizer(checkpoint)
    item = Item("1", "Which drug?", OPTIONS, "A")
    prompt = build_prompt(systems.load("rim-v1"), item, item.question, tokenizer)
    length = len(prompt.token_ids)
    check_room([Request("1", prompt, (0,), Decoding(True, 9))], Limits(length + 1, 0))
    check_room([Request("1", prompt, (0,), Decoding(False, 9))], Limits(length + 9, 0))
    with pytest.raises(ValueError, match=f"item '1' needs {length + 9} tokens"):
        check_room([Request("1", prompt, (0,), Decoding(False, 9))], Limits(length + 8, 0))


@pytest.fixture(scope="module")
def tokenizer(checkpoint):
    return AutoTokenizer.from_pretrained(checkpoint)


@pytest.mark.parametrize("name", sorted(systems.available()))
def test_every_registered_system_builds_a_prompt_that_keeps_its_parts(tokenizer, name):
    system = systems.load(name)
    item = Item("1", "Which drug?", OPTIONS, "A")
    prompt = build_prompt(system, item, "Which drug?\nA: aspirin", tokenizer)
    assert tokenizer.decode(prompt.token_ids).endswith(system.prompt.prefix)
    assert prompt.text.count("<rim_m>") == (16 if system.memory else 0)
    letter_first = system.answer.mode == "readout" or system.answer.extraction == "first_letter"
    assert (prompt.option_token_ids is not None) == letter_first
