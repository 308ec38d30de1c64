"""How long extraction takes, by the size and the shape of a text, and splitting options out of a message.

    python benchmarks/extraction.py [--against CHECKOUT] [--traces N]

CPU seconds of `extract` at 10,000, 100,000 and 1,000,000 characters of each shape, best of three, and how they grow
from the second to the third: ten is linear. Target: a second at a million. Then reasoning traces of 100,000
characters: 9,000 of them should take at most ten minutes on one core; N are read. Then `split_choices` on lines of
options, at 40,000 characters and twice as many. --against measures another checkout of rimbench beside this one,
shape by shape in turn.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
OPTIONS = {"A": "Aspirin", "B": "Beta blocker therapy", "C": "Clopidogrel", "D": "Heparin infusion"}
SHAPES = {
    "words": "the patient presents with fever and a cough that ",
    "A, B,": "A, B, ",
    " or (A)": " or (A)",
    "a ligature of 18 characters": "\ufdfa",
    "cues: answer is": "the answer is what the answer is best if so, so the best answer is if it is best ",
    "cues on lines": "So the best answer is this if so\n",
    "answers": "The answer is A. ",
    "denied answers": "Thus B) aspirin is ruled out. ",
    "options' texts": "aspirin or clopidogrel/",
    "boxes begun": r"\boxed{",
    "boxes": r"\boxed{D = 20 mg} ",
    "LaTeX": r"\text{\frac{",
    "fractions": r"\frac{1}{4} ",
    "thoughts begun": "<think>",
    "thoughts": "<think>x</think>",
    "angles": "<t",
    "parentheses": "(",
    "braces": "{",
    "dollars": "$",
    "stars": "**",
    "lines": "\n",
    "spaces": " ",
    "digits": "1234",
    "numbers": "1,000 / 4 ",
    "questions": "Question 1:\n",
    "is": "is ",
    "verdicts": "C is correct. ",
    "labels": "A) x\n",
    "Chinese": "患者发热咳嗽答案是",
    "Japanese": "正解はC",
    "Korean": "정답은 C가 ",
    "German": "Die richtige Antwort ist ",
    "Spanish": "La respuesta correcta no es la ",
    "Russian": "Правильный ответ ",
    "Hindi": "सही उत्तर ",
    "Arabic": "الإجابة الصحيحة ",
    "marks": "\u0316\u0300",
    "all languages": "Antwort réponse respuesta resposta risposta ответ 정답 正解 答案 đáp án उत्तर الإجابة ",
}
WORDS = (
    "the patient has fever cough pain with of and in a history treatment option would be consistent because pressure "
    "blood likely diagnosis given that is not so we consider answer could next however Wait, Let me think about A B C"
)


def text_of(shape: str, size: int) -> str:
    return (SHAPES[shape] * (size // len(SHAPES[shape]) + 1))[:size]


def traces(count: int) -> list[str]:
    """Reasoning of 100,000 characters each with an answer at its end: in tags, or (each second) in the open."""
    chance = random.Random(0)
    made = []
    for index in range(count):
        words = " ".join(chance.choices(WORDS.split(), k=22_000)).replace("so we", "so we.\n\n")[:100_000]
        made.append(f"<think>{words}</think>\nAnswer: B" if index % 2 else f"{words}\n\nThe answer is B.")
    return made


def seconds(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def measure(name: str, count: int) -> list[float]:
    """The seconds of one line of the table, in this process; a side that takes over 30 s at a size stops there."""
    from rimbench.extraction import extract
    from rimbench.suites.choices import split_choices

    extract("Answer: B", OPTIONS)
    if name == "traces":
        texts = traces(count)
        return [seconds(lambda: [extract(text, OPTIONS) for text in texts], 1) / count]
    if name == "choices":
        made = ["What is it?\n" + "A) x\nB) y\n" * (size // 10) for size in (40_000, 80_000)]
        return [seconds(partial(split_choices, text), 1) for text in made]
    found: list[float] = []
    for size in SIZES:
        text = text_of(name, size)
        found.append(seconds(partial(extract, text, OPTIONS), 1 if found and found[-1] > 1 else 3))
    return found


def in_checkout(checkout: Path, name: str, count: int) -> list[float]:
    command = [sys.executable, __file__, "--one", name, "--traces", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONPATH": str(checkout)})
    return [float(value) for value in json.loads(done.stdout)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout, measured beside this one")
    parser.add_argument("--traces", type=int, default=90, help="how many traces to read")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.traces)))
        return
    sides = {"here": Path(__file__).resolve().parents[1]} | ({"there": asked.against} if asked.against else {})
    slowest = dict.fromkeys(sides, 0.0)
    for shape in SHAPES:
        for side, checkout in sides.items():
            found = in_checkout(checkout, shape, asked.traces)
            slowest[side] = max(slowest[side], found[-1])
            said = ", ".join(f"{size:,}: {value:.3f} s" for size, value in zip(SIZES, found, strict=True))
            print(f"{shape:28} {side:5} {said}, growth {found[2] / max(found[1], 1e-4):.1f}", flush=True)
    for side, checkout in sides.items():
        [each] = in_checkout(checkout, "traces", asked.traces)
        once, twice = in_checkout(checkout, "choices", 1)
        print(f"{side}: slowest shape {slowest[side]:.3f} s at {SIZES[-1]:,} characters (target 1 s)")
        print(
            f"{side}: {asked.traces} traces of 100,000 characters, {each * 1000:.1f} ms each; "
            f"9,000 would take {each * 9000 / 60:.1f} min (target 10)"
        )
        print(f"{side}: options split out of 40,000 characters {once:.3f} s, of 80,000 {twice:.3f} s")


if __name__ == "__main__":
    main()
