"""Rows of CSV keep their numbers whatever stands in their fields, and one broken row costs no other."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paars_bench.data.importing.csv_rows import csv_blocks
from paars_bench.errors import DataError

FIELDS = st.text(st.sampled_from('ab ,"\n;é商'), max_size=6).map(lambda t: t.replace("\r", ""))


def read(
    content: bytes, size: int = 1 << 20, delimiter: str = ",", **more: int
) -> tuple[dict[int, list[str]], dict[int, str]]:
    """Good rows and broken ones by their number."""
    good: dict[int, list[str]] = {}
    bad: dict[int, str] = {}
    for block in csv_blocks("f.csv", io.BytesIO(content), delimiter, size=size, **more):
        lists = [c.to_pylist() for c in block.table.columns]
        for row, values in zip(block.rows.tolist(), zip(*lists, strict=True), strict=True):
            assert row not in good
            good[row] = [v.decode() for v in values]
        bad |= {b.row: b.rule for b in block.bad}
    return good, bad


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.one_of(
            st.lists(FIELDS, min_size=2, max_size=2),
            st.lists(st.text(st.sampled_from("ab ,;"), max_size=4), min_size=1, max_size=4),
        ),
        max_size=12,
    ),
    size=st.sampled_from([1, 3, 17, 1 << 20]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_the_csv_module_writes_is_read_with_its_row_numbers(rows, size, end, quoting):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    good, bad = read(out.getvalue().encode(), size)
    assert good == {n: r for n, r in enumerate(rows, 2) if len(r) == 2}
    assert bad == {n: "fields" for n, r in enumerate(rows, 2) if len(r) != 2}


@settings(max_examples=300, deadline=None)
@given(
    content=st.text(st.sampled_from('ab,"\n\r'), max_size=60),
    size=st.sampled_from([1, 2, 5, 1 << 20]),
)
def test_any_bytes_give_the_same_rows_at_any_block_size(content, size):
    whole = read(f"x,y\n{content}".encode())
    assert read(f"x,y\n{content}".encode(), size) == whole
    assert not set(whole[0]) & set(whole[1])


@settings(max_examples=100, deadline=None)
@given(before=st.integers(0, 5), after=st.integers(0, 5), broken=st.sampled_from(['"a,b', 'a,"b', '"a"b,c', 'a,"b"c"']))
def test_a_broken_mark_costs_its_own_row_only(before, after, broken):
    lines = ['1,"x"'] * before + [broken] + ['2,"[""p"", ""q""]"'] * after
    good, bad = read(("a,b\n" + "\n".join(lines)).encode())
    assert bad == {before + 2: "quoting"}
    assert len(good) == before + after


def test_rows_over_several_lines_blank_lines_and_bad_rows_are_numbered_as_a_spreadsheet_does():
    good, bad = read(b'a,b\n1,"x\ny\nz"\n\n2\n3,4,5\r\n\r\n"6",7')
    assert good == {2: ["1", "x\ny\nz"], 7: ["6", "7"]}
    assert bad == {4: "fields", 5: "fields"}
    good, bad = read(b'a,b,c\n1,"x\ny",3,4\n5,6,7\n')
    assert good == {3: ["5", "6", "7"]} and bad == {2: "fields"}


def test_a_quotation_mark_inside_a_plain_field_is_text():
    assert read(b'a,b\n5" pipe,6" x\n1,2\n')[0] == {2: ['5" pipe', '6" x'], 3: ["1", "2"]}


def test_old_macintosh_lines_byte_order_marks_and_other_delimiters():
    assert read(b"\xef\xbb\xbfa\tb\r1\t2\r3\t4\r", delimiter="\t")[0] == {2: ["1", "2"], 3: ["3", "4"]}


def test_a_field_larger_than_a_block_is_one_field():
    text = "x\n" * 50_000
    assert read(f'a,b\n1,"{text}"\n2,3\n'.encode(), size=1000)[0] == {2: ["1", text], 3: ["2", "3"]}


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.text(st.sampled_from('a,"\n'), max_size=90), st.sampled_from(["", "x", "y,z"])), max_size=6
    ),
    size=st.sampled_from([1, 7, 64, 1 << 20]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_row_that_is_too_long_is_one_row_whatever_stands_in_it(rows, size, end):
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    lengths = []
    for row in rows:
        one = io.StringIO()
        csv.writer(one, lineterminator=end, quoting=csv.QUOTE_ALL).writerow(row)
        lengths.append(len(one.getvalue()))
    good, bad = read(f"a,b\n{out.getvalue()}".encode(), size, longest=40)
    assert good == {n: list(r) for n, (r, size) in enumerate(zip(rows, lengths, strict=True), 2) if size <= 40}
    assert bad == {n: "text_long" for n, size in enumerate(lengths, 2) if size > 40}


@settings(max_examples=300, deadline=None)
@given(content=st.text(st.sampled_from('ab,"\n'), max_size=90), size=st.sampled_from([1, 2, 5, 16]))
def test_any_bytes_give_the_same_rows_at_any_block_size_where_rows_are_too_long(content, size):
    whole = read(f"x,y\n{content}".encode(), longest=12)
    assert read(f"x,y\n{content}".encode(), size, longest=12) == whole
    assert not set(whole[0]) & set(whole[1])


class Endless:
    """A CSV file whose second row has a field of some MiB, and the most bytes that were asked for at once."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts, self.block = parts, b""

    def read(self, size: int, /) -> bytes:
        while len(self.block) < size and self.parts:
            self.block += self.parts.pop(0)
        out, self.block = self.block[:size], self.block[size:]
        return out


def test_a_giant_field_costs_one_row_and_little_memory():
    piece = b"5,6\n" * (1 << 16)  # lines that are rows by themselves
    parts = [b'a,b\n1,2\n3,"', *[piece] * 200, b'"\n7,8\n']  # 50 MiB
    tracemalloc.start()
    rows, bad = [], []
    for block in csv_blocks("f.csv", Endless(parts), ",", size=1 << 18, longest=1 << 20):
        rows += block.rows.tolist()
        bad += [(b.rule, b.row, len(b.text)) for b in block.bad]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == [2, 4] and [b[:2] for b in bad] == [("text_long", 3)] and bad[0][2] < 1 << 16
    assert peak < 25 << 20


def test_a_giant_plain_field_is_one_row_and_an_open_mark_still_costs_its_line_only():
    giant = b"z" * (3 << 20)
    content = b"a,b\n1,2\n3," + giant + b"\n" + giant + b"\n5,6\n"
    found = {2: ["1", "2"], 5: ["5", "6"]}, {3: "text_long", 4: "text_long"}
    assert read(content, size=1 << 18, longest=1 << 20) == found
    count = 1 << 19
    good, bad = read(b'a,b\n1,"2\n' + b"3,4\n" * count + b"5,6", size=1 << 18, longest=1 << 20)
    assert bad == {2: "quoting"} and len(good) == count + 1 and good[count + 3] == ["5", "6"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,a\n1,2\n", "name every column once"),
        (b'"a,b\n1,2\n', "name every column once"),
        (b",\n1,2\n", "name every column once"),
        ("a,b\n1,2\n".encode("utf-16"), "--encoding utf-16"),
    ],
)
def test_a_file_without_a_header_is_refused(content, words):
    with pytest.raises(DataError, match=words):
        read(content)
