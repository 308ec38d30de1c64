"""Loaded models: one at a time where one is held, each freed before another takes its room."""

import pytest

from rimbench.running.models import LoadedModels


class Model:
    def __init__(self, name, events):
        self.name, self.events = name, events
        events.append(f"load {name}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.events.append(f"free {self.name}")


def open_all(models, names, events):
    return [models.open(name, lambda name=name: Model(name, events)).model.name for name in names]


def test_a_model_stays_loaded_while_it_is_asked_for_and_is_freed_before_the_next_is_loaded():
    events = []
    with LoadedModels() as models:
        assert open_all(models, "aabba", events) == list("aabba")
    assert events == ["load a", "free a", "load b", "free b", "load a", "free a"]


def test_models_that_are_timed_in_turn_are_held_together_and_all_freed_in_the_end():
    events = []
    with LoadedModels(2) as models:
        open_all(models, "abab", events)
    assert events == ["load a", "load b", "free b", "free a"]


def test_a_model_that_cannot_be_loaded_leaves_nothing_held():
    events = []
    with LoadedModels() as models:
        open_all(models, "a", events)
        with pytest.raises(ZeroDivisionError):
            models.open("b", lambda: 1 / 0)
        assert events == ["load a", "free a"]
        open_all(models, "a", events)
    assert events == ["load a", "free a", "load a", "free a"]
