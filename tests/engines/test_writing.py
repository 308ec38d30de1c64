"""Answers written by the short decoder against the library's `generate`, and how often it computes what."""

from random import Random

import pytest
import torch
from test_readout import FAMILIES, made, rows_of
from transformers import GraniteConfig, GraniteForCausalLM

from rimbench import engines
from rimbench.engines import Decoding, EngineChoice, Limits, Request, _writing
from rimbench.engines._graphs import Graphs
from rimbench.engines._lean import LeanDecoder
from rimbench.engines._readout import LetterReadout
from rimbench.engines._writing import LeanWriter, WrittenRow
from rimbench.records import Prompt

STOPS = [0, 1, 2, 5, 9]
WRITE, DRAW = Decoding(readout=False, max_new_tokens=20), Decoding(False, 8, 1.0, 0.95)


def writer(model, slots=64, stops=STOPS, graphs=None):
    return LeanWriter(LetterReadout(model, "cpu").lean, "cpu", stops, slots, graphs)


def written(writer, rows):
    ended = [row for group in writer.write(rows) for row in group]
    assert sorted(map(id, ended)) == sorted(map(id, rows))
    return [row.tokens for row in rows]


def greedy(prompts):
    return [WrittenRow(tuple(prompt), WRITE, None) for prompt in prompts]


def generated(model, prompt):
    ids = torch.tensor([prompt])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=20,
        do_sample=False,
        eos_token_id=STOPS,
        pad_token_id=0,
    )
    return out[0, len(prompt) :].tolist()


def count_tokens(model):
    """What the decoder is given, call by call."""
    counts = []
    model.base_model.embed_tokens.register_forward_hook(lambda _module, ids, _out: counts.append(ids[0].numel()))
    return counts


@pytest.mark.parametrize("hidden", [32, 256])  # the products are torch's own, and oneDNN's where it is there
@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_are_those_of_generate_whatever_number_of_slots_there_is(family, hidden):
    model = made(family, hidden)
    prompts = rows_of(model)
    wanted = [generated(model, prompt) for prompt in prompts]
    assert len({len(tokens) for tokens in wanted}) > 1, "some end by themselves"
    for slots in (1, 3, 64):
        by = writer(model, slots)
        assert written(by, greedy(prompts)) == wanted
        assert written(by, greedy(prompts)) == wanted, "the cache of the first call does not show in the second"


@pytest.mark.parametrize("hidden", [32, 256])  # slots, and pages
def test_draws_are_the_same_whatever_is_written_beside_them(hidden):
    model = made("qwen2", hidden)
    prompts = rows_of(model)

    def rows():
        return [WrittenRow(tuple(p), DRAW, Random(f"{i}:{s}")) for i, p in enumerate(prompts) for s in range(3)]

    together = written(writer(model), [*rows(), *greedy(prompts)])[: len(rows())]
    assert len(set(map(tuple, together))) > 15
    assert written(writer(model, slots=2), rows()) == together
    assert [written(writer(model), [row])[0] for row in rows()] == together


@pytest.mark.parametrize("hidden", [32, 256])  # slots, and pages
def test_each_prompt_is_computed_once_for_its_greedy_answer_and_eight_draws_and_each_row_while_it_writes(hidden):
    model = made("llama", hidden)
    by, prompts = writer(model, slots=10), rows_of(model)
    counts = count_tokens(model)
    rows = [
        WrittenRow(tuple(p), DRAW if s else WRITE, Random(f"{i}:{s}") if s else None)
        for i, p in enumerate(prompts)
        for s in range(9)
    ]
    tokens = written(by, rows)
    assert sum(counts) == sum(map(len, prompts)) + sum(len(one) - 1 for one in tokens)


