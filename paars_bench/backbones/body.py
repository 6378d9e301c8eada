"""What is sent for a request, in the form its provider takes; what it does not take is recorded and not hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paars_bench.backbones.breakpoints import Breakpoints
from paars_bench.backbones.door import Request, Traits
from paars_bench.backbones.local import PARAMS as LOCAL_PARAMS
from paars_bench.backbones.route import Route

# Reasoning models spend reply tokens on thinking first: a cap of 32 would leave no room for the answer.
REASONING_HEADROOM = 8192
_NOT_PORTABLE = frozenset({"maxLength", "minLength", "maxItems", "minItems", "pattern"})
_ANY = frozenset({"seed"})  # taken whatever its value, which differs from call to call
_ALTERNATIVES = frozenset({"anyOf", "oneOf", "allOf"})


class BodyMaker:
    """Makes what LiteLLM is called with.

    Args:
        litellm: the module, which this file does not import for its 4 seconds.
        route: the way to the model, with the options that are sent with every call.
        traits: of the model.
        not_sent: is told what the provider does not take, with the reason.
        reasons: the model thinks before it answers.
    """

    def __init__(self, litellm: Any, route: Route, traits: Traits, not_sent: dict[str, str], *, reasons: bool) -> None:
        self._litellm, self._options, self._traits, self._not_sent = litellm, dict(route.options), traits, not_sent
        self._reasons = reasons
        self._model = route.model
        self._route, self._provider, *_ = litellm.get_llm_provider(
            self._model, api_base=self._options.get("api_base"), api_key=self._options.get("api_key")
        )
        self._local = self._provider in {p["provider"] for p in litellm.custom_provider_map}
        self._breakpoints = Breakpoints(litellm, self._model, self._provider)
        self._verdicts: dict[tuple[str, str], bool] = {}
        self._choices: dict[str | None, bool] = {}

    def __call__(self, request: Request) -> dict[str, Any]:
        """Returns the arguments of ``acompletion``, the prompt as it is."""
        body: dict[str, Any] = {"model": self._model, "messages": list(request.messages), "num_retries": 0}
        params = dict(request.params)
        if self._reasons and "max_tokens" in params:
            params["max_tokens"] += REASONING_HEADROOM
        body |= {key: value for key, value in params.items() if self._accepts(key, value)}
        if request.tools and self._traits.tools:
            body |= self._tools(
                request.tools, request.tool, thinks=params.get("reasoning_effort") not in (None, "none")
            )
        elif self._takes_schema(request.reply_schema):
            schema = {"name": "reply", "schema": self._portable(request.reply_schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body | self._options

    @property
    def marks(self) -> bool:
        """Whether the provider's cache takes what is marked and nothing else."""
        return self._breakpoints.needed

    def marked(self, request: Request) -> dict[str, Any]:
        """Returns the arguments with what the provider's cache needs to be told; it changes no reply."""
        return self._breakpoints.put(self(request), request)

    def _tools(self, tools: Sequence[Mapping[str, Any]], wanted: str | None, *, thinks: bool) -> dict[str, Any]:
        """Returns the tools with the choice that makes the model call one.

        Where one of them is wanted, all are sent all the same: a provider reads the beginning of a prompt from its
        cache only if the tools are the same too. A provider that cannot be told which one gets that one alone.
        """
        if thinks and "claude" in self._model:
            self._not_sent["tool_choice"] = "Anthropic takes no forced call of a model that is made to think"
            return {"tools": [t for t in tools if wanted in (None, t["function"]["name"])]}
        if wanted is not None and self._takes_choice(wanted):
            return {"tools": list(tools), "tool_choice": _named(wanted)}
        offered = [t for t in tools if wanted in (None, t["function"]["name"])]
        if self._takes_choice(None):
            return {"tools": offered, "tool_choice": "required"}
        self._not_sent["tool_choice"] = f"not supported by {self._traits.litellm_model}"
        return {"tools": offered}

    def _takes_choice(self, name: str | None) -> bool:
        """Whether the provider can be told to call a tool, that of this name if one is given."""
        if name not in self._choices:
            kept = self._mapped("tool_choice", "required" if name is None else _named(name))
            self._choices[name] = kept is not None and "tool_choice" in kept  # Mistral's is dropped without a word
        return self._choices[name]

    def _takes_schema(self, schema: Mapping[str, Any] | None) -> bool:
        """Says whether a reply to a request with this schema is constrained by it.

        llama.cpp takes any schema. Hosted models take objects only, and with one alternative at the root.
        """
        if schema is None or not self._traits.reply_schema:
            return False
        return self._traits.any_schema or (schema.get("type") == "object" and not _ALTERNATIVES & schema.keys())

    def _portable(self, value: Any) -> Any:
        """Returns a schema without the keywords that hosted models refuse; llama.cpp gets them all."""
        if self._local:
            return value
        if isinstance(value, Mapping):
            return {k: self._portable(v) for k, v in value.items() if k not in _NOT_PORTABLE}
        return [self._portable(v) for v in value] if isinstance(value, list) else value

    def _accepts(self, key: str, value: Any) -> bool:
        """Whether the provider takes this parameter; what it does not take is recorded, not hidden."""
        seen = (key, "any" if key in _ANY else repr(value))
        if seen not in self._verdicts:
            self._verdicts[seen] = key in LOCAL_PARAMS if self._local else self._supported(key, value)
            if not self._verdicts[seen]:
                self._not_sent[key] = f"not supported by {self._traits.litellm_model}"
        return self._verdicts[seen]

    def _supported(self, key: str, value: Any) -> bool:
        return self._mapped(key, value) is not None

    def _mapped(self, key: str, value: Any) -> Mapping[str, Any] | None:
        """Returns what LiteLLM makes of a parameter for this provider, None where it refuses it."""
        try:
            mapped: Mapping[str, Any] = self._litellm.utils.get_optional_params(
                model=self._route, custom_llm_provider=self._provider, **{key: value}
            )
        except self._litellm.exceptions.UnsupportedParamsError:
            return None
        return mapped


def _named(tool: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": tool}}
