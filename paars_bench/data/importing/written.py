"""The folder of an imported log: four tables, what is said of them, and every row that was not loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.importing.defects import Defects
from paars_bench.data.importing.rules import Fate
from paars_bench.data.importing.source import without_password
from paars_bench.data.log import Log
from paars_bench.data.mining_rules import FunnelStep
from paars_bench.data.registry import META
from paars_bench.data.schema import CATALOG, EVENTS, SESSIONS, SHOPPERS, Catalog, conformed
from paars_bench.errors import DataError
from paars_bench.files import file_sha256, read_strict_json

QUARANTINE = "quarantine.jsonl"
_FORMAT = 1
_SCHEMAS = {"events": EVENTS, "catalog": CATALOG, "sessions": SESSIONS, "shoppers": SHOPPERS}
_KEYS = ("format", "name", "human_reference", "licence", "citation", "imported", "steps", "files")


class Described(NamedTuple):
    """What the importing person says of a log."""

    name: str
    human_reference: Literal["real", "simulated"] = "real"
    licence: str = "not stated"
    citation: str = "not stated"


def write_imported(folder: Path, log: Log, defects: Defects, about: Described, settings: Mapping[str, Any]) -> None:
    """Writes tables and ``dataset.json`` into a folder that holds the quarantine already.

    Args:
        folder: exists.
        log: what is sound.
        defects: what was not.
        about: what is said of the log.
        settings: how it was read, kept for the record: ``sources``, ``columns``, ``assumed``.
    """
    tables = {"events": log.events, "catalog": log.catalog.table, "sessions": log.sessions, "shoppers": log.shoppers}
    digests = {}
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table, path, compression="zstd")
        digests[path.name] = file_sha256(path)
    if not len(defects):
        (folder / QUARANTINE).unlink()
    sources = {k: _shown(v) for k, v in settings["sources"].items()}
    found = [
        {"table": t, "rule": r.name, "fate": str(r.fate), "column": c or None, "count": n, "first": place._asdict()}
        for t, r, c, n, place in defects.found()
    ]
    meta: dict[str, Any] = {
        "format": _FORMAT,
        **about._asdict(),
        "imported": datetime.now(UTC).isoformat(timespec="seconds"),
        **settings,
        "sources": sources,
        "steps": [list(step) for step in funnel(log, defects)],
        "defects": found,
        "files": digests,
    }
    text = json.dumps(meta, ensure_ascii=False, allow_nan=False, indent=1)
    (folder / META).write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _shown(source: Any) -> Any:
    if isinstance(source, str):
        return without_password(source)
    return [without_password(s) for s in source] if isinstance(source, tuple) else source


def funnel(log: Log, defects: Defects) -> list[FunnelStep]:
    """Returns what each rule left of the log's rows."""
    out: dict[str, int] = {}
    for found in defects.found():
        if found.table == "events" and found.rule.fate is Fate.QUARANTINED:
            out[found.rule.words] = out.get(found.rule.words, 0) + found.rows
    left = log.events.num_rows + sum(out.values())
    steps = [FunnelStep("rows of the log", left, 0)]
    for words, count in out.items():
        left -= count
        steps.append(FunnelStep(f"not: {words}", left, count))
    return steps


def read_imported(path: Path) -> tuple[Mapping[str, Any], Log]:
    """Returns ``dataset.json`` and the log of an imported folder.

    Raises:
        DataError: not such a folder, or changed since it was written.
    """
    meta = read_meta(path)
    tables: dict[str, pa.Table] = {}
    for name, schema in _SCHEMAS.items():
        file = path / f"{name}.parquet"
        try:
            if file_sha256(file) != meta["files"][file.name]:
                raise DataError(f"{file}: changed since it was imported; import the log again")
            tables[name] = conformed(pq.read_table(file), schema)
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(f"{file}: cannot be read ({error}); import the log again") from error
    return meta, Log(tables["events"], Catalog(tables["catalog"]), tables["shoppers"], tables["sessions"])


def read_meta(path: Path) -> Mapping[str, Any]:
    """Returns ``dataset.json`` of an imported folder.

    Raises:
        DataError: there is none, or it is not one.
    """
    file = path / META
    try:
        meta = read_strict_json(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read ({error}); import the log again") from error
    missing = [key for key in _KEYS if not isinstance(meta, dict) or key not in meta]
    if missing:
        raise DataError(f"{file}: the key {missing[0]!r} is missing; import the log again")
    assert isinstance(meta, dict), "one that is none lacks every key"
    for key, good, must in (
        ("format", meta["format"] == _FORMAT, str(_FORMAT)),
        ("human_reference", meta["human_reference"] in ("real", "simulated"), "real or simulated"),
        ("steps", _are_steps(meta["steps"]), "a list of [rule, rows kept, rows dropped]"),
        ("files", isinstance(meta["files"], dict), "digests by file"),
    ):
        if not good:
            raise DataError(f"{file}: {key} {str(meta[key])[:60]!r} must be {must}; import the log again")
    return meta


def _are_steps(value: Any) -> bool:
    """Says whether JSON holds what ``FunnelStep`` is made of."""
    kinds = [str, int, int, str]
    return isinstance(value, list) and all(
        isinstance(step, list) and len(step) in (3, 4) and all(map(isinstance, step, kinds)) for step in value
    )
