r"""Boxes, LaTeX and numbers; every expectation was set by reading the text."""

import json
import re
from pathlib import Path

import pytest
from readings import read

from rimbench.extraction import extract

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real questions are not here: no folder {DATA}")

DRUGS = {"A": "Aspirin", "B": "Heparin", "C": "Warfarin", "D": "Alteplase"}
DOSES = {"A": "10 mg", "B": "20 mg", "C": "40 mg", "D": "80 mg"}
SHARES = {"A": "5%", "B": "15%", "C": "25%", "D": "2.5%"}
QUARTERS = {"A": "1/2", "B": "1/4", "C": "3/4", "D": "1"}
NUMBERS = {"A": "5", "B": "10"}
GREEK = {"A": r"$\alpha$", "B": r"$\beta$", "C": "γ", "D": "delta"}


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        *[(box, "C") for box in (
            r"\boxed{D = 20 mg}", r"\boxed{E = mc^2}", r"\boxed{B cells}", r"\boxed{C difficile}", r"\boxed{B = 5}",
            r"\boxed{C + D = 5}", r"\boxed{F = 0.8}", r"\boxed{G > 5}", r"\boxed{E coli}", r"\boxed{E. coli}",
            r"\boxed{C. difficile}", r"\boxed{\langle H\rangle \ll \Delta E}", r"\boxed{A \cdot B}", r"\boxed{A^2}",
            r"\boxed{\text{B}_{12}}", r"\boxed{B_{12}}", r"\boxed{B-cell}", r"\boxed{D/2}", r"\boxed{A = \pi r^2}",
            r"\boxed{D < 5}", r"\boxed{42}", r"\boxed{J}", r"\boxed{}", r"\boxed{B: x = 5}", r"\boxed{A \times 2}",
            r"\boxed{D_{max}}", r"\boxed{C_2H_5OH}", r"\boxed{B \to D}", r"\fbox{B = 5}", r"\boxed{x}",
            r"\boxed{20 mg}", r"\boxed{vitamin D}", r"\boxed{Hepatitis B}", r"\boxed{A + B}",
            r"\boxed{\overline{A}}", r"\boxed{A\%}", r"\boxed{P(A \cap B)}", r"\boxed{\vec{A}}", r"\bbox{D = 20}",
            r"\colorbox{yellow}{$D = 20$}", r"\boxed{\begin{aligned} A &= 1 \\ B &= 2\end{aligned}}",
        )],
        *[(box, "B") for box in (
            r"\boxed{B}", r"\boxed{\text{B}}", r"\boxed{(B)}", r"\boxed{B. Heparin}", r"\boxed{(B) heparin}",
            r"\boxed{B: heparin}", r"\boxed{option B}", r"\boxed{\text{Option B}}", r"\boxed{\text{(B) Heparin}}",
            r"\boxed{B) Heparin}", r"\boxed{B\ \text{Heparin}}", r"\boxed{\textbf{B} - \text{Heparin}}",
            r"\boxed{B heparin}", r"\boxed{heparin}", r"\boxed{\text{Heparin}}", r"\boxed{\mathrm{heparin.}}",
            r"\boxed{B.}", r"\boxed{b}", r"\boxed{b) heparin}", r"\boxed{\mathbf{B}}", r"\boxed{Answer: B}",
            r"\fbox{B}", r"\boxed{\boxed{B}}", r"$$\boxed{\textbf{(B)}~\text{Heparin}}$$", r"\boxed{\rm B}",
            "\x08oxed{B}", r"\boxed{B, heparin}", r"\boxed{\text{The answer is B}}",
            r"\bbox{B}", r"\bbox[5px,border:2px solid red]{B}", r"\fcolorbox{red}{white}{B}", r"\colorbox{yellow}{B}",
            r"\framebox[2cm]{B}", r"\tcbox{B}", r"\Boxed{B}", r"\boxed\{B\}", r"\boxed{\huge\textbf{B}}",
            r"\boxed{\scriptstyle B}", r"\boxed{\phantom{x}B}", r"\boxed{B项}", r"\boxed{选项B}",
        )],
        *[(box, "ambiguous") for box in (
            r"\boxed{A, B}", r"\boxed{A and B}", r"\boxed{\text{A or B}}", r"\boxed{AB}", r"\boxed{A, B, D}",
            r"\boxed{Heparin or Warfarin}", r"\boxed{\text{Aspirin, Heparin}}", r"\boxed{A. Aspirin and B. Heparin}",
            r"\boxed{(A), (B)}", r"\boxed{A/B}", r"\boxed{B. Warfarin}", r"\boxed{A \text{ or } B}",
        )],
    ],
)  # fmt: skip
def test_a_box_decides_only_where_its_whole_content_is_a_letter_or_an_options_text(box: str, expected: str) -> None:
    assert read(f"So it is {box}.\n\nAnswer: C", DRUGS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\boxed{D = 20 mg}", "no_answer"),
        (r"\boxed{B}, as \boxed{D = 20 mg}", "B"),
        (r"\boxed{D = 20 mg}, so \boxed{B}", "B"),
        (r"\boxed{C. Thienopyridine}", "C"),
        (r"\boxed{Give heparin now}", "B"),
        (r"\boxed{Heparin infusion}. The answer is A.", "A"),
    ],
)
def test_a_box_that_says_more_counts_where_nothing_else_is_stated_and_a_formula_never(
    text: str, expected: str
) -> None:
    assert read(text, DRUGS) == expected


