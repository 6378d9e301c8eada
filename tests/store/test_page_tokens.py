"""No page is longer than its budget, whatever the catalog holds: said by the bound and by tokenizers of real models.

Pages are drawn from a fixed seed: each takes a few kinds of text for all that sellers and shoppers write, from plain
English to what each vocabulary splits worst, and long or short messages, queries, filters, ids, carts and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from random import Random

import pytest
from real_tokenizers import counters, smollm2

from paars_bench.data.schema import Product, Review
from paars_bench.store import Listed, Page, PageKind, Refinement, Sort
from paars_bench.store.text import clean
from paars_bench.store.token_cost import cost

Draw = Callable[[Random], str]


def letters(first: int, last: int) -> Draw:
    return lambda r: chr(r.randint(first, last))


def among(*pieces: str) -> Draw:
    return lambda r: r.choice(pieces)


WORDS = [
    w
    for line in files("paars_bench.store").joinpath("token_words.txt").read_text().split("\n")
    for w in line[3:].split()
]
KINDS: dict[str, Draw] = {
    "english": lambda r: r.choice(WORDS).capitalize() + r.choice(" ,-/") + " ",
    "letters": letters(97, 122),
    "capitals": letters(65, 90),
    "rare letters": among(*"qxzjvkwQXZ"),
    "letters apart": lambda r: chr(r.randint(97, 122)) + " ",
    # found by a search for words that vocabularies split worst
    "split letters": among(
        "eaioeabrppsocrsi", "nttrnkivauedrakl", "htlsctysepruadrt", "zepa", "Oeei ", "étc ", "NnKs-"
    ),
    "words in words": lambda r: r.choice(WORDS) + r.choice("éñ’´ü'(1-"),
    "digits": letters(48, 57),
    "digits apart": among(*"0123456789 "),
    "signs": among(*"!@#$%^&*()-_=+{}|;:,./?~`'\""),
    "delimiters": among(*"«»<>[]‹›…"),
    "control": among("a\x00", "\x1b[2J", "\x9b31m", "\r\n", "\x85", "\u2028", "b "),
    "latin-1": letters(0xA1, 0xFF),
    "split latin-1": among(*"¼Ý¯½ÐÛÞ¨¾ÿ"),
    "marks": lambda r: r.choice("mug") + "".join(chr(r.randint(0x300, 0x36F)) for _ in range(3)),
    "cyrillic": letters(0x400, 0x4FF),
    "arabic": letters(0x620, 0x64A),
    "devanagari": letters(0x904, 0x94D),
    "thai": letters(0xE01, 0xE3A),
    "ethiopic": letters(0x1200, 0x1248),
    "cherokee": letters(0x13A0, 0x13F4),
    "cherokee apart": lambda r: chr(r.randint(0x13A0, 0x13F4)) + " ",
    "han": letters(0x4E00, 0x9FFF),
    "han, extension B": letters(0x20000, 0x2A6D0),
    "hangul": letters(0xAC00, 0xD7A3),
    "arrows": letters(0x2190, 0x2BFF),
    "emoji": among("👩‍👩‍👧‍👦", "🏳️‍🌈", "🇺🇳", "👍🏽", "🧑🏿‍🚀", "🐭"),
    "one for many": among(*"ﷺ㌀㍿½²™ﬁ㎏"),  # a tokenizer may write them as several letters
}


@pytest.fixture(scope="module", params=[*counters(), "SmolLM2"])
def counted(request: pytest.FixtureRequest) -> Callable[[str], int]:
    if request.param != "SmolLM2":
        return counters()[request.param]
    pytest.importorskip("gguf", reason="the extra `local` is not installed: pip install 'paars-bench[local]'")
    return smollm2()


class Seller:
    """Draws text of a few kinds, and pages full of it."""

    def __init__(self, seed: int, kinds: list[str] | None = None) -> None:
        self.chance = Random(seed)
        self.kinds = kinds or self.chance.sample(sorted(KINDS), self.chance.choice((1, 1, 2, 4)))

    def text(self, pieces: int) -> str:
        draws = [KINDS[self.chance.choice(self.kinds)] for _ in range(1 + pieces // 50)]
        return "".join(draws[n // 50](self.chance) for n in range(pieces))

    def goods(self) -> list[Product]:
        r, id_form = self.chance, self.chance.choice(("B0%08d", "%010d", "H%02d", "item-%05d"))
        price = r.choice((None, 9.99, 99.99, 99_999.99, 999_999.0, 1e12))
        return [
            Product(
                id_form % (r.randint(0, 9) * 1000 + n),
                self.text(200) or "x",
                (self.text(20), self.text(r.choice((4, 20)))),
                brand=self.text(r.choice((4, 20))),
                price=price,
                rating=4.5,
                review_count=r.choice((9_999, 999_999, 10**9, 2**62)),
                description=self.text(1500),
                bullets=(self.text(200),) * 9,
                reviews=(Review(4.5, self.text(200)),) * 9,
                sponsored=r.random() < 0.8,
            )
            for n in range(10)
        ]

    def problem(self) -> str | None:
        names = ", ".join(f"«{clean(self.text(30), 40)}»" for _ in range(3))
        return self.chance.choice((None, clean(self.text(300), 400), f"the shop has no category {names}."))

    def pages(self) -> Iterator[Page]:
        r, goods = self.chance, self.goods()
        rank = r.choice((1, 9_991, 99_991))
        listed = tuple(Listed(rank + n, p, ("best seller", "top rated")) for n, p in enumerate(goods))
        low, high = r.choice((0.0, 1234.567)), r.choice((1e6, 1234567.89, 1e12))
        refined = Refinement(self.text(30), self.text(30), low, high, r.choice((1, 4.123456)), Sort.PRICE_HIGH)
        refinement = r.choice((refined, refined, Refinement(max_price=20)))
        cart = tuple(goods[: r.choice((0, 3, 10))])
        query, problem, total = self.text(300), self.problem(), r.choice((9_999, 9_999_999))
        asked = {"query": query, "refinement": refinement, "cart": cart, "problem": problem}
        yield Page(PageKind.RESULTS, listed, **asked, total=total, more=True)
        yield Page(PageKind.RESULTS, **asked, suggestions=(query,) * 3, loosened=((("category", "brand"), total),) * 5)
        yield Page(PageKind.PRODUCT, listed[:1], cart, related=listed[1:5], problem=problem)
        yield Page(PageKind.CART, listed, tuple(goods), notice="[B000000001] is now in your cart.", problem=problem)
        yield Page(PageKind.HOME, cart=cart, departments=tuple(self.text(40) for _ in range(8)), problem=problem)


@cache
def drawn() -> tuple[Page, ...]:
    each = (Seller(n, [kind]) for n, kind in enumerate(KINDS))
    return tuple(page for seller in (*each, *map(Seller, range(100, 140))) for page in seller.pages())


def bound(page: Page) -> int:
    return sum(cost(line) + 1 for line in page.text.split("\n"))


def budget(page: Page) -> int:
    return 800 if page.kind is PageKind.PRODUCT else 600


def test_every_page_is_within_its_budget_by_the_bound() -> None:
    assert [(p.kind, bound(p)) for p in drawn() if bound(p) > budget(p)] == []
    assert max(bound(p) for p in drawn() if p.kind is PageKind.RESULTS) > 590, "the search reaches the budget"


def test_no_model_reads_more_tokens_in_a_page_than_the_bound_says(counted: Callable[[str], int]) -> None:
    assert [(p.kind, counted(p.text), bound(p)) for p in drawn() if counted(p.text) > bound(p)] == []


def test_what_a_crowded_page_keeps_are_products_titles_and_prices() -> None:
    crowded = [p for p in drawn() if p.kind is PageKind.RESULTS and p.listed and "/5" not in p.text]
    assert crowded, "some page has no room for ratings"
    for page in crowded:
        lines = [line for line in page.text.split("\n") if ". [" in line]
        assert len(lines) == 10 and all("«" in line and ("$" in line or "no price" in line) for line in lines)
        assert not any("best seller" in line or "reviews)" in line for line in lines)


def test_no_text_takes_more_tokens_than_it_costs(counted: Callable[[str], int]) -> None:
    texts = [clean(Seller(n, [kind]).text(40), 400) for kind in KINDS for n in range(20)]
    # where a space, a letter or a sign was found to go with what stands beside it
    texts += ["étc étc", "● ●» ®", "™dr ™ ™", "'results 'seller", "а™™éae»™ñ", "x® «y»", "éa 5 ½ 汉 字"]
    assert [t for t in texts if counted(f"the {t}") > cost(f"the {t}")] == []


def test_a_listed_word_takes_the_tokens_that_the_list_says(counted: Callable[[str], int]) -> None:
    forms = [form for word in WORDS for form in ({word, word.capitalize()} if word.islower() else {word})]
    assert [f for f in forms if counted(f"the {f}") - counted("the") > cost(f" {f}")] == []
    assert [f for f in forms if counted(f"the-{f}") - counted("the-") > cost(f"-{f}") - cost("-")] == []
    inside = [text for f in forms for text in (f"the'{f}", f"the {f}\u0301")]  # where another split is made of it
    assert [t for t in inside if counted(t) > cost(t)] == []