def test_of_answers_of_mixed_lengths_the_steps_are_filled_with_rows_that_write(monkeypatch):
    """200 answers of 1 to 40 tokens in 8 slots: no row is computed in vain, 95% of the slots are in use."""
    model, chance = made("qwen3"), Random(0)
    by = writer(model, slots=8, stops=[])
    lengths = [chance.randint(1, 40) for _ in range(200)]
    counts, steps = count_tokens(model), []
    step = LeanDecoder.step
    monkeypatch.setattr(LeanDecoder, "step", lambda *given: steps.append(1) or step(*given))
    rows = [WrittenRow((i % 60, 3, i // 60), Decoding(False, length), None) for i, length in enumerate(lengths)]
    assert list(map(len, written(by, rows))) == lengths
    step_rows = sum(lengths) - 200
    assert sum(counts) == 3 * 200 + step_rows
    assert step_rows / (8 * len(steps)) >= 0.95


def test_a_row_that_never_ends_stops_at_its_limit():
    (row,) = greedy([[1, 2, 3]])
    assert written(writer(made("llama"), stops=[]), [row]) == [row.tokens]
    assert (len(row.tokens), row.finished) == (20, False)


@pytest.mark.parametrize(("hidden", "tokens"), [(32, 96), (256, 128)])  # slots, and pages
def test_a_cache_that_the_memory_does_not_hold_has_fewer_slots_and_says_so(monkeypatch, caplog, hidden, tokens):
    model = made("llama", hidden)
    prompts, by = rows_of(model), writer(model)
    wanted = written(by, greedy(prompts))
    row_bytes = LetterReadout(model, "cpu").lean.cache_bytes(tokens)
    monkeypatch.setattr(_writing, "free_bytes", lambda *_: int(2.5 * row_bytes / _writing.CACHE_SHARE))
    assert written(writer(model), greedy(prompts)) == wanted
    assert f"of 2 sequences of {tokens} tokens: so many are written at once instead of 7" in caplog.text


def test_a_model_that_is_not_written_here_goes_through_generate_in_batches(tmp_path, checkpoint):
    from transformers import AutoTokenizer

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    model = GraniteForCausalLM(
        GraniteConfig(
            vocab_size=272, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, initializer_range=0.2, eos_token_id=tokenizer.eos_token_id,
        )
    ).eval()  # fmt: skip
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    facts = engines.find("transformers").describe(EngineChoice(2))
    asked = [
        Request(str(i), Prompt("", tuple(range(3, 5 + i)), ""), (sample,), DRAW if sample else WRITE)
        for i in range(5)
        for sample in range(3)
    ]
    with engines.open_engine(tmp_path, facts, Limits(600, 0)) as engine:
        together = {(r.item_id, r.samples): a for group in engine.answer(asked, 0) for r, a in group}
        alone = {(r.item_id, r.samples): a for r, a in (next(engine.answer([r], 0))[0] for r in asked)}
    assert together == alone and len(together) == 15


@pytest.mark.parametrize("decoding", [WRITE, Decoding(readout=True, max_new_tokens=1)])
def test_where_the_turn_hangs_on_the_length_no_answer_hangs_on_a_longer_prompt_beside_it(tmp_path, decoding):
    import tiny
    from transformers import Qwen3Config

    folder = tiny.make_checkpoint(tmp_path)
    config = Qwen3Config.from_pretrained(folder)
    factors = {"short_factor": [1.0] * 16, "long_factor": [4.0 + i for i in range(16)]}
    config.rope_parameters = {
        "rope_type": "longrope", "factor": 16.0, "original_max_position_embeddings": 64, "rope_theta": 1e4, **factors
    }  # fmt: skip
    config.save_pretrained(folder)
    chance = Random(0)
    asked = [
        Request(
            str(i),
            Prompt("", tuple(chance.randrange(256) for _ in range(n)), "", {"A": 65, "B": 66, "C": 67}),
            (0,),
            decoding,
        )
        for i, n in enumerate((20, 200, 40, 30))
    ]
    facts = engines.find("transformers").describe(EngineChoice(4))
    with engines.open_engine(folder, facts, Limits(600, 0)) as engine:
        together = {r.item_id: a for group in engine.answer(asked, 0) for r, a in group}
        alone = {r.item_id: a for r, a in (next(engine.answer([r], 0))[0] for r in asked)}
    assert [together[i][0].text for i in sorted(alone)] == [alone[i][0].text for i in sorted(alone)]
    for i, [answer] in alone.items():
        assert together[i][0].option_logprobs == pytest.approx(answer.option_logprobs, abs=1e-4)


def test_a_checkpoint_without_an_end_token_is_said_in_one_line(tmp_path, caplog):
    import tiny

    folder = tiny.make_checkpoint(tmp_path)
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace('"eos_token_id"', '"no_id"').replace('"eos_token"', '"no_token"'))
    facts = engines.find("transformers").describe(EngineChoice())
    with engines.open_engine(folder, facts, Limits(600, 0)) as engine:
        request = Request("0", Prompt("", (1, 2, 3), ""), (0,), WRITE)
        [[(_, [answer])]] = engine.answer([request], 0)
    assert (answer.generated_tokens, answer.finished) == (20, False)
    assert [record.message for record in caplog.records if "end token" in record.message] == [
        f"rimbench: neither {folder} nor its tokenizer names an end token: what it writes ends at its limit"
    ]


class Shapes:
    """Stands where a GPU captures, for one that has none: what is replayed is computed again, at the same places."""

    def __init__(self):
        self.captured, self.replayed = 0, 0

    def __call__(self, compute, pool):
        self.captured += 1

        def replay():
            self.replayed += 1
            return compute()

        return replay


@pytest.mark.parametrize("family", FAMILIES)
def test_passes_padded_to_the_shapes_of_graphs_write_the_same_and_each_shape_is_captured_once(family):
    model, shapes = made(family, 32), Shapes()
    graphs = Graphs(used=True, capture=shapes)
    prompts = rows_of(model)
    captured = writer(model, slots=3, graphs=graphs)

    def rows():
        return [*greedy(prompts), *(WrittenRow(tuple(p), DRAW, Random(7 + len(p))) for p in prompts)]

    wanted = written(writer(model, slots=3), rows())
    assert written(captured, rows()) == wanted
    first = shapes.captured
    assert first >= 3 and graphs.capture_s > 0  # prompts, steps of 4 rows and of fewer
    assert written(captured, rows()) == wanted
    assert shapes.captured == first and shapes.replayed > 2 * first
    assert graphs.eager_passes > 0  # prompts that come in while others are written


def test_answers_of_one_batch_run_from_graphs_alone_and_where_a_replay_differs_all_run_eagerly(caplog):
    model = made("qwen3", 32)
    prompts = rows_of(model)
    graphs = Graphs(used=True, capture=Shapes())
    wanted = written(writer(model), greedy(prompts))
    assert written(writer(model, graphs=graphs), greedy(prompts)) == wanted
    assert graphs.used and graphs.eager_passes == 0

    wrong = Graphs(used=True, capture=lambda compute, pool: lambda: 2 * compute())
    assert written(writer(model, graphs=wrong), greedy(prompts)) == wanted
    assert not wrong.used and "other numbers" in caplog.text


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU captures the graph")
def test_where_no_graph_can_be_captured_the_same_is_written_eagerly_and_that_is_said(caplog):
    model = made("llama", 32)
    prompts = rows_of(model)
    graphs = Graphs(used=True)
    assert written(writer(model, graphs=graphs), greedy(prompts)) == written(writer(model), greedy(prompts))
    assert "passes run eagerly" in caplog.text and not graphs.used


@pytest.mark.skipif(not torch.cuda.is_available(), reason="graphs need a GPU")
def test_captured_steps_write_what_eager_ones_write():
    model = made("qwen3", 32).cuda()
    prompts = rows_of(model)
    graphs = Graphs(used=True)
    eager, captured = (
        LeanWriter(LetterReadout(model, "cuda").lean, "cuda", STOPS, 64, used) for used in (None, graphs)
    )
    assert written(captured, greedy(prompts)) == written(eager, greedy(prompts))
    assert graphs.used and graphs.eager_passes == 0
