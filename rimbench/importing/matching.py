"""Answers from elsewhere and a suite -> which item each answer belongs to, and what belongs to none.

Where a file states a question, that decides: two texts are the same question when their letters and digits are,
in any case and spacing, and the options must agree too. Ids decide where the file states nothing else. Options in
another order are the same item, and letters are carried over by the options' texts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from rimbench import suites
from rimbench.errors import DataError
from rimbench.importing import ids
from rimbench.importing.answers import ForeignAnswer, listed, unique
from rimbench.importing.questions import QuestionIndex
from rimbench.records import LETTERS, Item
from rimbench.suites import Suite
from rimbench.suites.slices import folded, normalised

CROWD = 8
"""Items of one question up to which each is looked at."""


@dataclass(frozen=True, slots=True)
class Target:
    """The suite that answers are imported to, and every usable item of its source, the sample among them.

    `reasoning_tags` are pairs of tags that the system which answered thinks between, beside the known ones.
    """

    suite: Suite
    items: Sequence[Item]
    reasoning_tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """An answer and its item. `shown` is the item's options in the file's order, by the file's letters.

    `letters` maps each of the file's letters to the item's own.
    """

    answer: ForeignAnswer
    item: Item
    shown: Mapping[str, str]
    letters: Mapping[str, str]

    @property
    def reordered(self) -> bool:
        """Whether the file shows the options in another order than the suite, or in one that it does not tell."""
        return not self.answer.order_known or any(shown != own for shown, own in self.letters.items())


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of every answer: `matches` are those to the suite's items, in the suite's order.

    By ids of the file: `beyond_sample` are answers to items of the suite's source that its frozen sample leaves
    out, `faulty` to rows that its audit leaves out, and `unknown` to anything else. `unanswered` are ids of
    items of the suite without an answer: those that ended in an error have none. `doubt` is a note on how the ids
    may be meant otherwise.
    """

    matches: tuple[Match, ...]
    beyond_sample: tuple[str, ...]
    faulty: tuple[str, ...]
    unknown: tuple[str, ...]
    unanswered: tuple[str, ...]
    doubt: str | None = None


def load_target(name_or_path: str, data: Path | None, *, allow_outside: bool = False) -> Target:
    """A suite with all the items that its sample was taken from, where its source holds more."""
    load = partial(suites.load, name_or_path, data=data, allow_outside=allow_outside)
    suite = load()
    if suite.audit.usable == len(suite.items):
        return Target(suite, suite.items)
    return Target(suite, load(slice_="all").items)


def match(answers: Sequence[ForeignAnswer], target: Target, where: str) -> Matching:
    """Find every answer's item.

    Raises DataError where an item is answered twice, where nothing matches, where ids count from another start than
    the suite's, and where the file's gold letters differ from the suite's: then the items are matched wrongly, or
    one of the two has another key.
    """
    finder = _Finder(target.items)
    found = [(answer, finder.find(answer)) for answer in answers]
    matches = [matched for _, matched in found if matched is not None]
    _refuse_repeats([(a.item_id if m is None else m.item.item_id, a.sample, m is None) for a, m in found], where)
    missed = [answer.item_id for answer, matched in found if matched is None]
    items = {item.item_id: item for item in target.items}
    faults = {item_id for fault in target.suite.audit.faults for item_id in fault.item_ids}
    ids.refuse_shifted(answers, items, faults, where)
    if not matches:
        raise DataError(
            f"{where}: none of its {len(answers)} answers is to an item of suite {target.suite.name} (it has ids "
            f"such as {listed(missed, 3)}, the suite {target.items[0].item_id}): give the suite that was asked; "
            f"{ids.KINDS}"
        )
    _refuse_conflicts(matches, target, where, ids.explain_conflicts(answers, target.suite.items, items))
    place = {item.item_id: i for i, item in enumerate(target.suite.items)}
    kept = sorted(
        (m for m in matches if m.item.item_id in place), key=lambda m: (place[m.item.item_id], m.answer.sample)
    )
    answered = {m.item.item_id for m in kept if m.answer.failure is None}
    return Matching(
        matches=tuple(kept),
        beyond_sample=unique(m.item.item_id for m in matches if m.item.item_id not in place),
        faulty=unique(item_id for item_id in missed if item_id in faults),
        unknown=unique(item_id for item_id in missed if item_id not in faults),
        unanswered=tuple(item.item_id for item in target.suite.items if item.item_id not in answered),
        doubt=ids.suspect_shift(answers, {*items, *faults}),
    )


