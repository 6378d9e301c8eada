"""Amazon Reviews 2023: read line by line, every dropped line counted, no shopper's own words in the catalog."""

import json
import random

import pytest
from told import assert_told

from paars_bench.data import iter_cases, load_dataset
from paars_bench.data.cases import CaseKind
from paars_bench.data.schema import event_of
from paars_bench.data.sources import amazon_reviews_products as products_module
from paars_bench.data.sources.amazon_reviews import HUB, build
from paars_bench.errors import DataError

DAY = 86_400_000
START = 1_600_000_000_000


def product(n, **more):
    """A product as the source writes it."""
    return {
        "main_category": "Video Games",
        "title": f"Game {n} &amp; more",
        "average_rating": 4.5,
        "rating_number": 10 + n,
        "features": ["Fun <br/> for all", " ", "Two players"],
        "description": ["A game.", "Really."],
        "price": [19.99, "19.99", "$1,019.50", "None", None, "from 3.99"][n % 6],
        "images": [],
        "videos": [],
        "store": "Maker",
        "categories": ["Video Games", f"Console {n % 40}"],
        "details": {"Type": "Game"},
        "parent_asin": f"B{n:04d}",
        "bought_together": None,
    } | more


def review(user, n, day, **more):
    """A review as the source writes it."""
    return {
        "rating": 5.0,
        "title": "Good",
        "text": f"Words of {user} on {n}",
        "images": [],
        "asin": f"C{n:04d}",
        "parent_asin": f"B{n:04d}",
        "user_id": user,
        "timestamp": START + day * DAY,
        "helpful_vote": 0,
        "verified_purchase": True,
    } | more


def shelves():
    return [product(n) for n in range(80)]


def crowd():
    """Eight users with ten purchases each, and one who is no buyer but is found helpful."""
    rng = random.Random(2)
    rows = [review(f"U{u}", n, 3 * i) for u in range(8) for i, n in enumerate(rng.sample(range(60), 10))]
    rows += [review("CRITIC", n, 50, verified_purchase=False, helpful_vote=9 - n) for n in range(5)]
    return rows