@pytest.mark.parametrize(
    ("options", "content", "expected"),
    [
        (QUARTERS, r"\frac{1}{4}", "B"), (QUARTERS, r"\dfrac{1}{4}", "B"), (QUARTERS, r"\tfrac14", "B"),
        (QUARTERS, r"\frac{3}{4}", "C"), (QUARTERS, "1/4", "B"), (QUARTERS, "¼", "B"), (QUARTERS, "1 / 4", "B"),
        (QUARTERS, "1", "D"), (QUARTERS, r"\frac{1}{8}", "no_answer"), (QUARTERS, r"1\frac{1}{4}", "no_answer"),
        ({"A": "11/2", "B": "1 1/2"}, "1½", "B"), ({"A": r"\frac{1}{2}", "B": r"\frac{1}{4}"}, "1/4", "B"),
        (SHARES, r"15\%", "B"), (SHARES, r"2.5\%", "D"), (SHARES, "15 %", "B"), (SHARES, r"15 \, \%", "B"),
        (SHARES, r"\text{15\%}", "B"), (SHARES, r"25\text{ \%}", "C"), (SHARES, r"1.5\%", "no_answer"),
        (GREEK, r"\beta", "B"), (GREEK, "β", "B"), (GREEK, "beta", "B"), (GREEK, r"\gamma", "C"),
        (GREEK, r"\text{alpha}", "A"), (GREEK, r"\delta", "D"), (GREEK, r"\epsilon", "no_answer"),
        ({"A": "β-blocker", "B": "α-blocker"}, r"\beta\text{-blocker}", "A"),
        (DOSES, r"20\text{ mg}", "B"), (DOSES, r"20\,\mathrm{mg}", "B"), (DOSES, "20mg", "B"), (DOSES, "20~mg", "B"),
        (DOSES, r"20\;\text{mg}", "B"), (DOSES, r"20\!mg", "B"), (DOSES, r"\SI{20}{mg}", "B"),
        ({"A": "5 μg", "B": "5 mg"}, r"5\,\mu\text{g}", "A"), ({"A": "5 mcg", "B": "5 mg"}, r"5\ \mu g", "A"),
        ({"A": "37°C", "B": "39 °C"}, r"39^{\circ}\text{C}", "B"), ({"A": "45°", "B": "90°"}, r"90^\circ", "B"),
        ({"A": "103", "B": "10³"}, "10^{3}", "B"), ({"A": "103", "B": "10³"}, "103", "A"),
        ({"A": "10^-3", "B": "10^3"}, "10^{-3}", "A"), ({"A": "10⁻³", "B": "10³"}, "10^{-3}", "A"),
        ({"A": "5 × 10^3", "B": "5 × 10^4"}, r"5 \times 10^{3}", "A"), ({"A": "5 x 10^3"}, r"5\cdot10^3", "A"),
        ({"A": "≥ 5", "B": "≤ 5"}, r"\geq 5", "A"), ({"A": ">5", "B": "<5"}, r"\lt 5", "B"),
        ({"A": "&lt;5", "B": "&gt;5"}, "> 5", "B"), ({"A": "5 ± 2", "B": "6 ± 2"}, r"5 \pm 2", "A"),
        ({"A": "↑ Ca", "B": "↓ Ca"}, r"\downarrow \text{Ca}", "B"), ({"A": "Ca²⁺", "B": "Na⁺"}, r"Ca^{2+}", "A"),
        ({"A": "H2O", "B": "CO2"}, r"\text{CO}_2", "B"), ({"A": "1,000", "B": "100"}, "1{,}000", "A"),
        ({"A": "A", "B": "B", "C": "AB", "D": "O"}, "AB", "C"),
        ({"A": "-1/2", "B": "1/2"}, r"-\frac{1}{2}", "A"), ({"A": "1/2", "B": "-1/2"}, r"-\dfrac12", "B"),
        ({"A": "-1/2", "B": "1/2"}, r"\frac{-1}{2}", "A"), (QUARTERS, "{1}/{4}", "B"), (QUARTERS, "^{1}/_{4}", "B"),
        ({"A": "√2", "B": "2"}, r"-\sqrt{2}", "no_answer"), (NUMBERS, "-5", "no_answer"),
        ({"A": "√2", "B": "-√2"}, r"-\sqrt 2", "B"),
        ({"A": "$x$", "B": "$-x$"}, "-x", "B"), ({"A": "$e^{x}$", "B": "$e^{-x}$"}, "e^{-x}", "B"),
        ({"A": "$e^{kt}$", "B": "$e^{2kt}$"}, "e^{-kt}", "no_answer"), ({"A": "∞", "B": "0"}, r"\infty", "A"),
        ({"A": r"$\sqrt{x+1}$", "B": "$x$"}, r"\sqrt{x}+1", "no_answer"),
        ({"A": r"$\frac{\sqrt{3}}{2}$", "B": r"$\frac{\sqrt{2}}{2}$"}, r"\sqrt2/2", "B"),
        ({"A": "√3/2", "B": "√2/2"}, r"\dfrac{\sqrt{2}}{2}", "B"), (SHARES, r"25~\%", "C"),
        ({"A": "120 mm Hg", "B": "80 mm Hg"}, r"80\text{ mmHg}", "B"), ({"A": "x > 2", "B": "x < 2"}, "x<2", "B"),
        ({"A": "5 mL·min⁻¹", "B": "6 mL·min⁻¹"}, r"6\ \text{mL}\cdot\text{min}^{-1}", "B"),
        (DOSES, r"20 \text{ or } 40 \text{ mg}", "ambiguous"),
    ],
)  # fmt: skip
def test_an_options_value_is_read_in_whatever_way_it_is_typeset(
    options: dict[str, str], content: str, expected: str
) -> None:
    assert read(rf"So the value is \boxed{{{content}}}", options) == expected


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        (GREEK, r"The answer is $\beta$.", "B"),
        (QUARTERS, r"The answer is $\frac{1}{4}$.", "B"),
        (QUARTERS, r"The answer is \(\frac{3}{4}\).", "C"),
        (SHARES, r"The answer is $15\%$.", "B"),
        (DOSES, "The answer is 20mg.", "B"),
        (NUMBERS, "The answer is -5.", "no_answer"),
        (NUMBERS, "Answer: B) -10", "B"),
        ({"A": "80", "B": "100"}, "The answer is 80-100.", "no_answer"),
        ({"A": "2", "B": "5"}, "The answer is 2,5 mg.", "no_answer"),
        ({"A": "5", "B": "1"}, "The ratio is the answer: 5:1", "no_answer"),
        ({"A": "Heparin", "B": "Aspirin"}, "The answer is heparin-induced thrombocytopenia.", "no_answer"),
        ({"A": "10 mg", "B": "20 mg"}, "The answer is 10 mg/kg.", "no_answer"),
    ],
)
def test_a_stated_value_is_the_options_only_where_it_ends_with_the_options(
    options: dict[str, str], text: str, expected: str
) -> None:
    assert read(text, options) == expected


