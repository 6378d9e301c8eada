"""From one row type to everything that describes its table: Arrow schema, Hugging Face ``Features``, pydantic checks.

A row type is a dataclass whose fields carry their bounds (``Annotated[int, Field(ge=1)]``). All three forms are read
from it, so they cannot drift apart. Making a row checks nothing: hot loops pay for a plain dataclass.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from paars_bench.errors import DataError

RowT = TypeVar("RowT")
_INT32 = 2**31 - 1
_PLAIN: dict[Any, pa.DataType] = {
    str: pa.string(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
    AwareDatetime: pa.timestamp("us", tz="UTC"),
}


class Bounds(NamedTuple):
    """The least and the most that a number may be; infinite where nothing is said."""

    least: float
    most: float


@cache
def arrow_schema(row: type) -> pa.Schema:
    """Returns the Arrow schema of a row type; a field without a default cannot be null."""
    hints = get_type_hints(row, include_extras=True)
    return pa.schema([pa.field(f.name, _arrow(hints[f.name]), nullable=f.default is not MISSING) for f in fields(row)])


def features(row: type) -> Any:
    """Returns the ``datasets.Features`` of a row type; this loads the library."""
    import datasets

    return datasets.Features.from_arrow_schema(arrow_schema(row))


def read_row(row: type[RowT], values: Mapping[str, Any]) -> RowT:
    """Returns a checked row of plain values, such as a line of JSON.

    Args:
        row: the type, such as ``Event``.
        values: its fields; times may be ISO 8601 with a zone.

    Raises:
        DataError: a field is missing, unknown or outside its bounds; the text names it and the value.
    """
    kind: type = row  # mypy finds a type variable not hashable
    known = set(arrow_schema(kind).names)
    for name in values:
        if name not in known:
            raise DataError(f"{row.__name__} has no field {name!r}; it has {', '.join(sorted(known))}.")
    try:
        made: RowT = adapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(p) for p in first["loc"])
        raise DataError(f"{row.__name__} {place}={str(first['input'])[:80]!r}: {first['msg']}.") from None
    return made


@cache
def adapter(row: type) -> TypeAdapter[Any]:
    """Returns the pydantic adapter of a row type: ``json_schema()`` describes it, ``validate_python`` checks it."""
    return TypeAdapter(row)


@cache
def bounds(row: type, name: str) -> Bounds:
    """Returns the bounds of a number of a row type."""
    least, most = -float("inf"), float("inf")
    for constraint in _constraints(get_type_hints(row, include_extras=True)[name]):
        least, most = getattr(constraint, "ge", least), getattr(constraint, "le", most)
    return Bounds(float(least), float(most))


def _constraints(hint: Any) -> list[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        return [c for part in get_args(hint) for c in _constraints(part)]
    if get_origin(hint) is not Annotated:
        return []
    return [c for info in get_args(hint)[1:] for c in (info.metadata if isinstance(info, FieldInfo) else [info])]


def _arrow(hint: Any) -> pa.DataType:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    ceiling = next((c.le for c in _constraints(hint) if hasattr(c, "le")), None)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if hint is int:
        return pa.int32() if isinstance(ceiling, int) and ceiling <= _INT32 else pa.int64()
    if hint in _PLAIN:
        return _PLAIN[hint]
    if get_origin(hint) is tuple:
        return pa.list_(_arrow(get_args(hint)[0]))
    if is_dataclass(hint) or hasattr(hint, "_fields"):
        inner = get_type_hints(hint, include_extras=True)
        return pa.struct([(name, _arrow(kind)) for name, kind in inner.items()])
    if isinstance(hint, type) and issubclass(hint, str):
        return pa.string()
    raise TypeError(f"no Arrow type is defined for {hint}")
