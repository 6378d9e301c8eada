"""Times the importers of purchases on generated files of the published schemas, and says seconds and peak memory.

    python scripts/bench_importers.py open_ecommerce 1850000
    python scripts/bench_importers.py amazon_reviews 1000000 --shoppers 2000

The peer is the least that a Python reader must do: one pass of ``csv`` or ``json`` over the same file.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from paars_bench.data.mined import MinedData

WORDS = ["great", "product", "works", "as", "expected", "battery", "kids", "love", "shipping", "broke", "after", "week"]

PURCHASES = ["Order Date", "Purchase Price Per Unit", "Quantity", "Shipping Address State", "Title"]
PURCHASES += ["ASIN/ISBN (Product Code)", "Category", "Survey ResponseID"]


def write_purchases(folder: Path, rows: int) -> Path:
    """Writes ``amazon-purchases.csv`` and ``survey.csv``: 5,027 people, half as many products as rows."""
    rng = random.Random(0)
    people = [f"R_{n:015d}" for n in range(5027)]
    with (folder / "survey.csv").open("w", newline="") as out:
        write = csv.writer(out)
        questions = ("age", "education", "income", "gender", "state")
        more = ("Q-amazon-use-howmany", "Q-amazon-use-hh-size", "Q-amazon-use-how-oft", "Q-demos-race")
        write.writerow(["Survey ResponseID", *(f"Q-demos-{q}" for q in questions), *more])
        write.writerows(
            [p, "25 - 34 years", "High school", "$25,000", "Male", "Ohio", "2", "2", "often", "x"] for p in people
        )
    file = folder / "amazon-purchases.csv"
    with file.open("w", newline="") as out:
        write = csv.writer(out)
        write.writerow(PURCHASES)
        for _ in range(rows):
            n = int(rows / 2 * rng.random() ** 1.5)
            title = f"Item {n}, {' '.join(WORDS)}"
            day = f"{rng.randint(2018, 2022)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
            who = people[int(5027 * rng.random() ** 1.3)]
            code = f"B{n:09d}" if n % 50 else ""
            write.writerow([day, f"{rng.random() * 80:.2f}", "1.0", "NJ", title, code, f"KIND_OF_{n % 1700}", who])
    return file


def write_reviews(folder: Path, rows: int) -> Path:
    """Writes the two files of ``Video_Games``: reviews of a fifth as many people and a tenth as many products."""
    rng = random.Random(0)
    products, people = max(rows // 10, 100), max(rows // 5, 10)
    with (folder / "meta_Video_Games.jsonl").open("w") as out:
        for n in range(products):
            row = {
                "main_category": "Video Games",
                "title": f"Game {n} {' '.join(WORDS)}",
                "average_rating": 4.1,
                "rating_number": n,
                "features": [" ".join(WORDS)] * 3,
                "description": [" ".join(WORDS)] * 4,
                "price": rng.choice(["None", "19.99", 7.5]),
                "images": [],
                "store": "Maker",
                "categories": ["Video Games", f"Console {n % 40}", f"Kind {n % 400}"],
                "details": {},
                "parent_asin": f"B{n:09d}",
            }
            out.write(json.dumps(row) + "\n")
    file = folder / "Video_Games.jsonl"
    with file.open("w") as out:
        for _ in range(rows):
            row = {
                "rating": float(rng.randint(1, 5)),
                "title": "Good",
                "text": " ".join(rng.choices(WORDS, k=rng.randint(5, 90))),
                "images": [],
                "asin": "B0",
                "parent_asin": f"B{int(products * rng.random() ** 2):09d}",
                "user_id": f"AE{int(people * rng.random() ** 2):026d}",
                "timestamp": 1_500_000_000_000 + rng.randint(0, 170_000_000_000),
                "helpful_vote": rng.choice([0, 0, 0, 1, 7]),
                "verified_purchase": rng.random() < 0.9,
            }
            out.write(json.dumps(row) + "\n")
    return file


def one_pass(file: Path) -> None:
    with file.open(newline="") as lines:
        if file.suffix == ".csv":
            sum(1 for _ in csv.reader(lines))
        else:
            for line in lines:
                json.loads(line)


class Took(NamedTuple):
    """Seconds on the clock, and of the processor: other work on the machine moves the first ones only."""

    clock: float
    cpu: float


def took_by(work: Callable[[], object]) -> Took:
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - clock, time.process_time() - cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=["open_ecommerce", "amazon_reviews"])
    parser.add_argument("rows", type=int)
    parser.add_argument("--shoppers", type=int)
    parser.add_argument("--folder", type=Path, help="keep the generated files here, and use them if they are there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        measure(options.dataset, options.rows, options.shoppers, folder)


def measure(dataset: str, rows: int, shoppers: int | None, folder: Path) -> None:
    from paars_bench.data.sources import amazon_reviews, open_ecommerce

    write = write_purchases if dataset == "open_ecommerce" else write_reviews
    name = "amazon-purchases.csv" if dataset == "open_ecommerce" else "Video_Games.jsonl"
    file = folder / name if (folder / name).exists() else write(folder, rows)
    made: list[MinedData] = []

    def build() -> None:
        if dataset == "open_ecommerce":
            made.append(open_ecommerce.build(path=folder, shoppers=shoppers))
        else:
            made.append(amazon_reviews.build(category="Video_Games", path=folder, shoppers=shoppers))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    took = took_by(build)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    bare = took_by(lambda: one_pass(file))
    data = made[0]
    print(f"{dataset}: {rows:,} rows, {file.stat().st_size / 2**20:,.0f} MiB, on {os.cpu_count()} cores")
    print(
        f"  built in {took.clock:.1f} s ({took.cpu:.1f} s of processor), peak {peak:.2f} GiB, {before:.2f} GiB before"
    )
    print(
        f"  bare pass of the standard library: {bare.clock:.1f} s ({bare.cpu:.1f} s), {took.cpu / bare.cpu:.1f} to one"
    )
    print(f"  {data.log.events.num_rows:,} events, {len(data.catalog):,} products, {len(data.shoppers):,} shoppers")
    for step in data.about.imported:
        print(f"  {step.rule}: {step.kept:,} kept, {step.dropped:,} dropped")


if __name__ == "__main__":
    main()
