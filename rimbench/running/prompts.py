"""(System, Items) -> Prompts: the exact token ids that every engine passes on. Pure but for the tokenizer.

    chat template( question in the suite's wording [blank line] instruction ) + K memory blocks + prefix

Each part is encoded on its own: the memory blocks and the prefix never merge with their neighbours' tokens.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence

from rimbench.chat.letters import Opening, find_opening, letters_alone, letters_behind_chat
from rimbench.chat.text import Chat
from rimbench.chat.writing import ChatWriter, Tokenizer
from rimbench.errors import ModelError, UsageError
from rimbench.records import Decision, Item, Prompt
from rimbench.rim.blocks import memory_token_ids
from rimbench.systems import System

NEUTRAL = "."
"""What is repeated where a filler stands: a token that says nothing, as in arXiv 2404.15758."""


class PromptBuilder:
    """Builds the prompts of a system with its checkpoint's tokenizer.

    Raises ModelError where the tokenizer has no chat template, or one that fails or does not write the question,
    where it lacks the memory tokens, and where the option letters have no tokens of one form. `filler` neutral tokens
    may stand in the memory's place.
    """

    def __init__(self, system: System, tokenizer: Tokenizer, filler: int | None = None) -> None:
        style, memory = system.prompt, system.memory
        self._system, self._tokenizer = system, tokenizer
        self._writer = ChatWriter(tokenizer, f"system '{system.name}'", style.chat_template, style.date)
        self._letter_first = system.answer.mode == "readout" or system.answer.extraction == "first_letter"
        self._memory_text, self._memory_ids = "", tuple[int, ...]()
        if filler is not None:
            self._memory_text, self._memory_ids = NEUTRAL * filler, (_neutral_id(system, tokenizer),) * filler
        elif memory is not None:
            self._memory_text = (memory.begin + memory.memory * memory.memory_tokens + memory.end) * memory.blocks
            self._memory_ids = memory_token_ids(tokenizer, memory)

    def build(self, asked: Sequence[tuple[Item, str]], letters: Sequence[str] = ()) -> tuple[Prompt, ...]:
        """The prompts of items, each with its question's text in the suite's wording.

        `letters` are those of all items of the suite where not all of them are asked: their tokens are of one form.
        """
        if not asked:
            return ()
        instruction = self._system.prompt.instruction
        contents = [f"{question}\n\n{instruction}" if instruction else question for _, question in asked]
        chats = self._writer.write(contents, [item.item_id for item, _ in asked])
        letters = max((letters, *(list(item.options) for item, _ in asked)), key=len)
        opening = self._opening(letters, chats[0])
        return tuple(
            _prompt(
                chat.text + self._memory_text + opening.text,
                (*ids, *self._memory_ids, *opening.token_ids),
                {letter: opening.letters[letter] for letter in item.options} if self._letter_first else None,
            )
            for (item, _), chat, ids in zip(asked, chats, self._writer.encode(chats), strict=True)
        )

    def _opening(self, letters: Sequence[str], chat: Chat) -> Opening:
        """What stands behind chat and memory, and the letters' tokens behind that."""
        prefix, tokenizer = self._system.prompt.prefix, self._tokenizer
        if not self._letter_first:
            return Opening(prefix, tuple(tokenizer.encode(prefix, add_special_tokens=False)) if prefix else (), {})
        if prefix:
            found = find_opening(tokenizer, prefix, letters)
        elif self._memory_ids:
            found = letters_alone(tokenizer, letters)
        else:
            found = letters_behind_chat(tokenizer, chat.parts[-1], self._writer.gap(chat), letters)
        if found is None:
            raise ModelError(
                f"the tokenizer of system '{self._system.name}' has no single token for each option letter "
                f"{', '.join(letters)}{f' behind {prefix!r}' if prefix else ''}: its answer cannot be read out; use "
                "a system that writes text"
            )
        return found


