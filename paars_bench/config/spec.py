"""What a task YAML says, validated: unknown keys are errors, nothing in it is code."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from paars_bench.config.store_settings import StoreSettings
from paars_bench.data.cases import CaseKind
from paars_bench.personas.conditions import CONDITIONS


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CasesSpec(_Spec):
    """Which mined cases a task asks."""

    cases: CaseKind = Field(strict=False)  # YAML writes its name


class TemplateFile(_Spec):
    """A Jinja template in a file, relative to the YAML that names it."""

    file: str


class FilterSpec(_Spec):
    """One step from reply to answer: a registered name and its options."""

    model_config = ConfigDict(extra="allow")
    filter: str

    @property
    def options(self) -> dict[str, Any]:
        """The options beside the name."""
        return dict(self.model_extra or {})


class StrataSpec(_Spec):
    """Equal-count bins of a quantity of the case."""

    by: Literal["query_perplexity"]
    bins: int = Field(default=5, ge=2, le=50)


class MetricSpec(_Spec):
    """One metric: a registered name, its level, its options (``config.metric_options``), its weight in the score."""

    model_config = ConfigDict(extra="allow")
    metric: str
    level: Literal["individual", "group"]
    strata: StrataSpec | None = None
    weight: float | None = Field(default=None, ge=0, le=1000)

    @property
    def options(self) -> dict[str, Any]:
        """The options beside name, level, strata and weight."""
        return dict(self.model_extra or {})


class SessionSpec(_Spec):
    """How a session in the store goes (output_type: session): what ``docs/sessions.md`` explains.

    Caps are of one session, and each ends it in its own way; a cap that is not given does not act.
    """

    leaving: Literal["own_call", "in_reply"] = "own_call"
    store: StoreSettings = StoreSettings()
    memory_lines: int = Field(default=40, ge=0, le=1000)
    max_turns: int = Field(default=20, ge=1)
    max_errors: int = Field(default=3, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_seconds: float | None = Field(default=None, gt=0)
    max_cost: float | None = Field(default=None, gt=0)

    def calls(self, *, scripted: bool) -> tuple[int, int]:
        """Returns how many calls a session takes at the least and at the most, without retries."""
        if scripted or self.leaving == "in_reply":
            return 1, self.max_turns
        # Leaving is asked for before every step but the first, and the answer to leave is a step itself.
        return min(2, self.max_turns), 2 * self.max_turns - 1


class GenerationSpec(_Spec):
    """What a task may ask of a model's sampling, in LiteLLM's names: a closed list.

    Where requests go, with which key and which messages, is no task's business: a task file comes from anybody.
    """

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: str | list[str] | None = None
    seed: int | None = Field(default=None, ge=0)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None


class TaskSpec(_Spec):
    """One task, as its YAML and the files it includes say.

    ``doc_to_text`` and ``doc_to_target`` are Jinja text once loaded (``TemplateFile`` is read by the loader).
    """

    task: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    description: str = ""
    tag: list[str] = Field(default_factory=list)
    dataset: CasesSpec
    output_type: Literal["generate", "choose", "session"]
    system_text: str | TemplateFile = ""
    doc_to_text: str | TemplateFile
    doc_to_target: str
    generation_kwargs: dict[str, Any] = Field(default_factory=dict)
    conditions: list[str] = Field(default_factory=lambda: ["base", "persona"])
    filter_list: list[FilterSpec] = Field(default_factory=list)
    metric_list: list[MetricSpec] = Field(min_length=1)
    session: SessionSpec = Field(default_factory=SessionSpec)
    min_coverage: float = Field(default=0.98, ge=0, le=1)
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("generation_kwargs")
    @classmethod
    def _closed_list(cls, given: dict[str, Any]) -> dict[str, Any]:
        from paars_bench.errors import unknown

        for name in given:
            if name not in GenerationSpec.model_fields:
                raise ValueError(unknown("key of generation_kwargs", name, GenerationSpec.model_fields))
        try:
            GenerationSpec.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise ValueError(f"{first['loc'][0]}: {first['msg']}, not {str(first['input'])[:60]!r}") from None
        return given

    @field_validator("conditions")
    @classmethod
    def _known_conditions(cls, names: list[str]) -> list[str]:
        from paars_bench.errors import unknown

        if not names:
            raise ValueError("names no condition: leave the key out for base and persona")
        for name in names:
            if name not in CONDITIONS:
                raise ValueError(unknown("condition", name, CONDITIONS))
        return names

    @property
    def version(self) -> str:
        """The version in ``metadata``, ``0`` where it has none."""
        return str(self.metadata.get("version", "0"))
