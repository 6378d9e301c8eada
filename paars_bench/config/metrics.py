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


Divergence = Literal["kl", "kl_reverse", "js", "tv", "w1", "hazard"]

_TEXTS = ("query_pairs", "item_choices", "rank_choices")
_COUNTED = (("choose", "session"), ("rank_choices", "sessions"))
_SESSIONS = (("session",), ("sessions",))
COUNTED: dict[str, tuple[str, ...]] = {
    "rank_choices": ("rank",),
    "sessions": (
        "searches",
        "views",
        "cart_adds",
        "purchases",
        "refines",
        "steps",
        "view_rank",
        "query_words",
        "refinement",
    ),
}
"""What a histogram is taken of, by the kind of case."""
MANY = ("view_rank", "query_words", "refinement")
"""What a session may hold none or many of; of all else each case has exactly one."""
UNORDERED = ("refinement",)
"""What is a kind and no number: no distance between bins, and no mean."""
_OF = f"(of: {', '.join(name for names in COUNTED.values() for name in names)})"
HISTOGRAMS: dict[str, tuple[Divergence, str]] = {
    "kl_histogram": ("kl", "KL(human‖agent) of a histogram"),
    "kl_reverse_histogram": ("kl_reverse", "KL(agent‖human) of a histogram"),
    "js_histogram": ("js", "Jensen-Shannon divergence of a histogram"),
    "tv_histogram": ("tv", "total variation of a histogram"),
    "w1_histogram": ("w1", "Wasserstein-1 of a histogram, in the unit of what is counted"),
}
"""Name, divergence and words of the metrics of counts."""

POINTS = {
    "mmd": "unbiased MMD² of query embeddings: where the bulk of them lies",
    "energy": "unbiased energy distance of query embeddings: where the bulk lies, with nothing to choose",
    "sliced_wasserstein": "sliced Wasserstein-1 of query embeddings: a shift of the mean",
    "knn_kl": "k-NN KL(human‖agent) of query embeddings: humans that no agent resembles, narrowing",
    "knn_kl_reverse": "k-NN KL(agent‖human) of query embeddings: agents where no human is",
    "spread_gap": "gap in the spread of query embeddings, 0 to 1: too narrow or too wide a population",
    "repeat_gap": "gap in the share of queries that repeat another, 0 to 1: one reply for many shoppers",
}
"""Name and words of the two-sample statistics on embeddings."""

METRICS: dict[str, MetricInfo] = {
    "accuracy": MetricInfo(
        "individual", "share of choices equal to the human's", ("choose",), ("item_choices", "rank_choices")
    ),
    "query_similarity": MetricInfo(
        "individual", "cosine of MiniLM embeddings of the agent's and the human's query", ("generate",), _TEXTS
    ),
    **{name: MetricInfo("group", f"{words} {_OF}", *_COUNTED, scored=True) for name, (_, words) in HISTOGRAMS.items()},
    "hazard_gap": MetricInfo(
        "group",
        "mean absolute difference of the hazard of leaving, step by step, both curves beside it",
        *_SESSIONS,
        scored=True,
    ),
    "mean_gap": MetricInfo(
        "group",
        "absolute difference of two means, both beside it (of: what histograms take, but for rank and refinement)",
        *_SESSIONS,
        scored=True,
    ),
    "no_purchase": MetricInfo(
        "group",
        "absolute difference of the shares of sessions without a purchase, both beside it",
        *_SESSIONS,
        scored=True,
    ),
    "kl_kde": MetricInfo(
        "group",
        "Monte-Carlo KL of query embeddings under Gaussian kernel densities",
        ("generate",),
        _TEXTS,
        scored=True,
    ),
    **{name: MetricInfo("group", words, ("generate",), _TEXTS, scored=True) for name, words in POINTS.items()},
    "panel_test": MetricInfo(
        "group",
        "permutation test of several statistics together: are these agents told apart from the humans at all?",
        ("generate", "choose", "session"),
        ("query_pairs", "rank_choices", "sessions"),
    ),
    "query_ttr": MetricInfo(
        "group",
        "type-token ratio of queries, the humans' beside it",
        ("generate", "session"),
        (*_TEXTS, "sessions"),
    ),
    "query_distinct": MetricInfo(
        "group",
        "share of distinct n-grams of queries (n: 1, 2, 3), the humans' beside it",
        ("generate", "session"),
        (*_TEXTS, "sessions"),
    ),
    "query_duplicates": MetricInfo(
        "group",
        "share of queries that repeat an earlier one, the humans' beside it",
        ("generate", "session"),
        (*_TEXTS, "sessions"),
    ),
    "product_ttr": MetricInfo("group", "type-token ratio of viewed product titles, the humans' beside it", *_SESSIONS),
}
