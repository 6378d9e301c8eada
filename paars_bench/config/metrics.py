"""The metrics a task YAML may name; ``tasks.score`` computes them."""

from __future__ import annotations

METRICS: dict[str, str] = {
    "accuracy": "individual: share of choices equal to the human's",
    "query_similarity": "individual: cosine of MiniLM embeddings of the agent's and the human's query",
    "kl_histogram": "group: KL of a histogram (of: rank, searches, views, purchases)",
    "kl_kde": "group: Monte-Carlo KL of query embeddings under Gaussian kernel densities",
    "query_ttr": "group: type-token ratio of queries, the humans' beside it",
    "product_ttr": "group: type-token ratio of viewed product titles, the humans' beside it",
}
