"""OPeRA's files: which of them are read, in shards, splits and columns, some rows at a time: pages are long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from paars_bench.data.sources.fetch import Hub, hub_files
from paars_bench.errors import DataError

HUB = Hub("NEU-HAI/OPeRA", "6f26a2c5cc69084f1714e39db9776e61791344d6")
ACTIONS = ("OPeRA_filtered/action/train-*.parquet", "OPeRA_filtered/action/test-*.parquet")
PEOPLE = ("OPeRA_filtered/user/train/train.parquet", "OPeRA_filtered/user/test/test.parquet")
# Screenshots, mouse positions and window sizes are never read. Neither is input_text: it is a typed prefix, no query.
ACTION_COLUMNS = (
    "session_id", "action_id", "timestamp", "action_type", "click_type", "semantic_id", "element_meta", "page_meta",
    "products", "simplified_html",
)  # fmt: skip
PEOPLE_COLUMNS = ("user_id", "survey", "interview_transcript_processed")
_ROWS = 32  # at a time: a page has up to 0.6 MB, so 20 MB are held at most


class Files(NamedTuple):
    """The files that are read: shards of the action table, and the user table, both splits of each."""

    actions: list[Path]
    people: list[Path]


def source_files(path: Path | None) -> Files:
    """Returns the files, from a folder or the Hub.

    Both splits are read as one: they share users, so the source's split is none for agents that are told of a user.

    Raises:
        DataError: something is not there; the text says how to get it.
    """
    found = hub_files("opera", HUB, (*ACTIONS, *PEOPLE), path)
    return Files([f for p in ACTIONS for f in found[p]], [f for p in PEOPLE for f in found[p]])


def rows_of(file: Path, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yields the rows of a Parquet file, of the named columns only, some at a time.

    Raises:
        DataError: the file is no Parquet or lacks a column.
    """
    try:
        with pq.ParquetFile(file) as source:
            missing = [name for name in columns if name not in source.schema_arrow.names]
            if missing:
                raise DataError(
                    f"{file}: no column {missing[0]!r}; it has {', '.join(source.schema_arrow.names)}. "
                    f"Take the file from {HUB.repo} at revision {HUB.revision}."
                )
            for batch in source.iter_batches(batch_size=_ROWS, columns=list(columns)):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file}: no readable Parquet file ({error}); download it again.") from error
