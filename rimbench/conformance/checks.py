"""The requirements as data: each one sentence, and the function that looks whether an engine keeps to it.

Their order is that in which they are tried: what may leave an engine broken comes last.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from rimbench.checkpoints import weight_files
from rimbench.conformance.exchange import (
    DRAW,
    NARROW,
    READ,
    SAMPLES,
    SEED,
    SHORT,
    TRACED,
    WRITE,
    BySample,
    Exchange,
    held_bytes,
)
from rimbench.conformance.looks import Look, apart, near, none_of, same, tolerance
from rimbench.engines import EngineChoice, Request
from rimbench.errors import RimbenchError
from rimbench.records import Prompt

CHOICES = (EngineChoice(), EngineChoice(batch_size=3), EngineChoice(eager=True), EngineChoice(dtype="float32"))


@dataclass(frozen=True, slots=True)
class Check:
    """A requirement: its name, one sentence, and the look at an engine; `of_model` where a script has no part."""

    name: str
    requires: str
    look: Callable[[Exchange], Look]
    of_model: bool = True


def _facts(exchange: Exchange) -> Look:
    engine = exchange.engine_class
    faults = []
    for choice in CHOICES:
        facts, again = engine.describe(choice), engine.describe(choice)
        if facts != again:
            faults.append(f"{facts} and then {again}")
        if facts.name != exchange.name or not facts.device or not facts.dtype:
            faults.append(f"name {facts.name!r}, device {facts.device!r}, dtype {facts.dtype!r}")
        if choice.batch_size is not None and facts.batch_size != choice.batch_size:
            faults.append(f"batch size {facts.batch_size} where {choice.batch_size} was chosen")
        if engine.runs_model and choice.dtype is not None and facts.dtype != choice.dtype:
            faults.append(f"dtype {facts.dtype} where {choice.dtype} was chosen")
    return none_of(faults, f"equal facts of '{exchange.name}' for an equal choice, with what was chosen")


def _opens(exchange: Exchange) -> Look:
    facts = exchange.open()
    return Look(True, "an open engine", f"{facts.name} on {facts.device} in {facts.dtype}")


def _once(exchange: Exchange) -> Look:
    faults = []
    for back, asked in (
        (exchange.came_back, exchange.requests(READ)),
        (exchange.draws_back, exchange.requests(DRAW, SAMPLES)),
    ):
        came = [request.item_id for request, _ in back]
        faults += [f"{r.item_id} {came.count(r.item_id)} times" for r in asked if came.count(r.item_id) != 1]
        faults += [f"{r.item_id} altered" for r, _ in back if r not in asked]
    return none_of(faults, "every request back once, itself")


def _count(exchange: Exchange) -> Look:
    back = [*exchange.came_back, *exchange.draws_back]
    faults = [
        f"{r.item_id}: {len(answers)} of {len(r.samples)}" for r, answers in back if len(answers) != len(r.samples)
    ]
    return none_of(faults, "one answer for each sample")


def _letters(exchange: Exchange) -> Look:
    faults = []
    for (item, _), answer in exchange.read.items():
        wanted = list(_prompt(exchange, item).option_token_ids or {})
        found = answer.option_logprobs or {}
        total = math.fsum(math.exp(value) for value in found.values())
        if list(found) != wanted or abs(total - 1) > 1e-4:
            faults.append(f"{item}: {''.join(found)} of {''.join(wanted)}, together {total:.6f}")
        elif answer.text != max(found, key=found.__getitem__):
            faults.append(f"{item}: text {answer.text!r}, best {max(found, key=found.__getitem__)}")
        elif (answer.generated_tokens, answer.finished) != (0, True):
            faults.append(f"{item}: {answer.generated_tokens} tokens, finished {answer.finished}")
    return none_of(faults, "the item's letters, together 1, the best as text, of 0 tokens")


def _read_as_reference(exchange: Exchange) -> Look:
    wanted = {item: exchange.reference.readout(_prompt(exchange, item))[0] for item, _ in exchange.read}
    return near(exchange, ((exchange.read[i, 0].option_logprobs, values) for i, values in wanted.items()))


def _token_ids(exchange: Exchange) -> Look:
    """The same text in two ways of tokens, which are far apart for the model itself."""
    faults = []
    for i, prompt in enumerate(exchange.prompts[2::3]):
        other = exchange.reference.split(prompt)
        theirs = [exchange.reference.readout(p)[0] for p in (prompt, other)]
        (one,), (two,) = (list(exchange.ask(exchange.requests(READ, prompts=[p])).values()) for p in (prompt, other))
        moved, should = apart(one.option_logprobs, two.option_logprobs), apart(*theirs)
        if should > 10 * tolerance(exchange) and moved < should / 4:
            faults.append(f"prompt {i}: {moved:.3g} apart, {should:.3g} by the model")
    return none_of(faults, "other tokens of the same text answered as other tokens")


def _mass(exchange: Exchange) -> Look:
    faults = []
    for (item, _), answer in exchange.read.items():
        mass, wanted = answer.label_mass, exchange.reference.readout(_prompt(exchange, item))[1]
        if mass is None or not 0 <= mass <= 1 or abs(mass - wanted) > tolerance(exchange):
            faults.append(f"{item}: {mass}, by the model {wanted:.6f}")
    return none_of(faults, "the model's probability of the letters among all tokens, 0 to 1")


def _greedy(exchange: Exchange) -> Look:
    faults = []
    for (item, _), answer in exchange.written.items():
        wanted = exchange.reference.text(exchange.reference.write(_prompt(exchange, item), WRITE.max_new_tokens))
        if answer.text != wanted:
            faults.append(f"{item}: {answer.text!r} for {wanted!r}")
    return none_of(faults, "the model's own greedy texts")


def _first_letter(exchange: Exchange) -> Look:
    return near(
        exchange,
        ((answer.option_logprobs, exchange.read[key].option_logprobs) for key, answer in exchange.written.items()),
    )


def _again(exchange: Exchange) -> Look:
    again = exchange.ask(exchange.requests(WRITE))
    return same(exchange.written, again, "the same greedy texts when asked again")


def _company(exchange: Exchange) -> Look:
    faults = []
    for decoding, together in ((READ, exchange.read), (WRITE, exchange.written)):
        for request in exchange.requests(decoding):
            (alone,) = exchange.ask([request]).values()
            other = together[request.item_id, 0]
            differ = apart(alone.option_logprobs, other.option_logprobs)
            if alone.text != other.text or differ > tolerance(exchange):
                faults.append(
                    f"{request.item_id}: {alone.text!r} alone, {other.text!r} in a batch, {differ:.3g} apart"
                )
    return none_of(faults, f"the same alone as in a batch, within {tolerance(exchange):g}")


def _same_seed(exchange: Exchange) -> Look:
    again = exchange.ask(exchange.requests(DRAW, SAMPLES))
    return same(exchange.drawn, again, "the same draws of one seed")


def _other_draws(exchange: Exchange) -> Look:
    """Of 18 draws at a high temperature, nearly all differ; half of them would already be no chance."""
    other = exchange.ask(exchange.requests(DRAW, SAMPLES), SEED + 1)
    equal = sum(answer.text == other[key].text for key, answer in exchange.drawn.items())
    repeated = len(exchange.drawn) - len({(item, answer.text) for (item, _), answer in exchange.drawn.items()})
    held = max(equal, repeated) < len(exchange.drawn) / 2
    return Look(
        held,
        f"fewer than half of {len(exchange.drawn)} draws equal those of another seed or number",
        f"{equal} equal those of another seed, {repeated} those of another number",
    )


def _drawn_alone(exchange: Exchange) -> Look:
    alone: BySample = {}
    for request in exchange.requests(DRAW, SAMPLES):
        for sample in reversed(SAMPLES):
            alone |= exchange.ask([Request(request.item_id, request.prompt, (sample,), DRAW)])
    return same(exchange.drawn, alone, "the same draw whatever is drawn with it")


def _narrow(exchange: Exchange) -> Look:
    faults = []
    for (item, _), answer in exchange.ask(exchange.requests(NARROW, (1,))).items():
        wanted = exchange.reference.text(exchange.reference.write(_prompt(exchange, item), NARROW.max_new_tokens))
        if answer.text != wanted:
            faults.append(f"{item}: {answer.text!r} for {wanted!r}")
    return none_of(faults, "a draw within a top_p of nearly 0 is the greedy text")


def _limit(exchange: Exchange) -> Look:
    short = exchange.ask(exchange.requests(SHORT))
    texts = {item: exchange.reference.write(_prompt(exchange, item), SHORT.max_new_tokens) for item, _ in short}
    faults = [
        f"{item}: {answer.generated_tokens} tokens, {answer.text!r}"
        for (item, _), answer in short.items()
        if answer.generated_tokens != len(texts[item].token_ids)
        or len(answer.text) > len(exchange.reference.text(texts[item]))
    ]
    return none_of(faults, f"at most {SHORT.max_new_tokens} tokens, counted with the end token")


def _finished(exchange: Exchange) -> Look:
    faults = []
    for decoding, found in ((SHORT, exchange.ask(exchange.requests(SHORT))), (WRITE, exchange.written)):
        for (item, _), answer in found.items():
            wanted = exchange.reference.write(_prompt(exchange, item), decoding.max_new_tokens).finished
            if answer.finished != wanted:
                faults.append(f"{item} within {decoding.max_new_tokens} tokens: {answer.finished} for {wanted}")
    return none_of(faults, "finished exactly where the text ends by itself")


def _trace(exchange: Exchange) -> Look:
    engine, decode = exchange.engine_class, exchange.reference.tokenizer.decode
    faults = []
    for (item, _), answer in exchange.ask(exchange.requests(TRACED)).items():
        trace = answer.trace
        if trace is None:
            faults.append(f"{item}: no trace")
        elif trace.cached_tokens is None and not engine.on_server:
            faults.append(f"{item}: an unknown number of tokens from a cache")
        elif trace.cached_tokens:
            faults.append(f"{item}: {trace.cached_tokens} tokens from a cache")
        elif engine.times_tokens and not (
            len(trace.token_at) == len(trace.token_ids) == answer.generated_tokens
            and list(trace.token_at) == sorted(trace.token_at)
            and decode(trace.token_ids, skip_special_tokens=True) == answer.text
        ):
            faults.append(f"{item}: {len(trace.token_ids)} tokens and {len(trace.token_at)} times of {answer.text!r}")
    return none_of(faults, "a trace of every token in its order, none of a prompt from a cache")


def _too_long(exchange: Exchange) -> Look:
    long = exchange.prompts[0]
    ids = (long.token_ids * exchange.reference.context_tokens)[: exchange.reference.context_tokens - 1]
    prompt = exchange.reference.prompt(ids, 4)
    for decoding, tokens in ((WRITE, len(ids)), (READ, len(ids) + 1)):
        asked = prompt if decoding is WRITE else exchange.reference.prompt((*ids, ids[0]), 4)
        try:
            exchange.groups([*exchange.requests(decoding)[:1], *exchange.requests(decoding, prompts=[asked])])
        except RimbenchError as error:
            return Look(False, "an error of the item, which the run goes on from", f"{type(error).__name__}: {error}")
        except Exception:
            continue
        return Look(False, "ValueError", f"an answer to {tokens} tokens and {decoding.max_new_tokens} new ones")
    return Look(True, "an error", "an error")


def _recovers(exchange: Exchange) -> Look:
    again = exchange.ask(exchange.requests(WRITE))
    return same(exchange.written, again, "the same answers after an error as before it")


def _closes(exchange: Exchange) -> Look:
    exchange.engine.close()
    left = max(0, held_bytes() - exchange.bytes_before)
    weights = sum(file.stat().st_size for file in weight_files(exchange.folder))
    return Look(left < weights / 10, f"less than a tenth of {weights} bytes left", f"{left} bytes left")


CHECKS = (
    Check("facts", "The same choice gives the same facts, with the engine's name, device and dtype.", _facts, False),
    Check("opens", "A checkpoint folder is opened.", _opens, False),
    Check("once", "Every request is answered once.", _once, False),
    Check("samples", "A request has as many answers as samples.", _count, False),
    Check("letters", "A readout is of the item's letters, whose probabilities sum to 1.", _letters, False),
    Check("readout", "A readout's log-probabilities are those of a plain pass.", _read_as_reference),
    Check("token-ids", "The model is given the prompt's token ids, not its text.", _token_ids),
    Check("label-mass", "label_mass is what the letters hold of the whole vocabulary.", _mass),
    Check("greedy", "At temperature 0 the model's own greedy text is written.", _greedy),
    Check("first-letter", "A written answer's letters have the readout's log-probabilities.", _first_letter),
    Check("again", "The same greedy request has the same answer.", _again),
    Check("company", "An answer does not depend on what is asked with it.", _company),
    Check("same-seed", "The same seed draws the same samples.", _same_seed),
    Check("other-draws", "Another seed, and another number of a sample, draws another text.", _other_draws),
    Check("drawn-alone", "A draw does not depend on what is drawn with it.", _drawn_alone),
    Check("top-p", "A draw keeps within top_p.", _narrow),
    Check("limit", "No more than max_new_tokens are written, and generated_tokens counts them.", _limit),
    Check("finished", "finished says whether the text ended by itself.", _finished),
    Check(
        "trace",
        "A traced answer says which tokens came, when, and that none came from a cache, where it can be known.",
        _trace,
    ),
    Check("too-long", "A request beyond the longest sequence is an error of its own and never cut.", _too_long),
    Check("recovers", "After an error the engine goes on answering.", _recovers, False),
    Check("closes", "Closing frees the weights.", _closes, False),
)


def _prompt(exchange: Exchange, item: str) -> Prompt:
    return exchange.prompts[int(item.removeprefix("item-"))]
