"""Decision models: what is asked in each protocol and read of its replies, and a real one that comes in a package."""

import json
import math
import sys

import pytest
from served import Scripted, running, serving

import rimbench
from rimbench import systems
from rimbench.engines import at_server
from rimbench.engines._decisions import answer_of, body_of
from rimbench.errors import ConfigError, EngineError, UsageError
from rimbench.records import Decision
from rimbench.running.plans import find_served

OPTIONS = {"A": "16", "B": "10"}
REPLIES = {
    "systemone": {
        "model": "m",
        "answers": {
            "answer": {"type": "choice", "choice": "B", "confidence": 0.5, "probabilities": {"A": 0.25, "B": 0.75}}
        },
        "usage": {"input_tokens": 7, "output_tokens": 0},
    },
    "openai": {
        "model": "m",
        "answers": [
            {
                "type": "choice",
                "name": "answer",
                "choice": "B",
                "confidence": 0.5,
                "probabilities": [{"value": "A", "probability": 0.25}, {"value": "B", "probability": 0.75}],
            }
        ],
        "usage": {"input_tokens": 7, "output_tokens": 0, "total_tokens": 7},
    },
    "sglang": {
        "object": "decisions",
        "model": "m",
        "prompt_format_version": "1",
        "answers": {
            "answer": {"type": "choice", "choice": "B", "probabilities": {"B": 0.75, "A": 0.25}, "label_mass": 0.9}
        },
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    },
}


def asked(protocol):
    return Decision(protocol, "Dose now?", "Which is right?", OPTIONS)


def altered(protocol, **changes):
    reply = json.loads(json.dumps(REPLIES[protocol]))
    answers = reply["answers"]
    (answers[0] if isinstance(answers, list) else answers["answer"]).update(changes)
    return reply


def test_the_question_is_the_state_and_the_options_are_the_criteria():
    assert body_of(asked("systemone"), "m") == {
        "model": "m",
        "state": "Dose now?",
        "questions": {"answer": {"type": "choice", "instructions": "Which is right?", "criteria": OPTIONS}},
    }
    choices = [{"value": "A", "description": "16"}, {"value": "B", "description": "10"}]
    assert body_of(asked("openai"), "m") == {
        "model": "m",
        "input": "Dose now?",
        "questions": [{"type": "choice", "name": "answer", "instructions": "Which is right?", "choices": choices}],
    }
    named = [{"name": "A", "description": "16"}, {"name": "B", "description": "10"}]
    assert body_of(asked("sglang"), "m") == {
        "model": "m",
        "input": "Dose now?",
        "questions": [{"id": "answer", "type": "choice", "question": "Which is right?", "options": named}],
    }


@pytest.mark.parametrize(
    ("protocol", "confidence", "mass", "tokens"),
    [("systemone", 0.5, None, 7), ("openai", 0.5, None, 7), ("sglang", None, 0.9, 7)],
)
def test_probabilities_are_kept_by_letter_and_confidence_apart(protocol, confidence, mass, tokens):
    model, answer = answer_of(asked(protocol), REPLIES[protocol])
    assert (model, answer.text, answer.confidence, answer.label_mass) == ("m", "B", confidence, mass)
    assert list(answer.option_logprobs) == ["A", "B"]
    assert answer.option_logprobs == pytest.approx({"A": math.log(0.25), "B": math.log(0.75)})
    assert answer.prompt_tokens == tokens


def test_probabilities_that_were_rounded_add_up_to_one():
    reply = altered("systemone", probabilities={"A": 0.3334, "B": 0.6665})
    _, answer = answer_of(asked("systemone"), reply)
    assert math.fsum(map(math.exp, answer.option_logprobs.values())) == pytest.approx(1)


def test_an_option_of_probability_zero_stays_one():
    _, answer = answer_of(asked("systemone"), altered("systemone", probabilities={"A": 0, "B": 1}))
    assert answer.option_logprobs == {"A": -math.inf, "B": 0.0}


def test_a_refusal_is_no_fault():
    reply = REPLIES["openai"] | {"answers": [{"type": "refusal", "name": "answer"}]}
    _, answer = answer_of(asked("openai"), reply)
    assert answer.refused
    assert answer.option_logprobs is None


