"""What a person types in the shop, and the one store action that it stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from paars_bench.store import BadAction, Page, PageKind, Refinement, StoreAction, Verb

HELP = """\
tea, s ground tea  search (s also where a word means something here, as in: s buy)
3                  view result 3;  v ID  views a product by its id
n                  next page of the list
f price<=20 sort=price_low
                   narrow or sort the list, by category= brand= price>= price<= rating>= sort=;  f alone takes all off
b                  back to the list
add, add 2, add ID put the product of this page, result 2 or another in the cart
rm 2, rm ID        take it out;  cart  looks into the cart
buy                buy what is in the cart
q                  leave the shop"""

_ALONE = {
    "n": Verb.NEXT_PAGE,
    "next": Verb.NEXT_PAGE,
    "b": Verb.BACK,
    "back": Verb.BACK,
    "buy": Verb.BUY,
    "q": Verb.LEAVE,
    "quit": Verb.LEAVE,
    "leave": Verb.LEAVE,
}
_WITH_PRODUCT = {"v": Verb.VIEW, "view": Verb.VIEW, "add": Verb.CART_ADD, "rm": Verb.CART_REMOVE}
_WITH_FILTERS = ("f", "filter", "refine")
_WITH_QUERY = ("s", "search")


class Aside(StrEnum):
    """What is looked at without doing anything in the shop."""

    HELP = "?"
    CART = "cart"


_ASIDES = {"?": Aside.HELP, "help": Aside.HELP, "cart": Aside.CART}


@dataclass
class Reader:
    """Reads lines; it knows the numbers of the results last listed.

    Attributes:
        ranks: ids by number, of the list last shown, all pages seen of it.
    """

    ranks: dict[int, str] = field(default_factory=dict)
    _list: tuple[str | None, Refinement] | None = None

    def see(self, page: Page) -> None:
        """Takes note of a page that is shown."""
        if page.kind is not PageKind.RESULTS:
            return
        if self._list != (page.query, page.refinement):
            self.ranks.clear()
        self._list = page.query, page.refinement
        self.ranks |= {x.rank: page.called(x.product.id) for x in page.listed if x.rank is not None}

    def read(self, line: str, page: Page) -> StoreAction | BadAction | Aside:
        """Returns what a line stands for on a page; what is no command and no product in reach is a search."""
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        command = word.lower()
        if not rest and command in _ASIDES:
            return _ASIDES[command]
        if not rest and command in _ALONE:
            return StoreAction(_ALONE[command])
        if command in _WITH_FILTERS:
            return _refined(rest)
        if command in _WITH_QUERY and rest:
            return StoreAction(Verb.SEARCH, query=rest)
        if command in _WITH_PRODUCT and (not rest or " " not in rest):
            verb = _WITH_PRODUCT[command]
            return StoreAction(verb, product=self._product(rest) or _here(verb, page))
        if not rest and (word.isdecimal() or word in page.targets(Verb.VIEW)):
            return StoreAction(Verb.VIEW, product=self._product(word))
        return StoreAction(Verb.SEARCH, query=line.strip())

    def _product(self, word: str) -> str:
        return self.ranks.get(int(word), word) if word.isdecimal() and len(word) < 10 else word


def _here(verb: Verb, page: Page) -> str | None:
    targets = page.targets(verb)
    return targets[0] if len(targets) == 1 or (page.kind is PageKind.PRODUCT and verb is Verb.CART_ADD) else None


def _refined(text: str) -> StoreAction | BadAction:
    try:
        return StoreAction(Verb.REFINE, refinement=Refinement.of(text))
    except ValueError as error:
        said = str(error)
        return BadAction(said if said.endswith((".", "?")) else f"{said}.")
