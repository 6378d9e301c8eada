"""Small logs by hand and at random: what the tests of mining share."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import strategies as st

from paars_bench.data.log import Log
from paars_bench.data.schema import SESSIONS, Action, Catalog, Event, Product, SessionInfo, events_table, products_table

START = datetime(2025, 5, 1, 12, tzinfo=UTC)


def catalog(products: int = 60, categories: int = 12) -> Catalog:
    """Products ``p0`` … in turn of categories ``c0`` …; the last three have no category."""
    items = [
        Product(f"p{i}", f"Title {i}", ("shop", f"c{i % categories}") if i < products - 3 else ())
        for i in range(products)
    ]
    return Catalog(products_table(items))


def at(shopper: str, session: int, seconds: float, action: Action, **values) -> Event:
    """An event of the ``session``-th day of a shopper."""
    time = START + timedelta(days=session, seconds=seconds)
    return Event(shopper, f"{shopper}-{session}", time, action, **values)


def history(shopper: str = "ann", sessions: int = 3) -> list[Event]:
    """Sessions that do nothing but give a shopper a past."""
    return [at(shopper, n, 0, Action.LEAVE) for n in range(sessions)]


def log(events: list[Event], *, products: Catalog | None = None, sessions: list[SessionInfo] | None = None) -> Log:
    rows = None
    if sessions is not None:
        rows = pa.Table.from_pylist(
            [
                {"session": s.session, "shopper": s.shopper, "start": s.start, "intention": s.intention}
                for s in sessions
            ],
            schema=SESSIONS,
        )
    return Log.of(events_table(events), products or catalog(), sessions=rows)


_PRODUCTS = [f"p{i}" for i in range(60)] + ["gone"]


@st.composite
def shopper_events(draw, shopper: str) -> list[Event]:
    """A shopper's life: sessions that may overlap, lists, views off the list, products the shop no longer has."""
    events: list[Event] = []
    clock = 0
    for number in range(draw(st.integers(1, 8))):
        clock += draw(st.integers(0, 5000))
        now = clock
        for _ in range(draw(st.integers(1, 6))):
            action = draw(st.sampled_from(list(Action)))
            now += draw(st.integers(0, 100))
            values: dict = {}
            if action is Action.SEARCH:
                values["query"] = draw(st.sampled_from(["shoes", "", " ", "red hat", None]))
                values["shown"] = tuple(draw(st.lists(st.sampled_from(_PRODUCTS), max_size=14, unique=True)))
            elif action is not Action.LEAVE:
                values["product"] = draw(st.sampled_from(_PRODUCTS))
            if action is Action.VIEW:
                values["rank"] = draw(st.one_of(st.none(), st.integers(1, 15)))
            time = START + timedelta(seconds=now)
            events.append(Event(shopper, f"{shopper}-{number}", time, action, **values))
    return events


@st.composite
def populations(draw, most: int = 3) -> list[Event]:
    names = [f"s{i}" for i in range(draw(st.integers(1, most)))]
    return [event for name in names for event in draw(shopper_events(name))]
