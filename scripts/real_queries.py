"""Real human search queries from the folder that ``PAARS_BENCH_REAL_DATA`` names, for scripts and tests."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path


def real_folder() -> Path | None:
    """Returns the folder of real data, None where the variable is not set."""
    named = os.environ.get("PAARS_BENCH_REAL_DATA")
    return Path(named) if named else None


def webshop_queries(folder: Path) -> list[str]:
    """Returns the distinct queries that WebShop's people typed, sorted."""
    goals = json.loads((folder / "webshop_queries/goal_query_map.json").read_text(encoding="utf-8"))
    return sorted({query for many in goals.values() for query in many})


def bestbuy_queries(folder: Path) -> list[str]:
    """Returns the distinct queries typed on Best Buy's site, sorted: those of the click log and those with titles."""
    with (folder / "bestbuy_clicks/clicks_clean.csv").open(newline="", encoding="utf-8") as file:
        clicked = {row["query"].strip() for row in csv.DictReader(file)}
    lines = (folder / "bestbuy_titles/query_clicked_titles.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted((clicked | {json.loads(line)["query"].strip() for line in lines}) - {""})
