"""An imported log as a data set: read from its folder, checked against its digests, and mined."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.cases import CaseKind
from paars_bench.data.importing.importer import FORMAT, has_browsing
from paars_bench.data.log import Log
from paars_bench.data.mined import About, MinedData
from paars_bench.data.mining import Mined, mine
from paars_bench.data.mining_rules import FunnelStep, MiningRules
from paars_bench.data.registry import META, Progress
from paars_bench.data.schema import CATALOG, EVENTS, SESSIONS, SHOPPERS, Catalog
from paars_bench.errors import DataError

_SCHEMAS = {"events": EVENTS, "catalog": CATALOG, "sessions": SESSIONS, "shoppers": SHOPPERS}


def build(*, path: Path, progress: Progress | None = None) -> MinedData:
    """Reads a folder that ``paars-bench data import`` wrote and mines its test sets.

    Raises:
        DataError: not such a folder, changed since it was written, or no case can be made of it.
    """
    meta, log = read_imported(path)
    mined = mine(log, MiningRules(), progress=progress)
    kinds = {kind for kind, table in mined.cases.items() if table.num_rows}
    if not has_browsing(log.events):
        kinds.discard(CaseKind.SESSIONS)
    if not kinds:
        raise DataError(
            f"{path}: no case can be made of this log; `paars-bench data mine {path}` says which rule took each"
        )
    about = About(
        name=str(meta["name"]),
        revision=str(meta["imported"]),
        human_reference=meta["human_reference"],
        licence=str(meta["licence"]),
        citation=str(meta["citation"]),
        kinds=frozenset(kinds),
        imported=tuple(FunnelStep(*step) for step in meta["steps"]),
    )
    cases = {kind: table for kind, table in mined.cases.items() if kind in kinds}
    return MinedData(about, log, Mined(mined.split, cases, mined.funnels))


def read_imported(path: Path) -> tuple[Mapping[str, Any], Log]:
    """Returns ``dataset.json`` and the log of an imported folder.

    Raises:
        DataError: not such a folder, or changed since it was written.
    """
    meta = read_meta(path)
    tables: dict[str, pa.Table] = {}
    try:
        for name, schema in _SCHEMAS.items():
            content = (path / f"{name}.parquet").read_bytes()
            if hashlib.sha256(content).hexdigest() != meta["files"][f"{name}.parquet"]:
                raise DataError(f"{path / name}.parquet: changed since it was imported; import the log again")
            tables[name] = pq.read_table(pa.BufferReader(content)).cast(schema)
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as an imported log ({error})") from error
    return meta, Log(tables["events"], Catalog(tables["catalog"]), tables["shoppers"], tables["sessions"])


def read_meta(path: Path) -> Mapping[str, Any]:
    """Returns ``dataset.json`` of an imported folder.

    Raises:
        DataError: there is none, or it is not one.
    """
    file = path / META
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path}: no data set folder (it has no {META}); make one with `paars-bench data import`"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: cannot be read ({error})") from error
    needed = ("format", "name", "human_reference", "licence", "citation", "imported", "steps", "files")
    missing = [key for key in needed if not isinstance(meta, dict) or key not in meta]
    if missing:
        raise DataError(f"{file}: the key {missing[0]!r} is missing; import the log again")
    if meta["format"] != FORMAT or meta["human_reference"] not in ("real", "simulated"):
        raise DataError(f"{file}: format {meta['format']!r} is not {FORMAT}; import the log again")
    assert isinstance(meta, dict)
    return meta
