"""Refuses a task whose metrics do not exist, do not fit what it asks, or have options nobody reads, before any call."""

from __future__ import annotations

from paars_bench.config.metrics import METRICS
from paars_bench.config.spec import MetricSpec, TaskSpec
from paars_bench.errors import ConfigError, unknown

OPTIONS: dict[str, frozenset[str]] = {
    "accuracy": frozenset(),
    "query_similarity": frozenset(),
    "kl_histogram": frozenset({"of", "smoothing"}),
    "kl_kde": frozenset({"bandwidth", "mc_samples", "mc_repeats", "estimator"}),
    "query_ttr": frozenset(),
    "product_ttr": frozenset(),
}
_FITS: dict[str, frozenset[str]] = {
    "accuracy": frozenset({"choose"}),
    "query_similarity": frozenset({"generate"}),
    "kl_histogram": frozenset({"choose", "session"}),
    "kl_kde": frozenset({"generate"}),
    "query_ttr": frozenset({"generate", "session"}),
    "product_ttr": frozenset({"session"}),
}
_OF = {"choose": ("rank",), "session": ("searches", "views", "purchases")}
_ESTIMATORS = ("leave_one_out", "paper")


def check_metrics(spec: TaskSpec) -> None:
    """Checks the metrics of a task.

    Raises:
        ConfigError: with task, key, value and the nearest valid one.
    """
    for metric in spec.metric_list:
        where = f"task {spec.task}: metric_list"
        if metric.metric not in METRICS:
            raise ConfigError(f"{where}: {unknown('metric', metric.metric, METRICS, see='paars-bench ls metrics')}")
        if spec.output_type not in _FITS[metric.metric]:
            fits = ", ".join(sorted(_FITS[metric.metric]))
            raise ConfigError(
                f"{where}: {metric.metric} needs output_type {fits}, and this task has {spec.output_type}"
            )
        for key in metric.options:
            if key not in OPTIONS[metric.metric]:
                raise ConfigError(f"{where}: {unknown(f'option of {metric.metric}', key, OPTIONS[metric.metric])}")
        _check_values(where, spec, metric)


def _check_values(where: str, spec: TaskSpec, metric: MetricSpec) -> None:
    options = metric.options
    if metric.metric == "kl_histogram":
        valid = _OF[spec.output_type]
        of = str(options.get("of", "rank"))
        if of not in valid:
            raise ConfigError(f"{where}: kl_histogram {unknown('of', of, valid)}")
        smoothing = options.get("smoothing", {"kind": "add", "amount": 0.5})
        sound = (
            isinstance(smoothing, dict)
            and set(smoothing) == {"kind", "amount"}
            and smoothing["kind"] in ("add", "epsilon")
            and isinstance(smoothing["amount"], int | float)
            and smoothing["amount"] > 0
        )
        if not sound:
            raise ConfigError(f"{where}: smoothing {smoothing!r}: write {{kind: add, amount: 0.5}} or kind: epsilon")
    if metric.metric == "kl_kde":
        estimator = str(options.get("estimator", "leave_one_out"))
        if estimator not in _ESTIMATORS:
            raise ConfigError(f"{where}: kl_kde {unknown('estimator', estimator, _ESTIMATORS)}")
        for key in ("bandwidth", "mc_samples", "mc_repeats"):
            value = options.get(key, 1)
            if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
                raise ConfigError(f"{where}: kl_kde {key} {value!r}: needs a number above 0")
