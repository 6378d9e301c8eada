"""What the four commands print, and that their help has examples."""

from __future__ import annotations

import json
from typing import Any

import fsspec
import pytest
from logs import event, sound_events, told, write_catalog, write_log

from paars_bench.config import TaskIndex
from paars_bench.data import load_dataset
from paars_bench.data.cases import CaseKind


def test_import_says_what_was_read_assumed_and_written(tmp_path, capsys):
    rows = [r | {"session": None} for r in sound_events()]
    rows.append(event("u9-1", product="gone\x1b[31m"))
    log, catalog, folder = write_log(tmp_path, rows), write_catalog(tmp_path), tmp_path / "mine"
    code, out, err = told(capsys, "data", "import", log, "--catalog", catalog, "--sessions", "day", "--to", folder)
    assert code == 2 and err.splitlines() == ["reading the log", "checking the log as a whole"]
    lines = out.splitlines()
    assert lines[0] == "241 rows read: 240 loaded as events of 48 sessions, 1 quarantined; 40 products"
    assert lines[1] == "assumed: sessions were made: all that a shopper does from midnight to midnight, UTC"
    assert " ".join(lines[2].split()) == "TABLE COLUMN ROWS WHAT BECAME OF THEM FIRST AT WHAT IS WRONG"
    assert lines[3].startswith("events  product  1     quarantined")
    assert f"{log} row 242" in lines[3] and "a product that is not in the catalog: 'gone[31m'" in lines[3]
    assert lines[4:] == [
        f"every defect with its row: {folder / 'quarantine.jsonl'}",
        f"written to {folder}; next: paars-bench data mine {folder}",
    ]


def test_validate_of_a_sound_log_says_so_and_exits_0(tmp_path, capsys):
    log, catalog = write_log(tmp_path, sound_events()), write_catalog(tmp_path)
    code, out, _ = told(capsys, "data", "validate", log, "--catalog", catalog)
    assert code == 0
    assert out.splitlines() == [
        "240 rows read: 240 loaded as events of 48 sessions, 0 quarantined; 40 products",
        "no defect found",
    ]


@pytest.fixture
def folder(tmp_path, capsys):
    log, catalog, folder = write_log(tmp_path, sound_events()), write_catalog(tmp_path), tmp_path / "mine"
    (tmp_path / "people.jsonl").write_text('{"id": "u0", "age": 41}\n')
    more = (
        "--shoppers",
        tmp_path / "people.jsonl",
        "--licence",
        "CC BY 4.0",
        "--citation",
        "Ann (2025)",
        "--simulated",
    )
    assert told(capsys, "data", "import", log, "--catalog", catalog, "--to", folder, "--name", "shop", *more)[0] == 0
    return folder


def test_describe_prints_licence_citation_test_sets_and_figures(folder, capsys):
    code, out, _ = told(capsys, "data", "describe", folder)
    data, lines = load_dataset(str(folder)), out.splitlines()
    assert code == 0 and lines[0].startswith("shop, simulated shoppers, revision 20")
    assert lines[1:3] == ["licence: CC BY 4.0", "citation: Ann (2025)"]
    for kind in CaseKind:
        assert f"{kind} " in out and str(data.case_table(kind).num_rows) in next(t for t in lines if t.startswith(kind))
    assert (
        "6 shoppers, 48 sessions, 240 events, 40 products, 2025-03-01T10:00:00+00:00 to 2025-03-08T10:01:20+00:00"
        in out
    )
    assert next(t for t in lines if t.startswith("search ")).split() == ["search", "1.00", "1", "1", "1"]
    assert "without a purchase: 0.0% of the sessions" in out
    assert "48 queries, 90% distinct, 3.1 words each; 48 with the list shown" in out
    assert "48 views with a rank; places 1 to 10: 16.7%, 16.7%, 16.7%, 16.7%, 16.7%, 16.7%, 0.0%" in out
    assert "shoppers with demographics or answers: 1; sessions with an intention: 0" in out


