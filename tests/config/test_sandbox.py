"""A template does bounded work, whoever wrote it, and says in one sentence what it asked too much of."""

from __future__ import annotations

import time

import pytest

from paars_bench.config.templates import LONGEST, check_template, compile_template
from paars_bench.errors import ConfigError

_DOUBLED = 40
ENDLESS = {
    "power": ("{{ 9**9**9 }}", r"2\*\*64"),
    "negative power": ("{{ -(9**9**9) }}", r"2\*\*64"),
    "float power": ("{{ 2.0**99999 }}", "OverflowError"),
    "text times": ("{{ 'a' * 10**10 }}", "200,000"),
    "list times": ("{{ [1] * 99999 * 99999 }}", "200,000"),
    "long range": ("{% for i in range(10**9) %}x{% endfor %}", "Range too big"),
    "loops in loops": (
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "too much",
    ),
    "recursive loop": ("{% for i in range(9) recursive %}{{ loop(range(9)) }}{% endfor %}", "recursion|too much"),
    "macro": ("{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}", "too much"),
    "macro of itself": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
    "doubling by ~": ("{% set x = 'ab' %}" + "{% set x = x ~ x %}" * _DOUBLED + "{{ x }}", "200,000"),
    "doubling by +": ("{% set x = 'ab' %}" + "{% set x = x + x %}" * _DOUBLED + "{{ x }}", "200,000"),
    "doubling by blocks": (
        "{% set x = 'ab' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * _DOUBLED + "{{ x }}",
        "200,000",
    ),
    "doubling lists": ("{% set x = [1] %}" + "{% set x = [x, x] %}" * _DOUBLED + "{{ x | string }}", "200,000"),
    "doubling in a loop": (
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
        "200,000",
    ),
    "width of a method": ("{{ 'a'.center(10**9) }}", "center"),
    "width of a format": ("{{ '%999999999d' % 1 }}", "width"),
    "width from a value": ("{{ '%*d' | format(9999, 1) }}", "width"),
    "format method": ("{{ '{:999999999}'.format(1) }}", "format"),
    "indent": ("{{ title | indent(99999, true) }}", "too much text"),
    "replace": ("{{ title | replace('', 'a' * 9999) | replace('a', 'b' * 9999) }}", "too much text|200,000"),
    "join": ("{{ range(99999) | join('a' * 999) }}", "too much text"),
    "batch": ("{{ [1] | batch(10**9, 'x') | list }}", "200,000"),
    "long text in a loop": ("{% for i in range(999) %}" + "x" * 5_000 + "{% endfor %}", "longer|too much"),
    "long text in a block": (
        "{% set a %}{% for i in range(9999) %}" + "x" * 999 + "{% endfor %}{% endset %}",
        "too much",
    ),
}
FAILING = {
    "division": ("{{ 1/0 }}", "division by zero"),
    "Python's insides": ("{{ title.__class__ }}", "unsafe"),
    "a name that is not there": ("{{ titel }}", "'titel' is undefined"),
    "a part that is not there": ("{{ title.maker }}", "no attribute 'maker'"),
    "a list as text": ("{{ [1, 2] }}", "writes a list"),
    "nothing as text": ("{{ none }}", "missing"),
    "an address as text": ("{{ title ~ title.upper }}", "builtin"),
    "no function": ("{{ title() }}", "not callable"),
}


@pytest.mark.parametrize(("source", "told"), [*ENDLESS.values(), *FAILING.values()], ids=[*ENDLESS, *FAILING])
def test_what_cannot_be_rendered_is_one_sentence_soon(source: str, told: str) -> None:
    started = time.process_time()
    with pytest.raises(ConfigError, match=told) as caught:
        compile_template(source, name="mine: doc_to_text").render(title="A mug")
    assert str(caught.value).startswith("mine: doc_to_text: ")
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < 10  # 3 s at most alone: the macro


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ ', price %.2f' | format(3.14159) }} {{ '%s-%s' % (1, 2) }}", ", price 3.14 1-2"),
        ("{{ title | upper | replace('A', 'b') | trim }} {{ [1, 2] | join(', ') }}", "b MUG 1, 2"),
        ("{{ title ~ 3 }} {{ title.split(' ') | last }} {{ missing | default('d') }}", "A mug3 mug d"),
        (
            "{% for i in [1, 2, 3] %}{{ loop.index }}/{{ loop.length }}{{ '' if loop.last else ' ' }}{% endfor %}",
            "1/3 2/3 3/3",
        ),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}", "a1"),
        ("{% macro row(n) %}{{ n }}. {{ title }}{% endmacro %}{{ row(2) }}", "2. A mug"),
        ("{{ 2**10 }} {{ 3.999 | round(1) }} {{ 'yes' if title in ('A mug', 'B') else 'no' }}", "1024 4.0 yes"),
    ],
)
def test_what_prompts_use_is_allowed(source: str, text: str) -> None:
    assert compile_template(source).render(title="A mug") == text


def test_each_render_has_its_own_allowance() -> None:
    template = compile_template("{% for i in range(30000) %}{% endfor %}done")
    assert {template.render() for _ in range(5)} == {"done"}


@pytest.mark.parametrize(
    ("source", "told"), [("{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}", "nested"), ("x" * (LONGEST + 1), "50,000")]
)
def test_a_source_without_measure_is_no_template(source: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        compile_template(source, name="mine: doc_to_text")
    with pytest.raises(ConfigError, match=rf"mine\.yaml:4: `doc_to_text`: .*{told}"):
        check_template(source, file="mine.yaml", first_line=4, key="doc_to_text", variables=())
