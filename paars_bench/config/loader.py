"""From a checked YAML to a validated ``TaskSpec``, every error with its file and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paars_bench.config.check import check_document, store_file, template_file
from paars_bench.config.filters import check_filter
from paars_bench.config.include import read_merged
from paars_bench.config.keys import OUTPUT_TYPES, PROMPT_VARIABLES, TARGET_VARIABLES, TEMPLATE_KEYS
from paars_bench.config.metric_options import check_metrics
from paars_bench.config.sentence import sentence
from paars_bench.config.spec import TaskSpec
from paars_bench.config.store_settings import load_store_settings, store_keys
from paars_bench.config.templates import check_template
from paars_bench.config.textfile import read_small
from paars_bench.config.yamlfile import Document, KeyPath
from paars_bench.errors import ConfigError


def load_task(file: Path, roots: Sequence[Path]) -> TaskSpec:
    """Loads one task.

    Args:
        file: its YAML.
        roots: the folders its includes and templates may come from, the built-in tasks' last.

    Raises:
        ConfigError: with file, line, key, value and the nearest valid one.
    """
    document = read_merged(file, roots)
    check_document(document, roots)
    return spec_of(document, roots)


def spec_of(document: Document, roots: Sequence[Path]) -> TaskSpec:
    """Validates a checked document and reads its templates.

    Raises:
        ConfigError: as for ``load_task``.
    """
    texts = {key: _template_text(document, key, roots) for key in TEMPLATE_KEYS if key in document.values}
    store = store_file(document, roots)
    if store is not None:
        texts["session"] = {**document.values["session"], "store": load_store_settings(store)}
    try:
        spec = TaskSpec.model_validate({**document.values, **texts})
    except ValidationError as error:
        raise ConfigError(sentence(document, error, _siblings, "task")) from error
    _check_output_type(document, spec)
    _check_templates(document, spec, roots)
    _check_steps(document, spec)
    return spec


def _template_text(document: Document, key: str, roots: Sequence[Path]) -> Any:
    file = template_file(document, key, roots)
    if file is None:
        return document.values[key]
    try:
        return read_small(file, "a template")
    except ConfigError as error:
        raise ConfigError(f"{document.mark((key, 'file'))}: `{key}`: {error}") from error


def _check_output_type(document: Document, spec: TaskSpec) -> None:
    valid = OUTPUT_TYPES[spec.dataset.cases]
    if spec.output_type not in valid:
        raise ConfigError(
            f"{document.mark(('output_type',))}: `output_type` is {spec.output_type!r}, but cases of kind "
            f"{spec.dataset.cases.value!r} are asked with {' or '.join(valid)}."
        )


def _check_templates(document: Document, spec: TaskSpec, roots: Sequence[Path]) -> None:
    prompt = PROMPT_VARIABLES[spec.dataset.cases]
    allowed = {
        "system_text": (),
        "doc_to_text": prompt,
        "doc_to_target": (*prompt, *TARGET_VARIABLES[spec.dataset.cases]),
    }
    for key in TEMPLATE_KEYS:
        text = getattr(spec, key)
        if not text:
            continue
        file = template_file(document, key, roots)
        mark = document.mark((key,))
        check_template(
            text,
            file=file or mark.file,
            first_line=1 if file else mark.line + mark.block,
            key=key,
            variables=allowed[key],
        )


def _check_steps(document: Document, spec: TaskSpec) -> None:
    for i, step in enumerate(spec.filter_list):
        try:
            check_filter(step.filter, step.options)
        except ConfigError as error:
            raise ConfigError(f"{document.mark(('filter_list', i))}: {error}") from error
        if step.filter == "number" and spec.output_type != "choose":
            raise ConfigError(
                f"{document.mark(('filter_list', i))}: the filter 'number' picks an option, so it needs "
                f"`output_type: choose`, not {spec.output_type!r}."
            )
    check_metrics(spec, lambda i: str(document.mark(("metric_list", i, "metric"))))


def _siblings(parent: KeyPath) -> list[str]:
    if parent[:2] == ("session", "store"):
        return store_keys(parent[2:])
    return ["by", "bins"] if parent and parent[-1] == "strata" else [*TaskSpec.model_fields]