def test_mine_prints_the_funnel_of_the_import_and_of_each_test_set(folder, capsys, tmp_path):
    code, out, _ = told(capsys, "data", "mine", folder)
    assert code == 0
    data = load_dataset(str(folder))
    for what, steps in [("IMPORT", data.funnel()), *((k.upper(), data.funnel(k)) for k in CaseKind)]:
        block = out[out.index(f"{what} ") :].split("\n\n")[0].splitlines()
        assert block[0].split() == [what, "KEPT", "DROPPED"]
        shown = [text.rsplit("  ", 2)[0].strip() for text in block[1:]]
        assert len(shown) == len(steps)
        for text, step in zip(block[1:], steps, strict=True):
            assert text.startswith(step.rule) and f" {step.kept:,}" in text
    assert told(capsys, "data", "mine", "--dataset", folder)[:2] == (code, out)
    for words in ((), (folder, "--dataset", folder)):
        code, _, err = told(capsys, "data", "mine", *words)
        assert code == 1 and "name one data set or folder" in err
    code, _, err = told(capsys, "data", "mine", folder, "--to", folder)
    assert code == 1 and "already there" in err
    code, _, err = told(capsys, "data", "mine", folder, "--to", tmp_path / "log.csv" / "below")
    assert code == 1 and "cannot be written" in err


def test_the_log_of_agents_is_described_by_the_same_command(folder, tmp_path, capsys):
    sessions = next(s.task for s in TaskIndex().select(["all"]) if s.dataset.cases is CaseKind.SESSIONS)
    asked = ("run", "--model", "random", "--dataset", folder, "--tasks", sessions, "--limit", "2")
    code, _, err = told(capsys, *asked, "--output_path", tmp_path / "run")
    assert code in (0, 2), err
    code, out, _ = told(capsys, "data", "describe", tmp_path / "run" / "agent_log")
    assert code == 0 and "sessions in the store" in out and "A SESSION HAS" in out


def test_a_run_on_a_folder_that_was_moved_is_scored_where_the_folder_is_now(folder, tmp_path, capsys):
    run, moved = tmp_path / "run", tmp_path / "elsewhere"
    asked = ("run", "--model", "random", "--dataset", folder, "--tasks", "item_selection_individual", "--limit", "2")
    assert told(capsys, *asked, "--output_path", run)[0] in (0, 2)
    before = json.loads((run / "results.json").read_text())["tasks"]
    folder.rename(moved)
    code, _, err = told(capsys, "score", run)
    assert code == 1 and f"paars-bench score {run} --dataset FOLDER" in err and len(err.splitlines()) == 1
    assert told(capsys, "score", run, "--dataset", moved)[0] in (0, 2)
    assert json.loads((run / "results.json").read_text())["tasks"] == before
    code, _, err = told(capsys, "score", run, "--dataset", "demo:shoppers=20,products=300")
    assert code == 1 and "with digest" in err and "demo:shoppers=20,products=300 now has" in err
    code, _, err = told(capsys, "score", run, "--dataset", tmp_path / "gone")
    assert code == 1 and "no such folder" in err


class Interrupted(fsspec.AbstractFileSystem):
    """A place where Ctrl-C is pressed while a file is opened."""

    protocol = "interrupted"

    def exists(self, path: str, **_: Any) -> bool:
        return True

    def isdir(self, path: str) -> bool:
        return False

    def open(self, *_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt


def test_an_interrupted_import_leaves_nothing_and_speaks_of_no_run(tmp_path, capsys):
    fsspec.register_implementation("interrupted", Interrupted, clobber=True)
    asked = ("interrupted://log.csv", "--action", "leave")
    for words in (("data", "import", *asked, "--to", tmp_path / "out"), ("--debug", "data", "validate", *asked)):
        code, _, err = told(capsys, *words)
        assert code == 130
        assert err.splitlines()[-1] == "error: interrupted; give the same command again to start it over."
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [(), ("import",), ("validate",), ("describe",), ("mine",)])
def test_every_help_has_examples(command, capsys):
    code, out, _ = told(capsys, "data", *command, "--help")
    assert code == 0 and "Examples:" in out and f"paars-bench data {' '.join(command)}" in out
