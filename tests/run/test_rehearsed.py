"""A template that fails on real cases is found by a dry run, by a run before its first call, and by ``validate``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_runs import DATA, Bench, FakeBackbone

from paars_bench.cli import main
from paars_bench.config import TaskIndex
from paars_bench.errors import ConfigError, RunDirectoryError
from paars_bench.outcomes import Outcome
from paars_bench.run import State, rescore, validate_tasks
from paars_bench.tasks.render import Renderer

CHOICE, QUERY, SESSION = "item_selection_individual.yaml", "query_generation.yaml", "session_generation.yaml"
FAILING: dict[str, tuple[dict[str, str], str]] = {
    "division": ({"include": QUERY, "doc_to_text": "{{ title }} {{ 1/0 }}"}, "doc_to_text: .*division by zero"),
    "Python's insides": ({"include": QUERY, "doc_to_text": "{{ title.__class__ }}"}, "doc_to_text: .*unsafe"),
    "a part that no option has": (
        {"include": CHOICE, "doc_to_text": "{% for o in options %}{{ o.maker }}{% endfor %}"},
        "doc_to_text: .*maker",
    ),
    "system text": ({"include": QUERY, "system_text": "{{ 9**9**9 }}"}, "system_text: .*2\\*\\*64"),
    "session": ({"include": SESSION, "doc_to_text": "{{ tools }}{{ 'a' * 10**10 }}"}, "doc_to_text: .*200,000"),
    "empty prompt": ({"include": QUERY, "doc_to_text": "{% if not title %}x{% endif %}"}, "doc_to_text: is empty"),
    "target that is no option": ({"include": CHOICE, "doc_to_target": "{{ answer + 9 }}"}, "a number from 1 to 4"),
    "target in words": ({"include": CHOICE, "doc_to_target": "the last"}, "doc_to_target: is 'the last'"),
    "empty target": ({"include": QUERY, "doc_to_target": "{{ query[999:] }}"}, "doc_to_target: is empty"),
    "target that fails": ({"include": QUERY, "doc_to_target": "{{ query.words }}"}, "doc_to_target: .*words"),
}


def write(folder: Path, keys: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "mine.yaml").write_text(yaml.safe_dump({"task": "mine", **keys}))
    return folder


@pytest.mark.parametrize(("keys", "told"), FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("dry_run", [True, False])
def test_it_is_refused_before_any_call(
    bench: Bench, tmp_path: Path, keys: dict[str, str], told: str, dry_run: bool
) -> None:
    fake = FakeBackbone()
    with pytest.raises(ConfigError, match=f"^mine: .*{told}"):
        bench(fake, tasks=("mine",), include_path=(write(tmp_path / "tasks", keys),), dry_run=dry_run)
    assert fake.requests == []
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("keys", "told"), FAILING.values(), ids=FAILING)
def test_validate_reports_it(tmp_path: Path, keys: dict[str, str], told: str) -> None:
    (found,) = validate_tasks(TaskIndex([write(tmp_path, keys)]).select(["mine"]), DATA)
    assert (found.check, found.state) == ("prompts", State.WRONG)
    assert told.rsplit("*", 1)[-1] in found.detail


def test_validate_reports_each_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, FAILING["division"][0])
    (tmp_path / "broken.yaml").write_text("include: query_generation.yaml\ntask: broken\nmin_coverage: 7\n")
    (tmp_path / "odd.yaml").write_text("include: item_selection_individual.yaml\ntask: odd\ndataset: text\n")
    (tmp_path / "misfit.yaml").write_text(
        "include: item_selection_individual.yaml\ntask: misfit\nmetric_list: [{metric: query_ttr, level: group}]\n"
    )
    names = "mine,broken,odd,misfit,item_selection_individual"
    code = main(["validate", "--tasks", names, "--dataset", DATA, "--include_path", str(tmp_path)])
    out = capsys.readouterr().out
    assert code == 1
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert all("WRONG" in rows[name] for name in ("mine", "broken", "odd", "misfit"))
    assert "broken.yaml:3" in out
    assert "item_selection_individual" in rows


def test_a_case_that_fails_later_costs_itself_only(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paars_bench.tasks.rehearse.PROMPTS", 0)
    whole = Renderer.text
    seen: list[str] = []

    def text(self: Renderer, case: Any, **more: Any) -> str:
        seen.append(case.case_id)
        if case.case_id == seen[0]:
            raise ConfigError("mine: doc_to_text: cannot be rendered: it is odd.")
        return whole(self, case, **more)

    monkeypatch.setattr(Renderer, "text", text)
    asked = {"limit": 3, "conditions": ("base",), "tasks": ("query_generation",), "log_samples": True}
    counts = bench(FakeBackbone(), **asked).results["tasks"][0]["counts"]
    assert counts["by_outcome"][Outcome.ENV_ERROR] == 1
    assert (counts["planned"], counts["scored"]) == (3, 2)


def test_scoring_a_foreign_run_is_bounded_too(bench: Bench, tmp_path: Path) -> None:
    bench("random", limit=3, tasks=("query_generation",))
    file = tmp_path / "run" / "config.json"
    config = json.loads(file.read_text())
    loops = "{% for i in range(99999) %}" * 3 + "{% endfor %}" * 3 + "{{ query }}"
    config["tasks"][0]["doc_to_target"] = loops
    file.write_text(json.dumps(config))
    started = time.process_time()
    with pytest.raises(ConfigError, match=r"doc_to_target: .*too much"):
        rescore(tmp_path / "run")
    assert time.process_time() - started < 30
    config["tasks"][0]["output_type"] = "dance"
    file.write_text(json.dumps(config))
    with pytest.raises(RunDirectoryError, match=r"broken task .key output_type"):
        rescore(tmp_path / "run")
    file.write_text(json.dumps({**config, "spec": {"model": "random", "repeats": "many"}}))
    with pytest.raises(RunDirectoryError, match="repeats"):
        rescore(tmp_path / "run")
