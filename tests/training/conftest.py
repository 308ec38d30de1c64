import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM

from rimbench.rim.blocks import Memory
from rimbench.training.data import Example
from rimbench.training.packing import encoding
from rimbench.training.recipe import TrainingWording

EXAMPLES = [
    Example("What now?", "Up to 6. Then 3.", ("Up to 6.", "Then 3."), "3", False),
    Example("A longer question?\nA: x\nB: y", "x no. y. So.", ("x is no.", "y it is.", "So B."), "B", True),
    Example("Why?", "Because.", ("Because.",), "so", False),
]


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def examples():
    return EXAMPLES


@pytest.fixture
def model(checkpoint):
    return AutoModelForCausalLM.from_pretrained(checkpoint)


@pytest.fixture
def encode():
    return encoding(tiny.make_tokenizer(), Memory(8), TrainingWording(prefix="It is {"))