def _neutral_id(system: System, tokenizer: Tokenizer) -> int:
    ids = tokenizer.encode(NEUTRAL, add_special_tokens=False)
    if len(ids) != 1:
        raise ModelError(
            f"the tokenizer of system '{system.name}' writes {NEUTRAL!r} in {len(ids)} tokens: expected 1, of which "
            "a filler is made; leave the filler out, as in --only drop-k"
        )
    return int(ids[0])


DECIDE = "Which answer is right?"
"""What a decision model is told where its system has no instruction."""


class DecisionBuilder:
    """Builds the questions of a decision model: the question's text as its state, the options as they are.

    UsageError for a system with settings that such a model has no place for.
    """

    def __init__(self, system: System) -> None:
        style = system.prompt
        if not system.weights.elsewhere or system.memory or style.prefix or style.chat_template:
            raise UsageError(
                f"system '{system.name}' asks for decisions: expected [weights] served = NAME alone, no memory, and "
                "of [prompt] an instruction alone"
            )
        self._protocol, self._instructions = system.answer.decision or "systemone", style.instruction or DECIDE

    def build(self, asked: Sequence[tuple[Item, str]], letters: Sequence[str] = ()) -> tuple[Prompt, ...]:
        """The prompts of items, as `PromptBuilder.build`; they have no token ids."""
        return tuple(self._prompt(item) for item, _ in asked)

    def _prompt(self, item: Item) -> Prompt:
        decision = Decision(self._protocol, item.question, self._instructions, dict(item.options))
        text = json.dumps([decision.state, decision.instructions, list(decision.options.items())], ensure_ascii=False)
        return Prompt(text, (), _hash_text(text), decision=decision)


class TextBuilder:
    """Builds the prompts of a model that is asked by chat: the question's text, of which its server makes the rest.

    UsageError for a system that needs the tokenizer here.
    """

    def __init__(self, system: System) -> None:
        style, answer = system.prompt, system.answer
        if system.memory or style.prefix or answer.mode == "readout" or answer.extraction == "first_letter":
            raise UsageError(
                f"system '{system.name}' needs its model's tokenizer on this machine: give the folder that holds it, "
                "without the weights, with --model PATH; by chat alone a system is asked that writes its answer out"
            )
        if style.chat_template:
            named = ", ".join(style.chat_template)
            raise UsageError(f"system '{system.name}' sets {named} of a chat template, which its server writes")
        self._instruction = style.instruction

    def build(self, asked: Sequence[tuple[Item, str]], letters: Sequence[str] = ()) -> tuple[Prompt, ...]:
        """The prompts of items, as `PromptBuilder.build`; they have no token ids."""
        texts = (f"{text}\n\n{self._instruction}" if self._instruction else text for _, text in asked)
        return tuple(Prompt(text, (), _hash_text(text)) for text in texts)


def hash_token_ids(token_ids: Sequence[int]) -> str:
    """sha256 of the ids written as a JSON list, `[1, 2, 3]`: what `prompt_sha256` in a record is."""
    return hashlib.sha256(str(list(token_ids)).encode()).hexdigest()


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


HASHED = 1024


def hash_prompts(prompts: Iterable[Prompt]) -> str:
    """sha256 over the prompts of a cell with the tokens that their letters are read from.

    The first `HASHED` stand for all, so that very many need not be built to name a run: items are in a random order,
    and what each of them says is hashed beside.
    """
    total = hashlib.sha256()
    for prompt in itertools.islice(prompts, HASHED):
        letters = None if prompt.option_token_ids is None else list(prompt.option_token_ids.values())
        total.update(f"{prompt.sha256}:{letters}\n".encode())
    return total.hexdigest()


def _prompt(text: str, token_ids: tuple[int, ...], letters: Mapping[str, int] | None) -> Prompt:
    return Prompt(text, token_ids, hash_token_ids(token_ids), letters)
