"""The options of each metric, and the check that a task's metrics exist, fit what it asks and differ by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paars_bench.config.metrics import COUNTED, HISTOGRAMS, METRICS, UNORDERED
from paars_bench.config.spec import MetricSpec, TaskSpec
from paars_bench.errors import ConfigError, nearest, unknown


class MetricOptions(BaseModel):
    """Options of a metric that takes none; the base of all others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SmoothingOptions(MetricOptions):
    """How empty bins are kept from infinity (``metrics.Smoothing``)."""

    kind: Literal["add", "epsilon"] = "add"
    amount: float = Field(default=0.5, gt=0)


OfSession = Literal["searches", "views", "cart_adds", "purchases", "refines", "steps", "view_rank", "query_words"]


class HistogramOptions(MetricOptions):
    """Options of the metrics of counts."""

    of: OfSession | Literal["rank", "refinement"] = "rank"


class MeanGapOptions(MetricOptions):
    """Options of ``mean_gap``."""

    of: OfSession


class KlHistogramOptions(HistogramOptions):
    """Options of the two KL of counts, which need smoothing."""

    smoothing: SmoothingOptions = SmoothingOptions()


class KdeOptions(MetricOptions):
    """Options of ``kl_kde`` (``metrics.kde_kl``)."""

    bandwidth: float = Field(default=0.1, gt=0)
    mc_samples: int = Field(default=1000, ge=1, le=100_000)
    mc_repeats: int = Field(default=5, ge=1, le=100)
    estimator: Literal["leave_one_out", "paper"] = "leave_one_out"


class MmdOptions(MetricOptions):
    """Options of ``mmd``; without a bandwidth it is the median distance of the human points."""

    bandwidth: float | None = Field(default=None, gt=0)


class SlicedOptions(MetricOptions):
    """Options of ``sliced_wasserstein``."""

    directions: int = Field(default=64, ge=1, le=4096)


class NeighbourOptions(MetricOptions):
    """Options of the two k-NN KL."""

    k: int = Field(default=5, ge=1, le=100)
    components: int = Field(default=10, ge=1, le=100)


class DistinctOptions(MetricOptions):
    """Options of ``query_distinct``."""

    n: int = Field(default=2, ge=1, le=3)


class PanelOptions(MetricOptions):
    """Options of ``panel_test``: with m statistics, p is seldom below m / (1 + permutations)."""

    permutations: int = Field(default=999, ge=99, le=99_999)


_MODELS: dict[str, type[MetricOptions]] = {
    **{
        name: KlHistogramOptions if kind.startswith("kl") else HistogramOptions
        for name, (kind, _) in HISTOGRAMS.items()
    },
    "mean_gap": MeanGapOptions,
    "kl_kde": KdeOptions,
    "mmd": MmdOptions,
    "sliced_wasserstein": SlicedOptions,
    "knn_kl": NeighbourOptions,
    "knn_kl_reverse": NeighbourOptions,
    "panel_test": PanelOptions,
    "query_distinct": DistinctOptions,
}
_BARE = ("of", "estimator")  # options whose value alone says which they are
STRATIFIED = "query_similarity"


def options_of(metric: MetricSpec) -> Any:
    """Returns the validated options of a metric, an instance of its model here.

    Raises:
        ValidationError: an option is unknown or has no valid value.
    """
    return _MODELS.get(metric.metric, MetricOptions).model_validate(metric.options)


def metric_name(metric: MetricSpec) -> str:
    """Returns a metric's name in results: ``kl_histogram(searches)``, ``kl_kde(paper)``, ``kl_kde(bandwidth=0.2)``."""
    options = options_of(metric)
    chosen = options.model_dump(exclude_defaults=True)
    if isinstance(options, HistogramOptions):
        chosen = {"of": options.of, **chosen}
    details = [str(v) if k in _BARE else f"{k}={_inline(v)}" for k, v in chosen.items()]
    return f"{metric.metric}({', '.join(details)})" if details else metric.metric


def weight_of(metric: MetricSpec) -> float:
    """Returns how much a metric weighs among those of its task that have a score, 0 or more."""
    return 1.0 if metric.weight is None else metric.weight


def _inline(value: Any) -> str:
    return " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def check_metrics(spec: TaskSpec, where: Callable[[int], str] | None = None) -> None:
    """Checks the metrics of a task.

    Args:
        spec: the task.
        where: from the place in ``metric_list`` to the file and line; the task's name where there is no file.

    Raises:
        ConfigError: with the place, key, value and the nearest valid one.
    """
    names: dict[str, int] = {}
    for place, metric in enumerate(spec.metric_list):
        problem = _problem(spec, metric)
        if problem is None:
            name = metric_name(metric)
            if name in names:
                problem = (
                    f"{name} stands here and at place {names[name] + 1} of metric_list: results tell metrics apart by "
                    "name and options, so leave one out or give it other options"
                )
            names[name] = place
        if problem is not None:
            at = where(place) if where else f"task {spec.task}: metric_list, place {place + 1}"
            raise ConfigError(f"{at}: {problem}")


def _problem(spec: TaskSpec, metric: MetricSpec) -> str | None:
    name = metric.metric
    if name not in METRICS:
        return unknown("metric", name, METRICS, see="paars-bench ls metrics")
    info = METRICS[name]
    if metric.level != info.level:
        return f"{name} is measured at level {info.level}, not {metric.level}"
    if spec.output_type not in info.outputs:
        return f"{name} needs output_type {' or '.join(info.outputs)}, and this task has {spec.output_type}"
    if spec.dataset.cases not in info.cases:
        return f"{name} needs cases {' or '.join(info.cases)}, and this task asks {spec.dataset.cases}"
    if metric.strata is not None and (name, spec.dataset.cases) != (STRATIFIED, "query_pairs"):
        return f"strata by {metric.strata.by} are made for {STRATIFIED} of query_pairs, not for {name} of these cases"
    if metric.weight is not None and not info.scored:
        return f"{name} has no score, so it cannot have a weight in the alignment score; leave `weight` out"
    return _option_problem(spec, metric)


def _option_problem(spec: TaskSpec, metric: MetricSpec) -> str | None:
    model = _MODELS.get(metric.metric, MetricOptions)
    try:
        options = options_of(metric)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            return unknown(f"option of {metric.metric}", key, model.model_fields)
        if first["type"] == "missing":
            return f"{metric.metric} needs the option {key}: {', '.join(get_args(model.model_fields[key].annotation))}"
        valid = re.findall(r"'([^']+)'", str(first.get("ctx", {}).get("expected", "")))
        near = nearest(str(first["input"]), valid)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = first["msg"][0].lower() + first["msg"][1:]
        return f"{metric.metric}: {key} {str(first['input'])[:60]!r}: {message}{hint}"
    if isinstance(options, HistogramOptions):
        valid_of = COUNTED[spec.dataset.cases]
        if options.of not in valid_of:
            return f"{metric.metric}: {unknown('of', options.of, valid_of)}"
        if options.of in UNORDERED and HISTOGRAMS[metric.metric][0] == "w1":
            return (
                f"{metric.metric}: of {options.of} has kinds without an order, so no distance; take another divergence"
            )
    return None