@pytest.mark.parametrize("protocol", REPLIES)
@pytest.mark.parametrize("more", [{}, {"choice": None, "probabilities": None, "confidence": None}])
def test_a_refusal_is_one_in_every_protocol_whatever_stands_beside_it(protocol, more):
    reply = json.loads(json.dumps(REPLIES[protocol]))
    refusal = {"type": "refusal", "name": "answer"} | more
    reply["answers"] = [refusal] if protocol == "openai" else {"answer": refusal}
    assert answer_of(asked(protocol), reply)[1].refused


@pytest.mark.parametrize("protocol", REPLIES)
def test_what_rounding_puts_out_of_its_bounds_is_put_back(protocol):
    shares = {"A": 0.0, "B": 1 + 1e-7}
    listed = [{"value": letter, "probability": share} for letter, share in shares.items()]
    reply = altered(protocol, probabilities=listed if protocol == "openai" else shares, confidence=1 + 1e-7)
    _, answer = answer_of(asked(protocol), reply)
    assert (answer.option_logprobs["B"], answer.confidence) == (0.0, 1.0)
    _, answer = answer_of(asked(protocol), altered(protocol, confidence=-1e-9))
    assert answer.confidence == 0.0


def test_the_share_of_the_letters_may_be_all():
    _, answer = answer_of(asked("sglang"), altered("sglang", label_mass=1 + 1e-7))
    assert answer.label_mass == 1.0


@pytest.mark.parametrize("given", REPLIES)
@pytest.mark.parametrize("wanted", REPLIES)
def test_protocols_are_told_apart_by_what_they_answer(given, wanted):
    if given == wanted:
        answer_of(asked(wanted), REPLIES[given])
        return
    with pytest.raises(EngineError, match=f"answers in the protocol '{given}', '{wanted}' was asked"):
        answer_of(asked(wanted), REPLIES[given])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"probabilities": {"A": 1.0}}, "gave the probabilities of A, the question has A, B"),
        ({"probabilities": {"A": 0.2, "B": 0.7, "C": 0.1}}, "gave the probabilities of A, B, C"),
        ({"probabilities": {}}, "gave the probabilities of none"),
        ({"probabilities": {"A": 0.2, "B": 0.7}}, "probabilities are none"),
        ({"probabilities": {"A": -0.25, "B": 1.25}}, "probabilities are none"),
        ({"probabilities": {"A": math.nan, "B": 1.0}}, "probabilities are none"),
        ({"probabilities": {"A": "0.25", "B": 0.75}}, r"A: expected a number, without quotes \(got '0.25'\)"),
        ({"choice": "A"}, "chose 'A', while B is more probable"),
        ({"choice": "Z"}, "chose 'Z', while B is more probable"),
        ({"confidence": 1.5}, "confidence is none: 1.5"),
        ({"confidence": math.nan}, "confidence is none"),
        ({"type": "noul"}, "expected 'choice'"),
        ({"type": None}, "expected 'choice'"),
        ({"choice": None}, "chose None, while B is more probable"),
        ({"probabilities": {"A": 25, "B": 75}}, "probabilities are none: 25"),
        ({"probabilities": {"A": False, "B": True}}, r"expected a number \(got false\)"),
        ({"probabilities": {"a": 0.25, "b": 0.75}}, "gave the probabilities of a, b, the question has A, B"),
        ({"probabilities": None}, "gave the probabilities of none"),
        ({"confidence": True}, r"confidence: expected a number \(got true\)"),
        ({"confidence": "0.75"}, "confidence: expected a number, without quotes"),
        ({"label_mass": 3}, "label mass is none: 3"),
    ],
)
def test_a_reply_that_cannot_be_is_no_answer(changes, fault):
    with pytest.raises(ValueError, match=fault):
        answer_of(asked("systemone"), altered("systemone", **changes))


@pytest.mark.parametrize(
    "reply", [{}, {"answers": None}, {"answers": {}}, {"answers": {"other": {}}}, {"answers": []}, {"answers": [{}]}]
)
@pytest.mark.parametrize("protocol", REPLIES)
def test_a_reply_of_another_form_is_no_answer(protocol, reply):
    with pytest.raises((ValueError, EngineError)):
        answer_of(asked(protocol), reply)


