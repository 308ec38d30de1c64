"""Options that the tests read texts against, and the reading itself."""

from rimbench.extraction import extract

DRUGS = {"A": "Aspirin", "B": "Beta blocker therapy", "C": "Clopidogrel", "D": "Heparin infusion"}
COMBINED = {**DRUGS, "E": "Aspirin and heparin"}
TERMS = {"A": "Vitamin D", "B": "Neutrophils", "C": "B lymphocytes", "D": "Hepatitis C", "E": "E. coli"}
COMPOUND = {"A": "Fever", "B": "Cough", "C": "Both A and B", "D": "None of the above"}
NUMBERS = {"A": "5", "B": "10", "C": "-80", "D": "80"}
TEN = {letter: f"text {letter * 3}" for letter in "ABCDEFGHIJ"}
LISTED = "A) Aspirin\nB) Beta blocker therapy\nC) Clopidogrel\nD) Heparin infusion"


def read(text: str, options: dict[str, str] = COMBINED) -> str:
    """The letter, or the status where there is none."""
    found = extract(text, options)
    return found.letter or found.status
