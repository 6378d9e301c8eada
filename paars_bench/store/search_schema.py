"""How a catalog becomes a tantivy index: one segment in the order of the catalog, so a document's number is its row.

tantivy lists equal scores by segment and document. Segment ids are random, and so is where tantivy's own tie-breaker
field begins, but document numbers of one writer thread are not: with one segment, ties fall to the product listed
first in the catalog, in every process and after every rebuild.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from paars_bench.data.schema import Catalog
from paars_bench.errors import DataError
from paars_bench.store.refine import Sort
from paars_bench.store.search_shelf import sort_places

FIELDS = ("title", "brand", "category", "bullets", "description")
"""Indexed text; the weights are settings, so one index serves them all."""

Progress = Callable[[str, int, int], None]

ANALYZER = "shop_en"
_BATCH = 4096
# A budget, not an allocation (memory grows by pages): under it everything lands in one segment. A million products of
# 70 words took 0.9 GB in all.
_WRITER_BYTES = 2_000_000_000
_LONGEST_NAME = 200


def analyzer(*, stop: bool) -> Any:
    """Returns tantivy's reading of text: words in lower case without accents, stemmed; stop words only if asked."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(64))
    builder = builder.filter(Filter.lowercase()).filter(Filter.ascii_fold())
    if stop:
        builder = builder.filter(Filter.stopword("english"))
    return builder.filter(Filter.stemmer("english")).build()


def name_key(name: str) -> str:
    """Returns a brand or category as filters compare it: without case, outer space, or a length tantivy cannot hold."""
    key = " ".join(name.casefold().split()).encode("utf-8", "replace")  # half a surrogate pair has no UTF-8
    return key.decode() if len(key) <= _LONGEST_NAME else hashlib.sha256(key).hexdigest()


def sort_field(sort: Sort) -> str:
    """Returns the field with the place of each product in a sorted catalog."""
    return f"by_{sort}"


def fill(catalog: Catalog, folder: Path | None, progress: Progress | None = None) -> Any:
    """Indexes a catalog and returns the tantivy index.

    Args:
        catalog: what to index, read batch by batch.
        folder: an empty folder for the files; None keeps them in memory.
        progress: told the number of products indexed so far.

    Raises:
        DataError: the catalog's text does not fit one segment (about 2 GB of postings).
    """
    import tantivy

    schema = _schema()
    index = tantivy.Index(schema) if folder is None else tantivy.Index(schema, path=str(folder))
    index.register_tokenizer(ANALYZER, analyzer(stop=False))
    places = {sort_field(s): sort_places(catalog.table, s) for s in Sort if s is not Sort.RELEVANCE}
    low = 0
    # Left by an error, too, the writer ends its threads: none writes on into a folder that is being removed.
    with index.writer(heap_size=_WRITER_BYTES, num_threads=1) as writer:
        for batch in catalog.table.select([*FIELDS, "price", "rating"]).to_batches(max_chunksize=_BATCH):
            sorted_to = {name: place[low : low + len(batch)].tolist() for name, place in places.items()}
            _add(writer, batch, sorted_to)
            low += len(batch)
            if progress is not None:
                progress("indexing the catalog for search", low, len(catalog))
    index.reload()
    searcher = index.searcher()
    if searcher.num_docs != len(catalog) or searcher.num_segments > 1:
        raise DataError(
            f"catalog: {len(catalog)} products do not fit one search segment "
            f"({searcher.num_segments} segments, {searcher.num_docs} indexed); use a smaller catalog."
        )
    return index


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name=ANALYZER, index_option="freq")
    for name in ("category_is", "brand_is"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("price", "rating"):
        builder.add_float_field(name, fast=True)
    # Signed on purpose: an unsigned field that is given plain ints kills the writer thread of tantivy-py.
    for sort in Sort:
        if sort is not Sort.RELEVANCE:
            builder.add_integer_field(sort_field(sort), fast=True)
    return builder.build()


def _add(writer: Any, batch: pa.RecordBatch, sorted_to: dict[str, list[int]]) -> None:
    from tantivy import Document

    columns = [column.to_pylist() for column in batch.columns]
    for row, (title, brand, path, bullets, description, price, rating) in enumerate(zip(*columns, strict=True)):
        values: dict[str, Any] = {name: place[row] for name, place in sorted_to.items()}
        values["title"] = title
        if brand:
            values["brand"], values["brand_is"] = brand, name_key(brand)
        if path:
            values["category"], values["category_is"] = " ".join(path), [name_key(name) for name in path]
        if bullets:
            values["bullets"] = "\n".join(bullets)
        if description:
            values["description"] = description
        if price is not None:
            values["price"] = price
        if rating is not None:
            values["rating"] = rating
        writer.add_document(Document(**values))
