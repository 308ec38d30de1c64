"""The files that come with rimbench, and the example of the documentation."""

import hashlib
import re
from pathlib import Path

import pytest
from claims_files import numbers

from rimbench.claims import catalogue
from rimbench.claims.audit import audit_file
from rimbench.claims.schema import read_claims
from rimbench.errors import UsageError
from rimbench.plugins import find_files

DOCS = Path(__file__).resolve().parents[2] / "docs" / "claims.md"


@pytest.fixture(scope="module")
def card():
    return audit_file(catalogue.find_claims("rim-card"))


def judgement(audit, name):
    [found] = [finding.judgement for finding in audit.findings if finding.claim.id == name]
    return found


def test_the_verdicts_on_the_card(card):
    assert {finding.claim.id: finding.judgement.verdict for finding in card.findings} == {
        "best-or-tied": "holds only as worded",
        "matches-or-beats": "not supported",
        "matches-or-beats-v2": "holds",
        "medqa-within-noise": "holds only as worded",
        "medqa-within-noise-all": "contradicted",
        "cot-below-base": "holds only as worded",
        "stable-over-k": "cannot be checked from this",
        "greedy-54": "holds",
        "random-25": "holds",
        "pass-at-8": "cannot be checked from this",
        "220-times-base": "holds only as worded",
        "630-times-cot": "holds only as worded",
        "one-pass": "not supported",
        "batch-1-times": "holds only as worded",
        "large-batch-times": "cannot be checked from this",
    }


def test_no_figure_of_the_card_is_impossible(card):
    assert {check.verdict for check in card.figures} == {"cannot be checked from this"}
    assert len(card.figures) == 12 + 1 + 6


def test_no_difference_of_the_cards_table_survives_holm(card):
    """The largest is RiM v1 against CoT in distribution: 6.3 points, z = 2.82, p = 0.0048, times 15."""
    pairs = [pair for finding in card.findings if finding.claim.id == "best-or-tied" for pair in finding.pairs]
    assert (len(pairs), {pair.family_size for pair in pairs}) == (12, {15})
    largest = max(pairs, key=lambda pair: pair.delta)
    assert (largest.suite, largest.a, largest.b) == ("in-dist", "rim-v1", "cot")
    assert (largest.delta, largest.p_value) == pytest.approx((0.063, 0.0048), abs=0.0001)
    assert largest.p_adjusted == pytest.approx(0.072, abs=0.001)


def test_v1_is_below_the_base_on_medqa_and_that_is_why_it_does_not_match(card):
    judged = judgement(card, "matches-or-beats")
    assert "On medqa rim-v1 is 0.6 points below base" in judged.sentence
    # -0.6 - 1.645 * 100 * sqrt(2 * 0.454 * 0.546 / 1000)
    assert numbers(judged)["weakest_bound_points"] == pytest.approx(-4.26, abs=0.02)


def test_one_and_a_half_points_are_one_standard_error_of_one_accuracy(card):
    found = numbers(judgement(card, "medqa-within-noise"))
    assert found["standard_error_points"] == pytest.approx(1.58, abs=0.005)
    assert found["interval_of_an_accuracy_points"] == pytest.approx(3.1, abs=0.05)
    assert found["interval_of_a_difference_points"] == pytest.approx(4.4, abs=0.05)
    assert numbers(judgement(card, "medqa-within-noise-all"))["largest_difference_points"] == pytest.approx(4.6)


@pytest.mark.parametrize(
    ("name", "ratio", "of_passes", "saturated"),
    [
        ("220-times-base", 222.9, "(520 over 2.9) gives 178", 13),
        ("630-times-cot", 628.6, "(1460 over 2.9) gives 501", 62),
    ],
)
def test_the_speed_ups_are_mostly_counts_of_passes(card, name, ratio, of_passes, saturated):
    judged = judgement(card, name)
    found = numbers(judged)
    assert found["ratio"] == pytest.approx(ratio, abs=0.1)
    assert of_passes in judged.sentence
    assert found["saturated_ratio_lowest"] < saturated < found["saturated_ratio_highest"]
    assert 12 <= found["denominator_ms_per_pass"] <= found["numerator_ms_per_pass"] <= 15.1


def test_chance_for_pass_at_8_stands_beside_the_cards(card):
    assert "57.0 % with 10 options, 90.0 % with 4 options" in judgement(card, "pass-at-8").sentence


def test_the_verdicts_on_the_paper():
    audit = audit_file(catalogue.find_claims("rim-paper"))
    assert {finding.claim.id: finding.judgement.verdict for finding in audit.findings} == {
        "latent-methods": "holds only as worded",
        "27-times": "cannot be checked from this",
    }


@pytest.mark.parametrize("path", find_files(catalogue.claims_folder()).values(), ids=lambda path: path.stem)
def test_every_shipped_file_is_sound_and_none_of_its_figures_impossible(path):
    audit = audit_file(path)
    assert audit.findings
    assert all(check.verdict != "contradicted" for check in audit.figures)


def test_every_sentence_is_one_line_that_ends(card):
    assert card.findings
    for finding in card.findings:
        assert re.fullmatch(r"[^\n]+\.", finding.judgement.sentence)


def test_the_example_of_the_documentation_is_judged_as_it_says(tmp_path):
    [example, *_] = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")
    audit = audit_file(path)
    assert {finding.claim.id: finding.judgement.verdict for finding in audit.findings} == {
        "beats-old": "holds",
        "finds-the-answer": "holds",
        "150-times": "holds only as worded",
    }
    assert "6.1 s over 40 ms is 152" in judgement(audit, "150-times").sentence


def test_a_claims_file_is_found_by_name_or_by_path_and_an_unknown_name_lists_its_neighbours():
    assert catalogue.find_claims("rim-card").is_file()
    assert catalogue.find_claims("somewhere/my.toml") == Path("somewhere/my.toml")
    with pytest.raises(UsageError, match="unknown claims file 'rim-cart': did you mean rim-card"):
        catalogue.find_claims("rim-cart")


def test_the_card_names_the_original_release_files_of_its_suites(shared):
    spec = read_claims(catalogue.find_claims("rim-card"))
    known = {entry.name: entry.data_sha256 for entry in spec.suite}
    files = {"medqa": "medqa/phrases_no_exclude_test.jsonl", "medmcqa": "medmcqa/dev.json"}
    assert known == {name: [hashlib.sha256((shared / file).read_bytes()).hexdigest()] for name, file in files.items()}