def folder(place, reviews, products):
    for name, rows in (("Video_Games.jsonl", reviews), ("meta_Video_Games.jsonl", products)):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (place / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return place


def made(place, reviews=None, products=None, **options):
    where = folder(place, crowd() if reviews is None else reviews, shelves() if products is None else products)
    return build(category="Video_Games", path=where, **options)


def steps(data):
    found = {}
    for step in data.funnel(None):
        found.setdefault(step.rule, []).append((step.kept, step.dropped))
    return found


def test_verified_reviews_are_purchases_once_a_user_and_product(tmp_path):
    twice = [review("U0", 70, 40, text="again"), review("U0", 70, 39, text="first")]
    data = made(tmp_path, [*crowd(), *twice])
    own = [event_of(r) for r in data.log.events.to_pylist() if r["product"] == "B0070"]
    assert [(e.shopper, str(e.action), e.session, e.price) for e in own] == [("U0", "purchase", "U0-2020-10-22", None)]
    assert data.log.events.num_rows == 81
    assert steps(data)["first review of the product by the user"] == [(81, 1)]
    assert data.kinds == {CaseKind.ITEM_CHOICES} and data.human_reference == "real"
    assert max(sum(c.shopper == s for c in iter_cases(data, CaseKind.ITEM_CHOICES)) for s in data.shoppers) <= 4


def test_every_line_of_the_reviews_is_kept_or_counted(tmp_path):
    bad = [
        "{not json",
        "[1, 2]",
        "",
        review("", 1, 1),
        review("U0", 1, 1) | {"parent_asin": None},
        review("U0", 1, 1, timestamp="2020-01-01"),
        review("U0", 1, 1, timestamp=12),
        review("U0", 2, 1, verified_purchase=False),
        review("FEW", 2, 1),
        review("FEW", 2, 2),
        review("FEW", 3, 2),
        review("FEW", 4, 3),
        review("U0", 99, 90),
    ]
    found = steps(made(tmp_path, [*crowd(), *bad]))
    assert found["reviews in the source"] == [(85 + 13, 0)]
    assert found["line is a JSON object"][0] == (95, 3)
    assert found["names user and product"] == [(93, 2)]
    assert found["time lies between 1990 and now"] == [(91, 2)]
    assert found["verified purchase"] == [(85, 6)]
    assert found["by a user with 4 products or more"] == [(81, 4)]
    assert found["product is in the catalog"] == [(80, 1)]


def test_every_line_of_the_products_is_kept_or_counted(tmp_path):
    bad = [
        "{",
        product(90) | {"title": " "},
        product(91) | {"parent_asin": None},
        product(92, categories=[]),
        product(93) | {"categories": None},
        product(3, title="the second of its id"),
    ]
    data = made(tmp_path, products=[*shelves(), *bad])
    found = steps(data)
    assert found["products in the source"] == [(86, 0)]
    assert found["line is a JSON object"][1] == (85, 1)
    assert found["has an id and a title"] == [(83, 2)]
    assert found["has a category path"] == [(81, 2)]
    assert found["first of its id"] == [(80, 1)]
    assert data.catalog["B0003"].title == "Game 3 & more" and len(data.catalog) == 80


def test_fields_of_a_product_are_cleaned_and_odd_prices_left_empty(tmp_path):
    odd = [product(80, average_rating=0.0, rating_number=None, store=None, features="no list", description=None)]
    data = made(tmp_path, products=[*shelves(), *odd])
    assert [data.catalog[f"B{n:04d}"].price for n in range(6)] == [19.99, 19.99, 1019.5, None, None, None]
    assert steps(data)["… without a price that is a number"] == [(39, 0)]
    first = data.catalog["B0000"]
    assert (first.category, first.brand, first.rating, first.review_count) == (
        ("Video Games", "Console 0"),
        "Maker",
        4.5,
        10,
    )
    assert (first.description, first.bullets) == ("A game. Really.", ("Fun for all", "Two players"))
    last = data.catalog["B0080"]
    assert (last.rating, last.review_count, last.brand, last.bullets, last.description) == (None, None, None, (), None)


def test_products_show_the_most_helpful_reviews_of_others_only(tmp_path):
    more = [review(f"READER{v}", 0, 60, helpful_vote=v, text=f"<b>{v}</b> votes") for v in (0, 3, 12, 7)]
    more += [review("LATER", 0, 61, helpful_vote=7, text="seven too"), review("MUTE", 0, 1, helpful_vote=50, text=" ")]
    more += [review("ODD", 0, 61, helpful_vote=99, rating=11)]
    data = made(tmp_path, [*crowd(), *more, review("U1", 0, 70, helpful_vote=1000)])
    assert [r.text for r in data.catalog["B0000"].reviews] == ["12 votes", "Words of CRITIC on 0", "7 votes"]
    shoppers = set(data.log.shoppers.column("id").to_pylist()) | {e["shopper"] for e in data.log.events.to_pylist()}
    texts = [r.text for p in data.catalog for r in p.reviews]
    assert texts and not [t for t in texts if any(f"Words of {s} " in t for s in shoppers)]


def test_the_catalog_is_bounded_and_holds_all_that_was_bought(tmp_path, monkeypatch):
    monkeypatch.setattr(products_module, "OTHERS", 5)
    data = made(tmp_path, shoppers=2)
    bought = {r["product"] for r in data.log.events.to_pylist()}
    names = set(data.catalog.ids)
    assert bought < names and len(names - bought) == 5
    assert steps(data)["bought by a shopper kept, or among 5 others chosen by seed"] == [
        (len(names), 80 - len(names)),
    ]


def test_a_smaller_choice_of_shoppers_is_part_of_a_larger(tmp_path):
    chosen = [{r["shopper"] for r in made(tmp_path, shoppers=n).log.events.to_pylist()} for n in (2, 5)]
    assert [len(c) for c in chosen] == [2, 5] and chosen[0] < chosen[1]
    other = {r["shopper"] for r in made(tmp_path, shoppers=2, seed=1).log.events.to_pylist()}
    assert other != chosen[0]
    with pytest.raises(DataError, match="shoppers=9 but the source has 8; ask for fewer"):
        made(tmp_path, shoppers=9)


def test_the_order_of_the_lines_does_not_matter_to_the_cases(tmp_path):
    first = made(tmp_path)
    mixed = crowd()
    random.Random(0).shuffle(mixed)
    assert made(tmp_path, mixed, list(reversed(shelves()))).sha256 == first.sha256


def test_a_category_without_paths_says_so(tmp_path):
    with pytest.raises(DataError, match=r"no item choice .* 0 of its products have a category path \(80 have"):
        made(tmp_path, products=[product(n, categories=[]) for n in range(80)])


@pytest.mark.parametrize("taken", ["Video_Games.jsonl", "meta_Video_Games.jsonl"])
def test_a_missing_file_is_one_sentence_with_the_step(tmp_path, taken):
    (folder(tmp_path, crowd(), shelves()) / taken).unlink()
    with pytest.raises(DataError) as caught:
        load_dataset(f"amazon_reviews:Video_Games,path={tmp_path}")
    both = (
        '--include "raw/review_categories/Video_Games.jsonl"',
        '--include "raw/meta_categories/meta_Video_Games.jsonl"',
    )
    words = (
        HUB.repo,
        HUB.revision,
        f"holds no raw/{'meta' if 'meta' in taken else 'review'}_categories",
        *both,
        "--dataset amazon_reviews:Video_Games,path=amazon_reviews",
    )
    assert all(word in str(caught.value) for word in words) and "\n" not in str(caught.value)


def test_the_command_line_tells_licence_citation_and_every_rule(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PAARS_BENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "files").mkdir()
    spec = f"amazon_reviews:Video_Games,path={folder(tmp_path / 'files', crowd(), shelves())}"
    assert_told(
        spec, capsys, "amazon_reviews, real shoppers", "licence: none assigned by its makers", "citation: Hou, Li, He"
    )


def test_files_may_lie_as_the_hub_lays_them(tmp_path):
    flat = made(tmp_path)
    for kind, name in (("review", "Video_Games.jsonl"), ("meta", "meta_Video_Games.jsonl")):
        place = tmp_path / "raw" / f"{kind}_categories"
        place.mkdir(parents=True)
        (tmp_path / name).rename(place / name)
    assert build(category="Video_Games", path=tmp_path).sha256 == flat.sha256
