"""The single-pass readout against the model's own logits, and what happens where a short cut does not hold."""

import math

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from rimbench.engines import _lean
from rimbench.engines._graphs import Graphs
from rimbench.engines._letters import read_letter
from rimbench.engines._readout import LetterReadout, _parts

LETTERS = (7, 3, 11)
LENGTHS = (40, 5, 23, 23, 1, 17, 64)


@pytest.fixture(scope="module")
def model(checkpoint):
    return AutoModelForCausalLM.from_pretrained(checkpoint, attn_implementation="sdpa").eval()


def rows_of(model, lengths=LENGTHS):
    chance = torch.Generator().manual_seed(0)
    return [torch.randint(0, model.config.vocab_size, (n,), generator=chance).tolist() for n in lengths]


def plain(model, row):
    """The model's own way, one row at a time: all logits of the last position, then the letters'."""
    with torch.inference_mode():
        return model(torch.tensor([row])).logits[0, -1].float()[list(LETTERS)].tolist()


def read(readout, rows):
    with torch.inference_mode():
        return readout.logits(rows, LETTERS)


def test_rows_of_any_lengths_give_the_models_own_logits_in_their_order(model):
    rows = rows_of(model)
    for ours, row in zip(read(LetterReadout(model, "cpu"), rows), rows, strict=True):
        assert ours == pytest.approx(plain(model, row), abs=1e-4)


def test_the_total_is_log_sum_exp_of_the_whole_vocabulary_and_costs_the_letters_nothing(model):
    rows = rows_of(model)
    with torch.inference_mode():
        found = LetterReadout(model, "cpu").logits(rows, LETTERS, total=True)
        totals = [model(torch.tensor([row])).logits[0, -1].float().logsumexp(-1).item() for row in rows]
    assert [row[-1] for row in found] == pytest.approx(totals, abs=1e-4)
    assert [row[:-1] for row in found] == read(LetterReadout(model, "cpu"), rows)


FAMILIES = {
    "llama": (LlamaConfig, LlamaForCausalLM, {"attention_bias": True}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {}),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, {"head_dim": 24, "tie_word_embeddings": True}),
}


def made(family, hidden=32):
    config, model, own = FAMILIES[family]
    torch.manual_seed(0)
    return model(
        config(
            vocab_size=64, hidden_size=hidden, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, initializer_range=1.7 / hidden**0.5, **own,
        )
    ).eval()  # fmt: skip


@pytest.mark.parametrize("hidden", [32, 256])  # the products are torch's own, and oneDNN's where it is there
@pytest.mark.parametrize("family", FAMILIES)
def test_the_short_pass_of_each_family_is_taken_and_equals_the_models_own(family, hidden, caplog):
    model = made(family, hidden)
    rows = rows_of(model)
    wanted = [plain(model, row) for row in rows]  # before the weights are laid side by side
    readout = LetterReadout(model, "cpu")
    assert readout._lean is not None and caplog.text == ""
    for ours, own in zip(read(readout, rows), wanted, strict=True):
        assert ours == pytest.approx(own, abs=1e-4)
    for row, own in zip(rows, wanted, strict=True):
        assert plain(model, row) == pytest.approx(own, abs=1e-6)  # the model itself is what it was
        assert read(readout, [row])[0] == pytest.approx(own, abs=1e-4)


@pytest.mark.parametrize("hidden", [32, 256])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_large_models_weights_on_a_cpu_stay_where_they_are(family, hidden, monkeypatch):
    model = made(family, hidden)
    before = {name: weight.data_ptr() for name, weight in model.named_parameters()}
    monkeypatch.setattr(_lean, "LAID_OUT_AT_MOST", 0)
    readout = LetterReadout(model, "cpu")
    assert {name: weight.data_ptr() for name, weight in model.named_parameters()} == before
    assert readout._lean is not None
    for row in rows_of(model):
        assert read(readout, [row])[0] == pytest.approx(plain(model, row), abs=1e-4)


