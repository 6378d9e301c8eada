"""The metrics a task YAML may name and what each is measured on; ``tasks.scoring`` computes them.

Plain tables: ``ls metrics`` reads them in milliseconds. The options of each are in ``config.metric_options``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class MetricInfo(NamedTuple):
    """What a metric is, before anything is computed.

    Attributes:
        level: whether it compares each agent with its own human, or the agents' distribution with the humans'.
        says: what it measures, in a line.
        outputs: the ``output_type`` of the tasks that it fits.
        cases: the kinds of case that it fits.
        scored: whether it has a floor and a score, and so can weigh in the alignment score.
    """

    level: Literal["individual", "group"]
    says: str
    outputs: tuple[str, ...]
    cases: tuple[str, ...]
    scored: bool = False


Divergence = Literal["kl", "kl_reverse", "js", "tv", "w1"]

_TEXTS = ("query_pairs", "item_choices", "rank_choices")
_COUNTED = (("choose", "session"), ("rank_choices", "sessions"))
_OF = "(of: rank, searches, views, purchases)"
HISTOGRAMS: dict[str, tuple[Divergence, str]] = {
    "kl_histogram": ("kl", "KL(human‖agent) of a histogram"),
    "kl_reverse_histogram": ("kl_reverse", "KL(agent‖human) of a histogram"),
    "js_histogram": ("js", "Jensen-Shannon divergence of a histogram"),
    "tv_histogram": ("tv", "total variation of a histogram"),
    "w1_histogram": ("w1", "Wasserstein-1 of a histogram, in the unit of what is counted"),
}
"""Name, divergence and words of the metrics of counts."""

METRICS: dict[str, MetricInfo] = {
    "accuracy": MetricInfo(
        "individual", "share of choices equal to the human's", ("choose",), ("item_choices", "rank_choices")
    ),
    "query_similarity": MetricInfo(
        "individual", "cosine of MiniLM embeddings of the agent's and the human's query", ("generate",), _TEXTS
    ),
    **{name: MetricInfo("group", f"{words} {_OF}", *_COUNTED, scored=True) for name, (_, words) in HISTOGRAMS.items()},
    "kl_kde": MetricInfo(
        "group",
        "Monte-Carlo KL of query embeddings under Gaussian kernel densities",
        ("generate",),
        _TEXTS,
        scored=True,
    ),
    "query_ttr": MetricInfo(
        "group",
        "type-token ratio of queries, the humans' beside it",
        ("generate", "session"),
        (*_TEXTS, "sessions"),
    ),
    "product_ttr": MetricInfo(
        "group", "type-token ratio of viewed product titles, the humans' beside it", ("session",), ("sessions",)
    ),
}
