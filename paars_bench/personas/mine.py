"""Persona mining in two prompts (paper, section 3): a consumer profile, then shopping preferences given the profile.

The paper's prompts are lost in its published text; these are written anew. The model reasons first and answers after,
in one JSON object, so that the reasoning is kept and becomes part of the persona.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from paars_bench.backbones.door import Backbone, Completion, Request, Usage, paid_of
from paars_bench.outcomes import Outcome
from paars_bench.personas.history import History

PROMPTS_VERSION = "1"
_DECODER = json.JSONDecoder()
_SYSTEM = "You study online shoppers. You answer with one JSON object and nothing else."
_HISTORY = """Below is the shopping history of one customer: a line a day, the newest day first.

<history>
{history}
</history>

"""
_PROFILE = """\
Who is this customer? Under "reasoning", say in two or three sentences what the products and searches in the history
tell about the person. Then give your best estimate of each point, even where the history only hints at it.
JSON keys: {keys}."""
_PREFERENCES = """This is a consumer profile of the same customer:
{profile}

How does this customer shop? Under "reasoning", say in two or three sentences what the history and the profile tell
about it. Then give each preference.
JSON keys: {keys}."""

_SHORT = {"type": "string", "minLength": 1, "maxLength": 60}
_REASONING = {"type": "string", "minLength": 1, "maxLength": 400}
_LEVEL = {"type": "string", "enum": ["low", "medium", "high"]}
_LIST = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 30}, "minItems": 1, "maxItems": 4}
PROFILE_FIELDS: dict[str, Mapping[str, Any]] = {
    "age_range": {"type": "string", "enum": ["18-24", "25-34", "35-44", "45-54", "55-64", "65+"]},
    "marital_status": {"type": "string", "enum": ["single", "partnered"]},
    "household": _SHORT,
    "income": {"type": "string", "enum": ["low", "middle", "high"]},
    "lifestyle": _SHORT,
    "interests": _LIST,
}
PREFERENCE_FIELDS: dict[str, Mapping[str, Any]] = {
    "price_sensitivity": _LEVEL,
    "value_perception": _SHORT,
    "review_reliance": _LEVEL,
    "brand_reputation": _LEVEL,
    "decision_style": _SHORT,
    "favourite_categories": _LIST,
}
_FIELDS = {
    "profile": PROFILE_FIELDS.keys(),
    "preferences": PREFERENCE_FIELDS.keys(),
    "reasoning": {"profile": None, "preferences": None}.keys(),
}
"""What each part of a mined persona holds."""
_MOST = 10**15


@dataclass(frozen=True, slots=True)
class Persona:
    """A mined persona; ``outcome`` other than ok means that it could not be mined and may not be used.

    Attributes:
        shopper: whose history it was mined from.
        profile: the first prompt's fields.
        preferences: the second prompt's fields.
        reasoning: the model's reasoning for each of the two.
        history: what of the history was shown and what was cut.
        outcome: ok, or how mining failed.
        usage: of both calls; of replies from a cache as it was when they were made.
        paid: of it, what was paid for this persona; None where all was, since no reply came from a cache.
        error: in words, where it failed.
    """

    shopper: str
    profile: Mapping[str, Any] = field(default_factory=dict)
    preferences: Mapping[str, Any] = field(default_factory=dict)
    reasoning: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.OK
    usage: Usage = field(default_factory=Usage)
    paid: Usage | None = None
    error: str | None = None

    def row(self) -> dict[str, Any]:
        """Returns the persona as a line of ``personas.jsonl``."""
        row = {**asdict(self), "prompts_version": PROMPTS_VERSION}
        if self.paid is None:
            del row["paid"]
        return row


def persona_of(row: Mapping[str, Any]) -> Persona:
    """Returns the persona of a line of ``personas.jsonl``.

    Raises:
        KeyError: a key is missing.
        TypeError: a key is unknown, or a value has another type.
        ValueError: the outcome is unknown, or a part has other fields than those asked for, or one without words.
    """
    kept = {k: v for k, v in row.items() if k != "prompts_version"}
    kept |= {"outcome": Outcome(kept["outcome"]), "usage": Usage.of(kept["usage"])}
    if kept.get("paid") is not None:
        kept["paid"] = Usage.of(kept["paid"])
    persona = Persona(**kept)
    parts = {"profile": persona.profile, "preferences": persona.preferences, "reasoning": persona.reasoning}
    if not all(isinstance(part, Mapping) for part in (*parts.values(), persona.history)):
        raise TypeError("profile, preferences, reasoning and history are objects")
    if not isinstance(persona.shopper, str) or not isinstance(persona.error, str | None):
        raise TypeError("shopper and error are text")
    for name, fields in _FIELDS.items() if persona.outcome is Outcome.OK else ():
        part = parts[name]
        if part.keys() != fields or not all(_is_words(v, a_list=name != "reasoning") for v in part.values()):
            raise ValueError(f"{name}: needs words for {', '.join(fields)}, and nothing else")
    return persona


async def mine_persona(
    shopper: str, history: History, backbone: Backbone, *, seed: int, max_tokens: int = 400
) -> Persona:
    """Mines one persona with two calls.

    Args:
        shopper: whose history it is.
        history: rendered from events before every case of the shopper.
        backbone: the model that mines, the same that will play the shopper.
        seed: sent with the calls where the provider takes one.
        max_tokens: of each reply.
    """
    persona = Persona(shopper, history=history.cut())
    if not history.text:
        return replace(persona, outcome=Outcome.ENV_ERROR, error=_nothing(history))
    shown, asked = _HISTORY.format(history=history.text), _PROFILE.format(keys=_keys(PROFILE_FIELDS))
    params = {"temperature": 0, "max_tokens": max_tokens, "seed": seed}
    answers: list[dict[str, Any]] = []
    replies: list[Completion] = []
    for fields in (PROFILE_FIELDS, PREFERENCE_FIELDS):
        messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": shown + asked}]
        reply = await backbone.complete(
            Request(
                messages,
                params=params,
                reply_schema=_schema(fields),
                draw=seed,
                stable=((), (len(shown),)),
                role="persona",
            )
        )
        replies.append(reply)
        persona = replace(persona, usage=persona.usage + reply.usage, paid=paid_of(replies))
        answer, problem = _read(reply, fields)
        if answer is None:
            return replace(persona, outcome=_outcome(reply), error=problem)
        answers.append(answer)
        profile = {k: v for k, v in answer.items() if k != "reasoning"}
        asked = _PREFERENCES.format(profile=json.dumps(profile, ensure_ascii=False), keys=_keys(PREFERENCE_FIELDS))
    profile, preferences = answers
    return replace(
        persona,
        reasoning={"profile": profile.pop("reasoning"), "preferences": preferences.pop("reasoning")},
        profile=profile,
        preferences=preferences,
    )


def _nothing(history: History) -> str:
    if history.events:
        return f"the newest day of the history is longer than its budget of {history.budget} tokens"
    return "no history before the cutoff to mine from"


def _schema(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"reasoning": _REASONING, **fields},
        "required": ["reasoning", *fields],
        "additionalProperties": False,
    }


def _keys(fields: Mapping[str, Mapping[str, Any]]) -> str:
    def hint(spec: Mapping[str, Any]) -> str:
        return f" ({', '.join(spec['enum'])})" if "enum" in spec else ""

    return "reasoning, " + ", ".join(name + hint(spec) for name, spec in fields.items())


def _outcome(reply: Completion) -> Outcome:
    return reply.outcome if reply.outcome is not Outcome.OK else Outcome.UNPARSEABLE


def _read(reply: Completion, fields: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any] | None, str | None]:
    """Returns the answer with exactly its fields, or why there is none."""
    if reply.outcome is not Outcome.OK:
        return None, reply.error or f"the reply was {reply.outcome}"
    wanted = ("reasoning", *fields)
    problem = "holds no JSON object"
    for value in _objects(reply.text):
        missing = [k for k in wanted if k not in value]
        unfit = [k for k in wanted if k in value and not _is_words(value[k], a_list=k != "reasoning")]
        if not missing and not unfit:
            return {k: value[k] for k in wanted}, None
        problem = f"lacks {', '.join(missing)}" if missing else f"has no words for {', '.join(unfit)}"
    return None, f"the reply {problem}"


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yields the JSON objects in a text, whatever prose stands around them."""
    start = text.find("{")
    while start >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (json.JSONDecodeError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


def _is_words(value: Any, *, a_list: bool) -> bool:
    """Says whether a value can be shown in a persona: null or an object would read as Python there."""
    if isinstance(value, str):
        return bool(value.strip())
    if a_list and isinstance(value, list):
        return bool(value) and all(_is_words(v, a_list=False) for v in value)
    return a_list and type(value) in (int, float) and -_MOST <= value <= _MOST
