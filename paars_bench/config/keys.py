"""The keys a YAML may hold, as plain tables: `ls` checks a file in milliseconds, without importing pydantic.

A test keeps these tables equal to the fields of ``TaskSpec``, which decides what a value may be.
"""

from __future__ import annotations

TASK_KEYS = (
    "task",
    "description",
    "tag",
    "dataset",
    "output_type",
    "system_text",
    "doc_to_text",
    "doc_to_target",
    "generation_kwargs",
    "conditions",
    "filter_list",
    "metric_list",
    "session",
    "min_coverage",
    "metadata",
)
REQUIRED_TASK_KEYS = ("dataset", "output_type", "doc_to_text", "doc_to_target", "metric_list")
GROUP_KEYS = ("group", "task", "description")
INCLUDE = "include"

NESTED_KEYS: dict[str, tuple[str, ...]] = {
    "dataset": ("cases",),
    "session": (
        "leaving",
        "memory_lines",
        "store",
        "max_turns",
        "max_errors",
        "max_tokens",
        "max_seconds",
        "max_cost",
    ),
    "system_text": ("file",),
    "doc_to_text": ("file",),
}
"""Keys of the mappings of a task that take no others."""

TEMPLATE_KEYS = ("system_text", "doc_to_text", "doc_to_target")

PROMPT_VARIABLES: dict[str, tuple[str, ...]] = {
    "query_pairs": ("title", "category"),
    "item_choices": ("options",),
    "rank_choices": ("query", "results"),
    "sessions": ("intention", "tools", "leaving"),
}
"""What ``doc_to_text`` may use, by kind of case: nothing in it tells what the human did."""

TARGET_VARIABLES: dict[str, tuple[str, ...]] = {
    "query_pairs": ("query",),
    "item_choices": ("answer",),
    "rank_choices": ("rank",),
    "sessions": (),
}
"""What ``doc_to_target`` may use beside the prompt's variables: what the human did."""

OUTPUT_TYPES: dict[str, tuple[str, ...]] = {
    "query_pairs": ("generate",),
    "item_choices": ("choose", "generate"),
    "rank_choices": ("choose", "generate"),
    "sessions": ("session",),
}
"""Which ``output_type`` each kind of case can be asked with."""
