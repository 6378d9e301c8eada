"""What each product is to one shopper with one need: the choice model applied to a shop."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from paars_bench.data.demo import choice
from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.intentions import Need
from paars_bench.data.demo.people import Person
from paars_bench.data.demo.shop import Shop

_GIFT_TASTE = 0.3  # how much of the own lasting taste counts when something is for someone else


class Wanted:
    """A need of a shopper, against which products are weighed.

    Args:
        shop: that sells them.
        person: who weighs.
        seed: of the population.
        need: what is looked for.
        bought: products bought before, as rows of the shop.
    """

    __slots__ = ("_bits", "_bought", "_category", "_favourite", "_own_taste", "_shop", "_weights", "_wished")

    def __init__(self, shop: Shop, person: Person, seed: int, need: Need, bought: Collection[int]) -> None:
        gift = need.kind == "gift"
        self._shop, self._category, self._bought, self._weights = shop, need.category, bought, person.weights
        self._favourite = person.favourite[need.category] if need.product < 0 else need.brand
        self._wished = frozenset(need.wishes if gift else (*need.wishes, person.wish[need.category]))
        self._own_taste = _GIFT_TASTE if gift else 1.0
        self._bits = choice.shopper_bits(person.number, seed)

    def offer(self, row: int) -> choice.Offer[float]:
        """Returns what a product is to the shopper."""
        shop = self._shop
        return choice.Offer(
            1.0 if shop.category[row] == self._category else 0.0,
            shop.acclaim[row],
            shop.log2_price[row],
            1.0 if self._favourite and shop.brand[row] == self._favourite else 0.0,
            float(len(self._wished & shop.features[row])),
            1.0 if row in self._bought else 0.0,
            choice.lasting(self._bits, shop.bits[row]) * self._own_taste,
        )

    def utility(self, row: int) -> float:
        """Returns the utility of a product."""
        return choice.utility(self._weights, self.offer(row))

    def noticed(self, chance: Chance, rows: Sequence[int], reads: Sequence[float]) -> list[tuple[int, float]]:
        """Reads down a list with position bias and returns what was read, what is noticed first at the front.

        Args:
            chance: of the session.
            rows: products in the order shown.
            reads: the chance to read each place, from ``choice.examination``.

        Returns:
            Places (from 0) and utilities.
        """
        places = enumerate(zip(rows, reads, strict=False))
        read = [(place, row) for place, (row, share) in places if chance.random() < share]
        utilities = [(place, self.utility(row)) for place, row in read]
        return sorted(utilities, key=lambda pair: -choice.NOTICE * pair[1] - chance.gumbel())
