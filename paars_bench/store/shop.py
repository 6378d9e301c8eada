"""The shop: a catalog to shop in, and what is worked out of it once for all who come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from paars_bench.config.store_settings import StoreSettings
from paars_bench.data.schema import MOST_PRICE, Catalog
from paars_bench.errors import DataError, nearest
from paars_bench.store.badges import Badge, badge_rows
from paars_bench.store.pages import Listed
from paars_bench.store.search import SearchIndex
from paars_bench.store.text import LONGEST_ID, clean, showable
from paars_bench.store.token_cost import cost
from paars_bench.store.visit import SessionEnd, Visit

__all__ = ["SessionEnd", "Shop", "Visit"]

_ID_TOKENS = 10  # of an id on a page: ten digits, or letters and digits as shops number things
_SHORT_ID = r"^[!-Z^-~]{1,12}$"  # printable ASCII without brackets; «» are none
_LONGEST_NAME = 100  # of a category or brand that can be typed
_MANY_NAMES = 2_000  # comparing with one takes some 20 microseconds
_MOST_RELATED = 20_000  # products whose related ones are kept


class Shop:
    """A catalog to shop in.

    Args:
        catalog: the products.
        index: of that catalog; built here if None.
        settings: of the store; those of the index if None.

    Raises:
        DataError: a product id cannot be shown (empty, over 64 characters, or with spaces, brackets or
            control characters), or a price is none from 0 to ``MOST_PRICE``.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: SearchIndex | None = None,
        *,
        settings: StoreSettings | None = None,
    ) -> None:
        _check_prices(catalog)
        if index is None:
            index = SearchIndex.build(catalog, settings=settings)
        elif settings is not None and settings != index.settings:
            index = index.with_settings(settings)
        self.index, self.settings = index, index.settings
        self.page_size = self.settings.page_size
        self.catalog = catalog
        self.names = _names(catalog)
        """How pages call products whose id is too long for a page, by id."""
        self._ids = {name: pid for pid, name in self.names.items()}
        self._related: dict[str, tuple[str, ...]] = {}

    def open(
        self, shopper: str, session: str, start: datetime, *, step_seconds: float = 20, leaves: bool = True
    ) -> Visit:
        """Lets a shopper in.

        Args:
            shopper: id written in the events.
            session: id written in the events.
            start: time of the first action.
            step_seconds: time from one action to the next, done or not.
            leaves: pages offer leaving among the tools; it can be done either way.
        """
        return Visit(self, shopper, session, start, timedelta(seconds=step_seconds), leaves=leaves)

    def listed(self, product_id: str, rank: int | None) -> Listed:
        """Returns a product as a page lists it, with its badges."""
        row = self.catalog.row(product_id)
        badges = tuple(badge.value for badge, rows in self._badges.items() if row in rows)
        return Listed(rank, self.catalog[product_id], badges)

    def id_of(self, name: str) -> str:
        """Returns the id of the product that a page calls by a name; a name that is none is returned as it is."""
        return self._ids.get(name, name)

    def related(self, product_id: str) -> tuple[str, ...]:
        """Returns the products shown on the page of a product."""
        if product_id not in self._related:
            if len(self._related) >= _MOST_RELATED:
                self._related.clear()
            self._related[product_id] = self.index.related(product_id)
        return self._related[product_id]

    def known(self, kind: str) -> dict[str, str]:
        """Returns the names of a kind, ``category`` or ``brand``, by their lower case: those a shopper can type."""
        return self._categories if kind == "category" else self._brands

    def nearest(self, kind: str, name: str) -> list[str]:
        """Returns up to three names of a kind that look like one; of a shop with very many, those that begin alike."""
        known = self.known(kind)
        near: Iterable[str] = known
        if len(known) > _MANY_NAMES:
            near = [n for n in known if n.startswith(name[:2].casefold())][:_MANY_NAMES]
        return [known[n] for n in nearest(name.casefold(), near)]

    @cached_property
    def departments(self) -> tuple[str, ...]:
        """The widest categories with the most products, as many as a home page shows."""
        import pyarrow.compute as pc

        widest = pc.list_flatten(pc.list_slice(self.catalog.table.column("category"), 0, 1))
        counts = [(c["counts"], c["values"]) for c in pc.value_counts(widest).to_pylist() if c["values"]]
        ordered = sorted(counts, key=lambda c: (-c[0], c[1]))
        return tuple(name for _, name in ordered[: self.settings.pages.departments])

    @cached_property
    def _badges(self) -> dict[Badge, frozenset[int]]:
        return badge_rows(self.catalog.table, self.settings.badges)

    @cached_property
    def _categories(self) -> dict[str, str]:
        import pyarrow.compute as pc

        return _typed(pc.list_flatten(self.catalog.table.column("category")))

    @cached_property
    def _brands(self) -> dict[str, str]:
        return _typed(self.catalog.table.column("brand"))


def _typed(column: Any) -> dict[str, str]:
    """Returns by lower case the names of a column that reach a page as they are; in the order of the catalog."""
    import pyarrow.compute as pc

    found: dict[str, str] = {}
    for name in pc.unique(column).to_pylist():
        if name and clean(name, _LONGEST_NAME) == name:
            found.setdefault(name.casefold(), name)
    return found


def _check_prices(catalog: Catalog) -> None:
    import pyarrow.compute as pc

    prices = catalog.table.column("price")
    sound = pc.and_(pc.greater_equal(prices, 0.0), pc.less_equal(prices, MOST_PRICE))
    row = pc.index(sound, False).as_py()
    if row >= 0:
        raise DataError(
            f"catalog: product {catalog.ids[row][:80]!r} has the price {prices[row].as_py():g}; "
            f"prices go from 0 to {MOST_PRICE:,.0f}, leave out one that is unknown."
        )


def _names(catalog: Catalog) -> dict[str, str]:
    """Returns short names for the products whose id would take too much of a page; checks that ids can be shown."""
    import pyarrow.compute as pc

    unusual = pc.invert(pc.match_substring_regex(catalog.table.column("id"), _SHORT_ID))
    names: dict[str, str] = {}
    for row in pc.indices_nonzero(unusual).to_pylist():
        pid = catalog.ids[row]
        if not showable(pid):
            raise DataError(
                f"catalog: product id {pid[:80]!r} cannot be shown on a page; "
                f"use 1 to {LONGEST_ID} printable characters without spaces, brackets or guillemets."
            )
        if cost(pid) > _ID_TOKENS:
            name = f"item-{row + 1}"
            while name in catalog:
                name += "x"
            names[pid] = name
    return names