class _Finder:
    """Looks up items by id and by question; what a look-up takes hardly grows with the number of items."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._by_id = {item.item_id: item for item in items}
        self._by_question: dict[str, list[Item]] = {}
        self._by_options: dict[tuple[str, frozenset[str]], list[Item]] = {}
        for item in items:
            key = normalised(item.question)
            self._by_question.setdefault(key, []).append(item)
            self._by_options.setdefault((key, _option_set(item.options.values())), []).append(item)
        self._crowds: dict[str, _Crowd] = {}

    @cached_property
    def _questions(self) -> QuestionIndex:
        return QuestionIndex(self._by_question)

    def find(self, answer: ForeignAnswer) -> Match | None:
        if not answer.texts:
            item = self._by_id.get(answer.item_id)
            return None if item is None else _fit(answer, item)
        fits = self._asked_in(answer) or self._contained_in(answer)
        by_id = [m for m in fits if m.item.item_id == answer.item_id]
        return (by_id or fits)[0] if len(by_id or fits) == 1 else None

    def _asked_in(self, answer: ForeignAnswer) -> list[Match]:
        """The items whose question is one of the texts, and whose options are those that are stated, if any."""
        keys = dict.fromkeys(normalised(text) for text in answer.texts)
        if answer.option_lists:
            sets = [_option_set(options) for options in answer.option_lists]
            items = [item for key in keys for options in sets for item in self._by_options.get((key, options), ())]
        else:
            # Of many that cannot be told apart, that with the answer's id counts; two others say that there are many.
            own = self._by_id.get(answer.item_id)
            items = [own] if own is not None and normalised(own.question) in keys else []
            items = items or [item for key in keys for item in self._by_question.get(key, ())[:2]]
        unique = {item.item_id: item for item in items}
        return [m for item in unique.values() if (m := _fit(answer, item)) is not None]

    def _contained_in(self, answer: ForeignAnswer) -> list[Match]:
        """The items with the longest question that is a part of a text, as of a whole prompt."""
        text = f" {' | '.join(map(normalised, answer.texts))} "  # normalised text holds no bar
        inside = [(key, self._asking(key, text)) for key in self._questions.inside(text)]
        for _, items in inside if answer.option_lists else ():  # examples before the question have other options
            fits = [fit for item in items if (fit := _fit(answer, item)) is not None]
            if fits:
                return fits
        for key, items in inside:
            if stated := [_as_stated(answer, item) for item in items if _in_order(item, key, text)]:
                return stated
        return []

    def _asking(self, question: str, text: str) -> Sequence[Item]:
        """The items with a question; of many, those whose longest option stands in the text."""
        items = self._by_question[question]
        if len(items) <= CROWD:
            return items
        if question not in self._crowds:
            self._crowds[question] = _Crowd(items)
        return self._crowds[question].named_in(text)


class _Crowd:
    """Many items of one question, such as "Which of the following is true?", told apart by their options."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._by_option: dict[str, list[Item]] = {}
        for item in items:
            longest = max(map(normalised, item.options.values()), key=len)
            self._by_option.setdefault(longest, []).append(item)
        self._options = QuestionIndex(self._by_option)

    def named_in(self, text: str) -> list[Item]:
        """The items; those of symbols alone, which no words of a text can tell, always."""
        named = [item for option in self._options.inside(text) for item in self._by_option[option]]
        return named + self._by_option.get("", [])


def _option_set(options: Iterable[str]) -> frozenset[str]:
    return frozenset(map(normalised, options))


def _in_order(item: Item, question: str, text: str) -> bool:
    """Whether a text has the question with the item's options behind it, in their order."""
    at = text.find(f" {question} ") + len(question) + 1
    for option in map(normalised, item.options.values()):
        found = text.find(f" {option} ", at) if at >= 0 else -1
        at = found + len(option) + 1 if found >= 0 else -1
    return at >= 0


def _fit(answer: ForeignAnswer, item: Item) -> Match | None:
    """The answer as one to this item; None where the file states options, and they are others."""
    if not answer.option_lists:
        return _as_stated(answer, item)
    for options in answer.option_lists:
        for same in (_stripped, folded, normalised):
            own = {same(text): letter for letter, text in item.options.items()}
            stated = [same(text) for text in options]
            if len(own) == len(item.options) == len(stated) and own.keys() == set(stated):
                letters = {LETTERS[i]: own[text] for i, text in enumerate(stated)}
                shown = {letter: item.options[letters[letter]] for letter in letters}
                return Match(answer, item, shown, letters)
    return None


def _as_stated(answer: ForeignAnswer, item: Item) -> Match:
    """The answer as one to this item, whose options stand in the suite's order."""
    return Match(answer, item, item.options, {letter: letter for letter in item.options})


_stripped: Callable[[str], str] = str.strip


def _refuse_repeats(answered: Iterable[tuple[str, int, bool]], where: str) -> None:
    seen: set[tuple[str, int, bool]] = set()
    twice: list[str] = []
    for key in answered:
        if key in seen:
            twice.append(key[0] + (f" (sample {key[1]})" if key[1] else ""))
        seen.add(key)
    if twice:
        raise DataError(
            f"{where}: {len(twice)} items are answered twice: {listed(twice)}; expected one answer an item, or "
            "several told apart by their sample; leave one of each"
        )


def _refuse_conflicts(matches: Sequence[Match], target: Target, where: str, meant: str) -> None:
    conflicts = {
        m.item.item_id: f"{m.item.item_id} (file {gold}, suite {m.item.gold})"
        for m in matches
        if (gold := m.letters.get(m.answer.gold or "", m.answer.gold)) not in (None, m.item.gold)
    }
    if conflicts:
        items = {m.item.item_id for m in matches}
        raise DataError(
            f"{where}: the gold letters of {len(conflicts)} of {len(items)} matched items differ from suite "
            f"{target.suite.name}'s: {listed(list(conflicts.values()))}; the file is of other questions or has "
            "another key: nothing was imported; give the rows that were asked with --data, or mend the gold "
            f"letters{meant}"
        )
