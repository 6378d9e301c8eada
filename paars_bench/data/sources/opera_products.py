"""Which product a title stands for: OPeRA's result lists have titles, its clicks and page metadata have ASINs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import pyarrow as pa

from paars_bench.data.schema import CATALOG, Catalog, Product, products_table
from paars_bench.data.sources.opera_actions import Act
from paars_bench.data.sources.opera_cells import Item
from paars_bench.data.sources.opera_pages import Place, slug


class Products:
    """The products of all acts, and their ids.

    A product's id is its ASIN. A place of a list gets it from the page's own metadata; else from any act of the source
    that names the title with one ASIN and no other; else it is made of the title, and says so by beginning with ``t-``.

    Args:
        acts: of all users: a title may be given its ASIN by another's click.
    """

    def __init__(self, acts: Iterable[Act]) -> None:
        self._asins: dict[str, set[str]] = {}
        self._known: dict[str, Product] = {}
        self._pages: dict[tuple[int, int], list[str]] = {}
        self._acts = list(acts)  # held, so that a page's list and results can be known by their identity
        named = list(dict.fromkeys(item for act in self._acts for item in _named(act)))
        for item in named:
            if item.asin and item.title:
                self._asins.setdefault(slug(item.title), set()).add(item.asin)
        for item in named:
            self.id_of(item)
        for act in self._acts:
            self.listed(act)

    def id_of(self, item: Item | None) -> str | None:
        """Returns the id of a product that a cell names, None where it names none."""
        if item is None or not (item.asin or item.title):
            return None
        found = item.asin or self._of_slug(slug(item.title or ""), {})
        self._see(Product(found, item.title or "", price=item.price))
        return found

    def listed(self, act: Act) -> list[str]:
        """Returns the ids of the result list of an act's page, in order, each product once."""
        return list(dict.fromkeys(self._place_ids(act)))

    def place_id(self, act: Act, place: int) -> str:
        """Returns the id of the product at a place, from 0, of the list of an act's page."""
        return self._place_ids(act)[place]

    def _place_ids(self, act: Act) -> list[str]:
        """Returns the id at each place; acts on one page share the answer."""
        key = (id(act.places), id(act.results))
        if key not in self._pages:
            own: dict[str, str] = {}
            for item in act.results:
                if item.asin and item.title:
                    own.setdefault(slug(item.title), item.asin)
            places = act.places or ()
            self._pages[key] = [self._of_slug(place.slug, own) for place in places]
            for found, place in zip(self._pages[key], places, strict=True):
                self._see(_product(found, place))
        return self._pages[key]

    def catalog(self) -> Catalog:
        """Returns the products that have a title, by id."""
        rows = sorted((p for p in self._known.values() if p.title), key=lambda p: p.id)
        return Catalog(products_table(rows) if rows else pa.Table.from_pylist([], schema=CATALOG))

    def _of_slug(self, title: str, own: Mapping[str, str]) -> str:
        several = self._asins.get(title, set())
        one = next(iter(several)) if len(several) == 1 else None
        return own.get(title) or one or "t-" + hashlib.sha256(title.encode()).hexdigest()[:16]

    def _see(self, product: Product) -> None:
        """Keeps what was said of a product first; later acts fill in what was missing."""
        old = self._known.get(product.id, product)
        self._known[product.id] = Product(
            product.id,
            old.title or product.title,
            price=old.price if old.price is not None else product.price,
            rating=old.rating if old.rating is not None else product.rating,
            review_count=old.review_count if old.review_count is not None else product.review_count,
            sponsored=old.sponsored or product.sponsored,
        )


def _named(act: Act) -> tuple[Item, ...]:
    return tuple(i for i in (act.item, act.page_item, *act.bought, *act.results) if i is not None)


def _product(found: str, place: Place) -> Product:
    title = place.title or place.slug.replace("_", " ").strip()
    return Product(
        found,
        title,
        price=place.price,
        rating=place.rating,
        review_count=place.review_count,
        sponsored=place.sponsored,
    )