def test_a_model_that_departs_from_its_family_is_run_by_its_own_modules_and_says_so(caplog):
    model = made("llama")
    model.model.layers[1].mlp.act_fn = torch.nn.ReLU()
    rows = rows_of(model)
    for ours, row in zip(read(LetterReadout(model, "cpu"), rows), rows, strict=True):
        assert ours == pytest.approx(plain(model, row), abs=1e-5)
    assert "differs from the model's own" in caplog.text


def test_a_model_that_scales_its_logits_is_asked_for_them_and_says_so(caplog):
    torch.manual_seed(0)
    config = GraniteConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, logits_scaling=3.0, initializer_range=0.2,
    )  # fmt: skip
    scaled = GraniteForCausalLM(config).eval()
    readout = LetterReadout(scaled, "cpu")
    assert "the whole head is computed" in caplog.text
    rows = rows_of(scaled)
    for ours, row in zip(read(readout, rows), rows, strict=True):
        assert ours == pytest.approx(plain(scaled, row), abs=1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU captures the graph")
def test_where_no_graph_can_be_captured_the_same_pass_runs_eagerly_and_says_so(model, caplog):
    graphs, rows = Graphs(used=True), rows_of(model)
    for ours, row in zip(read(LetterReadout(model, "cpu", graphs), rows), rows, strict=True):
        assert ours == pytest.approx(plain(model, row), abs=1e-4)
    assert "passes run eagerly" in caplog.text and not graphs.used


@pytest.mark.skipif(not torch.cuda.is_available(), reason="graphs need a GPU")
def test_a_captured_pass_gives_what_the_eager_one_gives_on_rows_of_other_lengths(checkpoint):
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.bfloat16).eval().cuda()
    graphs = Graphs(used=True)
    eager, captured = LetterReadout(model, "cuda"), LetterReadout(model, "cuda", graphs)
    for row in rows_of(model):
        assert read(captured, [row])[0] == pytest.approx(read(eager, [row])[0], abs=0.05)
    assert graphs.used


def test_parts_hold_every_row_once_within_their_tokens_and_hardly_pad():
    lengths = [1 + (37 * i) % 300 for i in range(256)]
    parts = list(_parts(lengths, 1024))
    assert sorted(place for part in parts for place in part) == list(range(256))
    padded = [len(part) * max(lengths[i] for i in part) for part in parts]
    assert max(padded) <= 1024
    assert sum(lengths) / sum(padded) > 0.97
    assert list(_parts([2000, 10], 1024)) == [[0], [1]]
    assert list(_parts([], 1024)) == []


def test_a_tie_goes_to_the_first_letter_and_probabilities_are_over_the_items_own_letters():
    answer = read_letter({"A": 7, "B": 3, "C": 11}, {7: 1.0, 3: 2.0, 11: 2.0, 99: 50.0})
    assert answer.text == "B"
    assert answer.option_logprobs["B"] == answer.option_logprobs["C"] == pytest.approx(-0.8619948)
    assert answer.option_logprobs["A"] == pytest.approx(-1.8619948)


def test_the_label_mass_is_what_the_whole_vocabulary_leaves_to_the_letters():
    logits = {5: 0.0, 9: 0.0, 2: 1.0}  # exp: 1, 1, e
    everything = math.log(2 * (2 + math.e))
    assert read_letter({"A": 5, "B": 9, "C": 2}, logits, vocabulary=everything).label_mass == pytest.approx(0.5)
    assert read_letter({"A": 5, "B": 9}, logits, vocabulary=everything).label_mass == pytest.approx(1 / (2 + math.e))
    assert read_letter({"A": 5, "B": 9}, logits).label_mass is None


def test_prompts_of_all_widths_share_a_few_tables_of_turns():
    model = made("llama")
    readout, tables = LetterReadout(model, "cpu"), []
    model.model.rotary_emb.register_forward_hook(lambda *_: tables.append(1))
    for row in rows_of(model, range(1, 65)):
        read(readout, [row])
    assert len(tables) <= 7  # one a power of two, not one a width: of long prompts they would be gigabytes
