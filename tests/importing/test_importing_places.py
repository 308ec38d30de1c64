"""Where the files of a log lie: bare names, other endings, and what lies in the folder beside them."""

import json
import shutil
from pathlib import Path

import pytest

from rimbench import importing
from rimbench.errors import DataError
from rimbench.importing import reading, rows
from rimbench.store import read_manifest

PARQUET = "details_quiz_letters_2026-11-27.parquet"


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        (PARQUET, "lighteval"),
        ("evalscope/quiz_reviews.jsonl", "evalscope"),
        ("evalscope/quiz_predictions.jsonl", "evalscope"),
        ("opencompass/results_quiz.json", "opencompass"),
        ("opencompass/predictions_quiz.json", "opencompass"),
    ],
)
@pytest.mark.parametrize("given", ["{}", "./{}", "inner/../{}"])
def test_a_bare_name_in_the_folder_of_work_is_read(logs, tmp_path, monkeypatch, name, format_name, given):
    (tmp_path / "inner").mkdir()
    shutil.copy(logs / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    found = importing.read(Path(given.format(name.rpartition("/")[2])))
    assert found.format == format_name and len(found.reading.answers) == 6


def test_what_lies_beside_is_found_from_within_the_folder(logs, tmp_path, monkeypatch):
    for kind in ("reviews", "predictions"):
        (tmp_path / kind / "stub").mkdir(parents=True)
        shutil.copy(logs / f"evalscope/quiz_{kind}.jsonl", tmp_path / kind / "stub" / "quiz.jsonl")
    monkeypatch.chdir(tmp_path / "predictions" / "stub")
    found = importing.read(Path("quiz.jsonl"))
    assert found.path.resolve() == tmp_path / "reviews" / "stub" / "quiz.jsonl"
    assert found.reading.answers[0].prompt_tokens is not None


def test_the_results_of_lighteval_are_found_of_a_model_with_an_organisation(logs, tmp_path):
    details = tmp_path / "details" / "org" / "model" / "2026-11-27"
    details.mkdir(parents=True)
    shutil.copy(logs / PARQUET, details)
    (tmp_path / "results" / "org" / "model").mkdir(parents=True)
    totals = {"config_general": {"model_name": "org/model", "model_config": {"generation_parameters": {}}}}
    (tmp_path / "results" / "org" / "model" / "results_2026-11-27.json").write_text(json.dumps(totals))
    assert importing.read(details / PARQUET).reading.model == "org/model"


@pytest.mark.parametrize("ending", ["", ".json", ".txt", ".ndjson", ".jsonl.txt"])
def test_outputs_of_a_batch_may_end_otherwise(do_import, logs, quiz, tmp_path, ending):
    folder = tmp_path / "batch"
    folder.mkdir()
    shutil.copy(logs / "openai_batch/quiz_output.jsonl", folder / f"batch_1_output{ending}")
    shutil.copy(logs / "openai_batch/quiz_requests.jsonl", folder)
    for given in (folder / f"batch_1_output{ending}", folder / "quiz_requests.jsonl", folder):
        done = do_import(given, quiz())
        assert done.document["n"] == 6 and done.document["temperature"] == 0
        assert "in batch_1_output" in read_manifest(done.folder).model_source.source


UNRELATED = {
    "another_requests.jsonl": '{"custom_id": "x", "method": "POST", "url": "/v1", "body": {}}\n{"custom_id": 3}\n',
    "another_output.jsonl": '{"custom_id": "x", "response": null, "error": {"code": "down"}}\n{"custom_id": ""}\n',
    "torn.jsonl": '{"custom_id": "q-1", "respon',
    "archive.jsonl": "PK\x05\x06\0\0\0\0 custom_id ",
    "deep.jsonl": "[" * 5000 + '"custom_id"',
    "notes.jsonl": '{"custom_id": "q-1", "note": "mine"}\n',
    "other.jsonl": "\0\0\0",
}


@pytest.mark.parametrize("name", UNRELATED)
def test_an_unrelated_file_stops_no_batch_and_one_that_cannot_be_read_is_told(do_import, logs, quiz, tmp_path, name):
    folder = tmp_path / "batch"
    shutil.copytree(logs / "openai_batch", folder)
    (folder / name).write_bytes(UNRELATED[name].encode("latin-1"))
    done = do_import(folder / "quiz_output.jsonl", quiz())
    assert done.document["n"] == 6 and done.document["temperature"] == 0
    assert (f"left out: {folder / name}" in done.notes) == (name not in ("notes.jsonl", "other.jsonl"))


def test_a_line_of_a_batch_is_read_once_whatever_the_number_of_requests(logs, tmp_path, monkeypatch):
    from rimbench.importing.formats import openai_batch

    row = json.loads((logs / "openai_batch/quiz_output.jsonl").read_text().splitlines()[0])
    asked = json.loads((logs / "openai_batch/quiz_requests.jsonl").read_text().splitlines()[0])
    for name, one in (("out.jsonl", row), ("asked.jsonl", asked)):
        lines = (json.dumps(one | {"custom_id": f"r{i}"}) for i in range(50))
        (tmp_path / name).write_text("\n".join(lines))
    files = []
    real = openai_batch.read_rows
    monkeypatch.setattr(openai_batch, "read_rows", lambda path, schema: files.append(path.name) or real(path, schema))
    importing.read(tmp_path / "out.jsonl")
    assert sorted(files) == ["asked.jsonl", "out.jsonl"]


DAMAGED = {
    "table.csv": b"id,pred,pred\nq-1,B,C\n",
    "latin.csv": b"id,pred\nq-1,\xe9\n",
    "torn.parquet": b"PAR1" + b"\xff" * 50 + b"PAR1",
    "torn.eval": b"PK\x05\x06" + b"\xff" * 16 + b"\0\0",
    "results_2026.json": b'{"results": {}, "configs": {}}',
    "ragged.tsv": b"id\tpred\nq-1\n",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_of_a_folder_is_named_and_the_log_beside_it_imported(do_import, logs, quiz, tmp_path, name):
    folder = tmp_path / "folder"
    shutil.copytree(logs / "simple_evals", folder)
    (folder / name).write_bytes(DAMAGED[name])
    done = do_import(folder, quiz())
    assert done.document["n"] == 6 and f"left out: {folder / name}" in done.notes


@pytest.mark.parametrize("name", DAMAGED)
def test_of_a_folder_of_damaged_files_alone_the_fault_is_told(do_import, quiz, tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / name).write_bytes(DAMAGED[name])
    with pytest.raises(DataError, match=f"no file of this directory can be imported: .*{name}") as error:
        do_import(tmp_path / "folder", quiz())
    assert "\n" not in str(error.value)


def test_a_document_is_parsed_once(logs, tmp_path, monkeypatch):
    parsed = []
    real = rows.parse_foreign
    for module in (rows, reading):
        monkeypatch.setattr(module, "parse_foreign", lambda content: parsed.append(len(content)) or real(content))
    for name in (
        "helm/scenario_state.json",
        "opencompass/results_quiz.json",
        "simple_evals/quiz_stub_allresults.json",
    ):
        for given in (logs / name, (logs / name).parent):
            parsed.clear()
            importing.read(given)
            assert parsed.count((logs / name).stat().st_size) == 1, given
