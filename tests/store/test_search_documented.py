from __future__ import annotations

import re
from pathlib import Path

import pytest

from paars_bench.store import load_store_settings
from paars_bench.store.search_words import COMMON, LARGE, READ

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "store.md").read_text("utf-8")


def test_the_settings_shown_are_read(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.S)
    (tmp_path / "store.yaml").write_text(shown, "utf-8")
    settings = load_store_settings(tmp_path / "store.yaml")
    assert settings.features.price == -10 and settings.fields.description == 0 and settings.pages.reviews == 0


def test_the_search_shown_finds_the_mug(capsys: pytest.CaptureFixture[str]) -> None:
    shown = next(code for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.S) if "SearchIndex" in code)
    exec(compile(shown, "docs/store.md", "exec"), {})
    listed, suggested, related = capsys.readouterr().out.splitlines()
    assert "('M07',), total=1" in listed and "drop=('brand',), total=2" in suggested and related == "('M08',)"


def test_the_bounds_are_those_of_the_page() -> None:
    assert f"with more than {COMMON:,} postings" in PAGE and f"{READ:,} postings together" in PAGE
    assert f"of more than {LARGE:,} products" in PAGE