def test_two_probabilities_for_one_option_are_none():
    twice = [{"value": "A", "probability": 0.5}, {"value": "A", "probability": 0.5}]
    with pytest.raises(ValueError, match="two probabilities"):
        answer_of(asked("openai"), altered("openai", probabilities=twice))


def test_an_answer_to_another_question_is_none():
    with pytest.raises(ValueError, match="answered the question 'other', 'answer' was asked"):
        answer_of(asked("openai"), altered("openai", name="other"))
    assert answer_of(asked("openai"), altered("openai", name=None))[1].text == "B"


def write_system(folder, protocol, model="scripted", more=""):
    file = folder / f"{protocol}.toml"
    file.write_text(
        f'description = "Decides"\n[weights]\nserved = "{model}"\n[answer]\nmode = "readout"\n'
        f'decision = "{protocol}"\n{more}'
    )
    return str(file)


class Refusing(Scripted):
    def complete(self, asked):
        return 200, {"model": self.name, "answers": [{"type": "refusal"}], "usage": {"input_tokens": 9}}


def test_refusals_are_kept_as_refused_draws_too(tmp_path):
    with serving(Refusing()) as server:
        server.paths["/v1/decisions"] = server.model.complete
        done = rimbench.run(
            write_system(tmp_path, "openai"), "demo-in-dist", limit=3, samples=2, engine="server",
            base_url=server.url, results=tmp_path / "results",
        )  # fmt: skip
    rows = [json.loads(x) for x in (done.runs[0].folder / "records.jsonl").read_text().splitlines()]
    assert [(row["status"], row["answer"], row["prompt_tokens"]) for row in rows] == [("refused", None, 9)] * 9


@pytest.mark.parametrize(
    "more",
    ["[memory]\nblocks = 2\nmemory_tokens = 2\n", '[prompt]\nprefix = "x"\n', "[prompt.chat_template]\nx = true\n"],
)
def test_a_decision_has_no_place_for_settings_of_a_prompt(tmp_path, more):
    system = systems.load(write_system(tmp_path, "systemone", more=more))
    with serving(Scripted()) as server, at_server(server.url), pytest.raises(UsageError, match="asks for decisions"):
        find_served(system, "server")


def test_a_decision_is_read_out(tmp_path):
    file = tmp_path / "written.toml"
    file.write_text(
        'description = "x"\n[weights]\nserved = "m"\n'
        '[answer]\nmode = "generate"\nmax_new_tokens = 2\ndecision = "systemone"\n'
    )
    with pytest.raises(ConfigError, match="a decision belongs to mode 'readout'"):
        systems.load(str(file))


@pytest.fixture
def sparrow(tmp_path):
    """A real decision model on loopback, which its package carries; gives its URL."""
    pytest.importorskip("sparrow_decider")
    start = "from sparrow_decider.cli import main; main()"
    with running(tmp_path, sys.executable, "-c", start, "serve", "--port") as url:
        yield url


def test_a_real_decision_model_is_run_and_compared_with_memory_on_the_same_items(sparrow, tmp_path):
    file, results = write_system(tmp_path, "systemone", model="sparrow-nano-general-v1.1"), tmp_path / "results"
    rimbench.run(file, "demo-in-dist", limit=20, engine="server", base_url=sparrow, results=results)
    rimbench.run("nano-rim-v2", "demo-in-dist", limit=20, engine="transformers", results=results)
    report = rimbench.report(results).document
    by_system = {cell["system"]: cell for cell in report["cells"]}
    assert set(by_system) == {"systemone", "nano-rim-v2"}
    assert by_system["systemone"]["statuses"]["ok"] == 20
    assert by_system["systemone"]["ece"] is not None
    [pair] = [p for p in report["comparisons"] if {p["a"], p["b"]} == set(by_system)]
    assert pair["n"] == 20


def test_a_decision_model_of_another_name_is_refused(sparrow, tmp_path):
    with pytest.raises(EngineError, match=r"answered for model 'sparrow-nano-.*', 'sparrow-9' was asked"):
        rimbench.run(
            write_system(tmp_path, "systemone", model="sparrow-9"), "demo-in-dist", limit=2, engine="server",
            base_url=sparrow, results=tmp_path / "results",
        )  # fmt: skip
