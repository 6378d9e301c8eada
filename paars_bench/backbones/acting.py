"""How a backbone acts in sessions: what LiteLLM says it can, or what ``--model_args acting=…`` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from paars_bench.backbones.door import Acting, Traits
from paars_bench.errors import UsageError, printable

_PARAMETER = {Acting.TOOLS: "tools", Acting.SCHEMA: "response_format"}


def acting_asked(args: Mapping[str, str], model: str, possible: Sequence[Acting] = tuple(Acting)) -> Acting | None:
    """Returns the way that ``--model_args`` asks for; None where it asks for none.

    Args:
        args: as given.
        model: as the user typed it.
        possible: ways that such a backbone has; none for a baseline.

    Raises:
        UsageError: it is none of them.
    """
    asked = args.get("acting")
    if asked is None:
        return None
    where = f"--model_args acting={printable(asked)}"
    if not possible:
        raise UsageError(f"{where}: {model} is a baseline and is not asked in any of these ways; leave it out.")
    if asked not in possible:
        raise UsageError(f"{where}: {model} acts by one of {', '.join(possible)}; leave it out for the first it can.")
    return Acting(asked)


def acting_as(traits: Traits, asked: Acting | None) -> Traits:
    """Returns what a backbone can do with the way it acts among its details.

    Who asks for tools or a schema of a model that LiteLLM does not list knows the server behind it better.
    """
    listed = {Acting.TOOLS: traits.tools, Acting.SCHEMA: traits.reply_schema, Acting.TEXT: True}
    new = replace(
        traits,
        acting=asked,
        tools=traits.tools or asked is Acting.TOOLS,
        reply_schema=traits.reply_schema or asked is Acting.SCHEMA,
    )
    said = str(new.acts_by)
    if asked is not None:
        said += ", as asked" + ("" if listed[asked] else "; LiteLLM does not list it for this model")
    return replace(new, details={**new.details, "acting": said})


def check_provider(litellm: Any, litellm_model: str, provider: str, asked: Acting | None, model: str) -> None:
    """Refuses a way that the provider has no parameter for: every call would fail.

    Raises:
        UsageError: naming the parameter.
    """
    needed = _PARAMETER.get(asked) if asked is not None else None
    taken = litellm.get_supported_openai_params(litellm_model, provider)
    if needed is not None and taken is not None and needed not in taken:
        raise UsageError(
            f"--model_args acting={asked}: {model} does not take {needed}, says LiteLLM; acting=text works everywhere."
        )
