"""One content, one digest: chunks and offsets do not matter, any value does."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.data.digest import tables_sha256

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("list", pa.list_(pa.string())),
        ("number", pa.float64()),
        ("flag", pa.bool_()),
        ("when", pa.timestamp("us", tz="UTC")),
        ("rows", pa.list_(pa.struct([("a", pa.string()), ("b", pa.float64())]))),
    ]
)
TEXT = st.one_of(st.none(), st.text(max_size=4))
ROW = st.fixed_dictionaries(
    {
        "text": TEXT,
        "list": st.one_of(st.none(), st.lists(TEXT, max_size=3)),
        "number": st.one_of(st.none(), st.floats(allow_nan=False)),
        "flag": st.one_of(st.none(), st.booleans()),
        "when": st.one_of(st.none(), st.integers(0, 2**40)),
        "rows": st.one_of(
            st.none(), st.lists(st.fixed_dictionaries({"a": TEXT, "b": st.floats(allow_nan=False)}), max_size=2)
        ),
    }
)


def digest(table):
    return tables_sha256({"t": table})


@given(st.lists(ROW, max_size=8), st.integers(0, 8))
def test_chunks_and_offsets_do_not_matter(rows, cut):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    parts = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    padded = pa.Table.from_pylist([*rows[:1], *rows], schema=SCHEMA).slice(len(rows[:1]))
    assert digest(table) == digest(parts) == digest(padded)


@given(st.lists(ROW, min_size=1, max_size=5), ROW)
def test_any_other_value_changes_it(rows, other):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    changed = pa.Table.from_pylist([*rows[:-1], other], schema=SCHEMA)
    same = table.equals(changed) and repr(table.to_pylist()) == repr(changed.to_pylist())
    assert (digest(table) == digest(changed)) == same


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ([None], [""], pa.string()),
        (["ab", "c"], ["a", "bc"], pa.string()),
        ([["a"], ["b"]], [["a", "b"], []], pa.list_(pa.string())),
    ],
)
def test_what_looks_alike_joined_is_told_apart(one, other, kind):
    assert digest(pa.table({"x": pa.array(one, kind)})) != digest(pa.table({"x": pa.array(other, kind)}))
