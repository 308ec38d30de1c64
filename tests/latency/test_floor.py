"""The floor against figures worked by hand for Qwen3-1.7B, and its own laws."""

import pytest

from rimbench.errors import ConfigError
from rimbench.latency.floor import (
    GPUS,
    ModelShape,
    decode_work,
    least_generation_s,
    least_prefill_s,
    prefill_work,
    saturated_floor,
    shape_of,
)

QWEN3 = ModelShape(
    layers=28, hidden=2048, intermediate=6144, query_heads=16, key_value_heads=8, head_size=128, vocabulary=151_936
)  # fmt: skip
PRO, H100 = GPUS["RTX PRO 6000"], GPUS["H100 SXM"]


def test_weights_are_counted_matrix_by_matrix():
    # A layer: q and o 2048x2048 each, k and v 2048x1024 each, three times 2048x6144: 50,331,648.
    assert QWEN3.body_weights == 28 * 50_331_648
    assert QWEN3.weight_bytes() == 2 * (28 * 50_331_648 + 2048 * 151_936)
    assert QWEN3.weight_bytes() / 1e9 == pytest.approx(3.44, abs=0.005)


def test_a_pass_over_300_tokens_is_0_857_tflop():
    # Body 0.8456, causal attention over 45,150 pairs 0.0104, the head at one position 0.0006.
    assert prefill_work(QWEN3, 300).flop / 1e12 == pytest.approx(0.857, abs=0.0005)


@pytest.mark.parametrize(("device", "least_ms"), [(PRO, 1.92), (H100, 1.03)])
def test_one_pass_over_300_tokens_takes_the_time_of_reading_the_weights(device, least_ms):
    assert 1000 * least_prefill_s(QWEN3, device, 300) == pytest.approx(least_ms, abs=0.005)


@pytest.mark.parametrize(
    ("device", "generated", "least_s"),
    [(PRO, 520, 1.02), (H100, 520, 0.54), (PRO, 1460, 2.90), (H100, 1460, 1.55)],
)
def test_generating_takes_a_pass_a_token_and_reads_the_context(device, generated, least_s):
    assert least_generation_s(QWEN3, device, 300, generated) == pytest.approx(least_s, abs=0.005)


def test_the_keys_and_values_of_one_token_are_112_kib():
    assert QWEN3.key_value_bytes == 2 * 28 * 8 * 128 * 2 == 114_688
    assert decode_work(QWEN3, 400).bytes_read - QWEN3.weight_bytes() == 400 * 114_688


def test_a_sliced_head_makes_the_pass_compute_bound_on_the_rtx_pro_6000():
    work = prefill_work(QWEN3, 300, head_rows=10)
    assert work.bytes_read == 2 * (QWEN3.body_weights + 10 * 2048)
    assert 1000 * work.least_s(PRO) == pytest.approx(
        0.8560 / 0.5038, abs=0.005
    )  # 1.70 ms of arithmetic, 1.57 of reading


def test_a_batch_reads_the_weights_once_and_computes_for_each():
    one, many = prefill_work(QWEN3, 300), prefill_work(QWEN3, 300, batch=64)
    assert (many.bytes_read, many.flop) == (one.bytes_read, 64 * one.flop)


def test_one_generated_token_is_one_pass_and_none_is_refused():
    assert least_generation_s(QWEN3, PRO, 300, 1) == least_prefill_s(QWEN3, PRO, 300)
    with pytest.raises(ValueError, match="a token at least"):
        least_generation_s(QWEN3, PRO, 300, 0)


def test_a_saturated_batch_shrinks_the_ratio_to_about_13_and_62():
    readout = saturated_floor(QWEN3, PRO, 300, 1)
    for generated, ratio in ((520, 13), (1460, 62)):
        floor = saturated_floor(QWEN3, PRO, 300, generated)
        assert floor.overlapped_s / readout.overlapped_s < ratio < floor.added_s / readout.added_s
    per_sample = least_generation_s(QWEN3, PRO, 300, 20, batch=100_000) / 100_000
    assert saturated_floor(QWEN3, PRO, 300, 20).overlapped_s == pytest.approx(per_sample, rel=1e-3)


def test_a_shape_is_read_from_a_hugging_face_config():
    config = {
        "num_hidden_layers": 28, "hidden_size": 2048, "intermediate_size": 6144, "num_attention_heads": 16,
        "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936,
    }  # fmt: skip
    assert shape_of(config) == QWEN3
    old = {key: value for key, value in config.items() if key not in ("num_key_value_heads", "head_dim")}
    assert (shape_of(old).key_value_heads, shape_of(old).head_size) == (16, 128)
    with pytest.raises(ConfigError, match="lacks hidden_size"):
        shape_of({key: value for key, value in config.items() if key != "hidden_size"})
    for other, told in (({"num_local_experts": 8}, "num_local_experts"), ({"model_type": "gpt_neox"}, "gpt_neox")):
        with pytest.raises(ConfigError, match=f"states {told}: expected a dense decoder with a gated MLP"):
            shape_of(config | other)


def test_every_gpu_has_a_source():
    assert all(device.source and device.name == name for name, device in GPUS.items())
