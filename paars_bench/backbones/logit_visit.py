"""A whole visit of the ``logit`` baseline, as the actions that make it in the store.

The visit is the demo's own (``Visit``), run against the index of the store it is played in: every decision rests on
lists that the store shows at that point, so playing the actions one by one leaves the events of the visit.
"""

from __future__ import annotations

from collections import Counter

from paars_bench.backbones.door import Situation
from paars_bench.backbones.logit_mind import Mind
from paars_bench.backbones.scripted_habits import CannotAnswer, category_query, words
from paars_bench.backbones.scripted_sessions import replay_plan
from paars_bench.data.demo.behaviour import Visit, World
from paars_bench.data.demo.chance import Chance
from paars_bench.data.demo.intentions import Need, Past, draw_kind, draw_need
from paars_bench.data.demo.people import Person
from paars_bench.data.demo.queries import make_query
from paars_bench.data.demo.reading import read_intention
from paars_bench.data.demo.recorder import Recorder
from paars_bench.data.demo.shop import Shop
from paars_bench.data.schema import Product
from paars_bench.store import SearchIndex, StoreAction

# Words of an intention that nobody types into a search box.
_EMPTY = frozenset(
    words(
        "a an the i you he she it we they my your some any this that which me to of for in on at with and or if not is "
        "are be been was am have has had will would could may maybe want wants wanted need needs needed looking look "
        "find get buy buying like shopping something anything"
    )
)
_MOST_WORDS = 4


def plan_visit(mind: Mind, situation: Situation, chance: Chance) -> list[StoreAction]:
    """Returns the actions of the shopper's visit; the last one leaves."""
    shop, index = situation.shop, situation.shop.index
    past = list(mind.past)
    world = World(
        mind.shop,
        lambda query, skip: index.search(query, limit=shop.page_size, offset=skip).ids,
        mind.seed,
        draw_need if mind.of_demo else any_need,
        make_query if mind.of_demo else any_query,
        page=shop.page_size,
    )
    need = _first_need(mind, str(situation.case.values.get("intention") or ""), index, chance, past)
    recorder = Recorder()
    Visit(world, mind.person, chance, past, recorder, situation.case.session, 0).run(need)
    return replay_plan([row._asdict() for row in recorder.rows], shop.page_size)


def _first_need(mind: Mind, intention: str, index: SearchIndex, chance: Chance, past: list[Past]) -> Need:
    """Returns what the intention tells; what shoppers come for where it tells nothing."""
    if mind.of_demo:
        told = read_intention(intention, chance, mind.person, mind.shop, past)
        return told or draw_need(chance, mind.person, mind.shop, past)
    said = [word for word in words(intention) if word.lower() not in _EMPTY][-_MOST_WORDS:]
    found = index.search(" ".join(said), limit=10).ids if said else ()
    if not found:
        return any_need(chance, mind.person, mind.shop, past)
    category = Counter(mind.shop.category[mind.shop.row[pid]] for pid in found).most_common(1)[0][0]
    return Need(draw_kind(chance), category, " ".join(said), (), "", -1)


def any_need(chance: Chance, person: Person, shop: Shop, past: list[Past]) -> Need:
    """Draws why a shopper comes to a shop whose words nobody listed: something bought before, or like some product."""
    if not shop.row:
        raise CannotAnswer("the catalog is empty")
    kind = draw_kind(chance)
    if kind == "reorder" and past:
        row = chance.one_of(past).product
        return Need(kind, shop.category[row], title_query(chance, _product(shop, row)), (), shop.brand[row], row)
    category = person_category(chance, person)
    row = chance.one_of(shop.rows[category])
    kind = "buy" if kind == "reorder" else kind
    return Need(kind, category, title_query(chance, _product(shop, row)), (), "", -1)


def person_category(chance: Chance, person: Person) -> int:
    """Draws a category in proportion to the shopper's taste."""
    left = chance.random() * person.ends[-1]
    return next((code for code, end in enumerate(person.ends) if end > left), len(person.ends) - 1)


def any_query(chance: Chance, person: Person, need: Need, attempt: int) -> str:
    """Returns what is typed for a need that says its own words: fewer of them with every new try."""
    typed = need.type.split()
    for _ in range(min(attempt, len(typed) - 1)):
        typed.pop(chance.below(len(typed)))
    return " ".join(typed).lower()


def title_query(chance: Chance, product: Product) -> str:
    """Returns two to four words of a title, in its order, most often without the brand."""
    title = words(product.title)
    brand = {word.lower() for word in words(product.brand or "")}
    if chance.random() < 0.7:
        title = [word for word in title if word.lower() not in brand] or title
    if not title:
        return category_query(product)
    return " ".join(title[: 2 + chance.below(3)]).lower()


def _product(shop: Shop, row: int) -> Product:
    return shop.catalog[shop.catalog.ids[row]]
