"""What the name after ``--model`` means, found without importing LiteLLM (4-5 s) or asking anyone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

from paars_bench.errors import UsageError, unknown

_FILE = Path(__file__).with_name("aliases.yaml")
_PRICES = "model_prices_and_context_window_backup.json"
_TEXT_MODES = frozenset({"chat", "responses", "completion"})


class Alias(NamedTuple):
    """A short name: the LiteLLM name it stands for, and the variable of its provider's key (None: none)."""

    litellm_model: str
    key_env: str | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A model name understood.

    Attributes:
        name: as typed; of a baseline its name.
        litellm_model: the name to give LiteLLM, ``paars_local/NAME`` or ``scripted/NAME``.
        kind: behind which door it stands.
        path: the GGUF file of ``local:PATH``, else None.
        key_env: the variable that holds the provider's key, None where none is needed or known.
    """

    name: str
    litellm_model: str
    kind: Literal["litellm", "local", "scripted"]
    path: Path | None = None
    key_env: str | None = None


def resolve(model: str) -> Resolved:
    """Returns what a model name means.

    Args:
        model: an alias, ``local``, ``local:PATH.gguf``, a baseline, a name with a provider
            (``openai/gpt-5.6``), or a name that LiteLLM lists without one.

    Raises:
        UsageError: none of these; the sentence names the nearest.
    """
    from paars_bench.backbones.baselines import SCRIPTED

    name = model.strip()
    if name in SCRIPTED:
        return Resolved(name, f"scripted/{name}", "scripted")
    if name == "local" or name.startswith("local:"):
        return _local(name)
    known = aliases()
    if name in known:
        return Resolved(name, known[name].litellm_model, "litellm", key_env=known[name].key_env)
    if "/" in name:
        return Resolved(name, name, "litellm", key_env=_key_variables().get(name.split("/", 1)[0]))
    listed = _listed_by_litellm()
    if name in listed or name.startswith("ft:"):
        return Resolved(name, name, "litellm", key_env=_key_variables().get(listed.get(name, "openai")))
    valid = [*known, *SCRIPTED, "local", *listed]
    raise UsageError(f"--model: {unknown('model', name, valid, see='paars-bench ls models')}")


@cache
def aliases() -> dict[str, Alias]:
    """Returns the short names, in the order of ``aliases.yaml``."""
    keys = _key_variables()
    return {name: Alias(full, keys.get(full.split("/", 1)[0])) for name, full in _table()["aliases"].items()}


def _key_variables() -> dict[str, str | None]:
    variables: dict[str, str | None] = _table()["keys"]
    return variables


def provider_keys() -> list[str]:
    """Returns the variables that hold API keys of the providers listed in ``aliases.yaml``, sorted."""
    return sorted({v for v in _key_variables().values() if v is not None})


@cache
def _table() -> dict[str, Any]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with _FILE.open(encoding="utf-8") as handle:
        table: dict[str, Any] = yaml.load(handle, Loader=loader)
    return table


def _local(name: str) -> Resolved:
    from paars_bench.backbones.local import PROVIDER
    from paars_bench.backbones.model_file import MODEL_NAME

    if name == "local":
        return Resolved(name, f"{PROVIDER}/{MODEL_NAME}", "local")
    given = name.removeprefix("local:")
    if not given:
        raise UsageError("--model local: has no file after the colon; give local:PATH.gguf, or `local`.")
    path = Path(given).expanduser()
    return Resolved(name, f"{PROVIDER}/{path.stem}", "local", path=path)


@cache
def _listed_by_litellm() -> dict[str, str]:
    """Text models that LiteLLM's price list names without a provider, each with its provider."""
    found = find_spec("litellm")
    for folder in (found.submodule_search_locations if found else None) or []:
        file = Path(folder) / _PRICES
        if file.is_file():
            prices: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
            return {
                name: str(entry.get("litellm_provider"))
                for name, entry in prices.items()
                if "/" not in name and entry.get("mode") in _TEXT_MODES
            }
    return {}
