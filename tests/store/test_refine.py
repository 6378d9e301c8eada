"""A refinement is written in the log and read back from it, whatever sellers call their categories and brands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paars_bench.store import Refinement, Sort

_name = (
    st.none() | st.text(min_size=1, max_size=30) | st.sampled_from(["Mugs & Cups", "a brand=b", '"x', "price<=2", " "])
)
_price = st.none() | st.floats(0, 1e12)
REFINEMENTS = st.builds(
    Refinement,
    category=_name,
    brand=_name,
    min_price=_price,
    max_price=_price,
    min_rating=st.none() | st.floats(1, 5),
    sort=st.sampled_from(Sort),
)


@given(REFINEMENTS)
def test_what_is_written_reads_back(refinement: Refinement) -> None:
    assert Refinement.of(refinement.text) == refinement


@pytest.mark.parametrize(
    ("refinement", "text"),
    [
        (Refinement(), ""),
        (Refinement("Mugs", max_price=20.0, sort=Sort.PRICE_LOW), "category=Mugs price<=20 sort=price_low"),
        (Refinement(brand="Tea & Co", min_price=1234567.89), "brand=Tea & Co price>=1234567.89"),
        (Refinement(category="a brand=b"), 'category="a brand=b"'),
        (Refinement(min_price=-0.0, max_price=1e12), "price>=0 price<=1000000000000"),
    ],
)
def test_it_is_written_as_a_person_would(refinement: Refinement, text: str) -> None:
    assert refinement.text == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cheap first", "is no filter; there are category"),
        ("price<=20 price<=30", "max_price stands twice"),
        ("price<=cheap", "max_price is 'cheap', no number"),
        ("sort=pricelow", "did you mean 'price_low'"),
        ("brand= price<=3", "brand says nothing"),
        ("price<=1_0", "max_price is '1_0', no number"),
        ('category="Ki', 'the quotation mark is not closed; write category="…"'),
        ('category="Ki price<=20', "the quotation mark is not closed"),
        ('brand="a"b"', "the quotation mark is closed too early"),
    ],
)
def test_what_is_not_written_so_is_refused_with_what_would_be(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Refinement.of(text)


@pytest.mark.parametrize(
    ("refinement", "said"),
    [
        (Refinement(min_price=-1), "0 or more"),
        (Refinement(max_price=float("nan")), "0 or more"),
        (Refinement(max_price=float("inf")), "0 or more"),
        (Refinement(min_rating=6), "from 1 to 5"),
        (Refinement(min_price=30, max_price=20), "min_price 30 is above max_price 20"),
    ],
)
def test_ranges_that_hold_nothing_are_a_problem(refinement: Refinement, said: str) -> None:
    assert said in str(refinement.problem)