def escaped(text: str) -> str:
    """As a model writes it in LaTeX."""
    text = re.sub(r"([%&#_$])", r"\\\1", text).replace("°", r"^{\circ}")
    names = "alpha beta gamma delta mu mu Delta lambda geq leq pm times to uparrow downarrow"
    for sign, command in zip("αβγδμµΔλ≥≤±×→↑↓", names.split(), strict=True):
        text = text.replace(sign, rf"\{command} ")
    return text


@needs_data
def test_every_real_gold_text_in_a_box_is_read_as_gold_or_names_two_equal_options() -> None:
    rows = [json.loads(line) for line in (DATA / "medmcqa" / "dev.json").open(encoding="utf-8")]
    items = [({x: str(row[f"op{x.lower()}"]) for x in "ABCD"}, "ABCD"[row["cop"] - 1]) for row in rows]
    shares, missed = [], []
    for options, gold in items:
        found = extract(rf"So it is \boxed{{{escaped(options[gold])}}}.", options)
        if "%" in options[gold]:
            shares.append(found.letter == gold)
        if found.letter != gold:
            missed.append((found.letter, list(options.values()).count(options[gold]) > 1))
    assert (len(shares), sum(shares)) == (71, 71)
    assert missed == [(None, True)] * 4


@pytest.mark.parametrize(
    ("text", "options", "letter", "status"),
    [
        (r"\boxed{\text{CO}_2}", {"A": r"H$_2$O", "B": r"CO$_2$"}, "B", "ok"),
        (r"\boxed{\sqrt2}", {"A": "2", "B": r"$\sqrt{2}$"}, "B", "ok"),
        (r"\boxed{.5}", {"A": "5", "B": "0.5"}, "B", "ok"),
        (r"\boxed{\frac{A}{B}}. Answer: C", {"A": "x", "B": "y", "C": "z"}, "C", "ok"),
        ("The answer is 20 mg to 40 mg.", {"A": "20 mg", "B": "40 mg"}, None, "no_answer"),
        ("The answer: 20-40 mg", {"A": "20 mg", "B": "40 mg"}, None, "no_answer"),
    ],
)
def test_a_formula_a_fraction_without_its_zero_and_a_range_are_read_whole(text, options, letter, status):
    found = extract(text, options)
    assert (found.letter, found.status) == (letter, status)
