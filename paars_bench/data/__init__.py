"""Behaviour logs, the data sets made of them, and the cases mined from them.

Nothing heavy is imported until a data set is loaded, so that a list of data sets appears at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from paars_bench.data.registry import DatasetInfo, Progress, list_datasets

if TYPE_CHECKING:
    from paars_bench.data.cases import Case, CaseKind, ShoppingData
    from paars_bench.data.mined import MinedData

__all__ = ["DatasetInfo", "Progress", "iter_cases", "list_datasets", "load_dataset"]


def load_dataset(spec: str, *, progress: Progress | None = None) -> MinedData:
    """Returns a data set by name, from the copy stored on this machine where there is one.

    Args:
        spec: ``NAME``, ``NAME:option=value,option=value`` such as ``demo:shoppers=200,seed=1``, or an imported folder.
        progress: told what is being built.

    Raises:
        DataError: an unknown name or option, or a value out of range.
        MissingExtraError: the data set needs a package that is not installed.
    """
    from paars_bench.data.registry import parse_spec
    from paars_bench.data.stored import load_stored

    return load_stored(parse_spec(spec), progress=progress)


def iter_cases(dataset: ShoppingData | Iterable[Mapping[str, Any]], kind: CaseKind) -> Iterator[Case]:
    """Yields the cases of a data set, or of rows of one of its test sets (a ``datasets.Dataset``), in order.

    Args:
        dataset: a loaded data set, or rows as ``dataset.cases(kind)`` holds them.
        kind: which test set; rows of another kind are an error.

    Raises:
        DataError: the data set has no such test set, or the rows are of another kind.
    """
    from paars_bench.data.case_tables import cases_of
    from paars_bench.data.mined import MinedData
    from paars_bench.errors import DataError

    if isinstance(dataset, MinedData):
        rows: Iterable[Mapping[str, Any]] = dataset.case_rows(kind)
    else:
        given: Any = dataset
        own = getattr(given, "cases", None)
        rows = own(kind) if callable(own) else given
    for case in cases_of(rows):
        if case.kind is not kind:
            raise DataError(f"case {case.case_id!r} is of kind {case.kind}, not {kind}; pass rows of one kind.")
        yield case
