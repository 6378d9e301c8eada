"""Logs as people bring them: sound shoppers, and every defect we know of at a row that the test knows."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from paars_bench.cli import main
from paars_bench.data.importing.columns import ColumnMap
from paars_bench.data.importing.importer import Imported, Sources, read_log

HEADER = ("shopper", "session", "time", "action", "query", "shown", "product", "rank", "price")
START = datetime(2025, 3, 1, 10, tzinfo=UTC)
PRODUCTS = [f"p{i}" for i in range(40)]


def line(*fields: Any, delimiter: str = ",") -> str:
    """One line of CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", delimiter=delimiter).writerow(fields)
    return out.getvalue()


def event(session: str = "x-1", second: int = 0, action: str = "view", /, **values: Any) -> dict[str, Any]:
    """A sound event of a session on a day of its own."""
    shopper, _, day = session.partition("-")
    time = (START + timedelta(days=int(day), seconds=second)).isoformat()
    row: dict[str, Any] = dict.fromkeys(HEADER) | {"shopper": shopper, "session": session, "time": time}
    row["action"] = action
    if action == "search":
        row |= {"query": "red shoes", "shown": json.dumps(PRODUCTS[:6])}
    elif action != "leave":
        row["product"] = "p1"
    return row | values


def sound_events(shoppers: int = 6, sessions: int = 8) -> list[dict[str, Any]]:
    """Shoppers who search, view, add, buy and leave, every day."""
    rows = []
    for who in range(shoppers):
        for day in range(sessions):
            name, rank = f"u{who}-{day}", 1 + (who + day) % 6
            chosen = PRODUCTS[rank - 1]
            rows += [
                event(name, 0, "search", query=f"shoes, size {day}\nred" if day == 2 else f"shoes {who} {day}"),
                event(name, 20, "view", product=chosen, rank=rank),
                event(name, 40, "cart_add", product=chosen),
                event(name, 60, "purchase", product=chosen, price=f"{10 + day}.50"),
                event(name, 80, "leave"),
            ]
    return rows


def fields(row: dict[str, Any]) -> str:
    """An event as a line of the log."""
    return line(*(row[name] for name in HEADER))


def catalog_lines() -> list[str]:
    """Forty products in ten categories, as CSV."""
    heads = line("id", "title", "category", "price", "rating", "review_count", "brand", "sponsored", "added")
    rows = [
        line(p, f"Product {p}", json.dumps(["Shop", f"Kind {i % 10}"]), "9.99", "4.5", 12, "Acme", "no", "2024-05-01")
        for i, p in enumerate(PRODUCTS)
    ]
    return [heads, *rows]


def write_catalog(folder: Path, encoding: str = "utf-8") -> Path:
    path = folder / "products.csv"
    path.write_bytes("".join(catalog_lines()).encode(encoding))
    return path


def write_log(folder: Path, rows: list[dict[str, Any]], name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text(line(*HEADER) + "".join(map(fields, rows)), encoding="utf-8", newline="")
    return path


def read(*sources: Path | str, columns: ColumnMap | None = None, **more: Any) -> Imported:
    """Reads a log with our own column names."""
    options = {k: str(v) for k, v in more.items() if k in ("catalog", "shoppers")}
    rest = {k: v for k, v in more.items() if k not in options}
    return read_log(Sources(tuple(map(str, sources)), **options), columns or ColumnMap(), **rest)


def rules(imported: Imported, table: str = "events") -> dict[str, int]:
    """How many rows broke each rule."""
    out: dict[str, int] = {}
    for found in imported.defects.found():
        if found.table == table:
            out[found.rule.name] = out.get(found.rule.name, 0) + found.rows
    return out


def told(capsys: Any, *words: str | Path) -> tuple[int, str, str]:
    """Runs a command line: exit code, standard output, standard error."""
    code = main([str(w) for w in words])
    out = capsys.readouterr()
    return code, out.out, out.err
