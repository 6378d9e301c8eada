"""Pure numerics of population alignment: no I/O, clock, environment or global random state.

Every group statistic is a function of shopper weights, so value, floor, reference, score and interval of a
metric come from the same code, and one resampling plan is shared by all metrics and conditions of a run.
"""

from __future__ import annotations

from paars_bench.metrics.bins import CountBins
from paars_bench.metrics.density import kde_log_density
from paars_bench.metrics.diversity import (
    DiversityResult,
    TypeTokenRatio,
    diversity,
    tokenise,
    type_token_ratio,
)
from paars_bench.metrics.equivalence import (
    Equivalence,
    difference_equivalence,
    divergence_equivalence,
    score_equivalence,
)
from paars_bench.metrics.group import (
    GroupResult,
    GroupStatistic,
    Measured,
    Reference,
    Undefined,
    evaluate_group,
    measure,
)
from paars_bench.metrics.histogram import (
    ADD_HALF,
    KINDS,
    HistogramDivergence,
    HistogramStatistic,
    Smoothing,
    divergence_of_counts,
    histogram_kl,
    unreached_mass,
)
from paars_bench.metrics.individual import (
    MeanResult,
    Stratum,
    clustered_mean,
    cosine_similarity_rows,
    equal_count_strata,
    mean_replicates,
)
from paars_bench.metrics.kde import KdeKl, KdeStatistic, kde_kl
from paars_bench.metrics.paired import PairedDifference, paired_divergences, paired_means
from paars_bench.metrics.perplexity import Perplexities, conditional_perplexity
from paars_bench.metrics.resampling import Interval, ResamplingPlan
from paars_bench.metrics.spread import Spread

__all__ = [
    "ADD_HALF",
    "KINDS",
    "CountBins",
    "DiversityResult",
    "Equivalence",
    "GroupResult",
    "GroupStatistic",
    "HistogramDivergence",
    "HistogramStatistic",
    "Interval",
    "KdeKl",
    "KdeStatistic",
    "MeanResult",
    "Measured",
    "PairedDifference",
    "Perplexities",
    "Reference",
    "ResamplingPlan",
    "Smoothing",
    "Spread",
    "Stratum",
    "TypeTokenRatio",
    "Undefined",
    "clustered_mean",
    "conditional_perplexity",
    "cosine_similarity_rows",
    "difference_equivalence",
    "divergence_equivalence",
    "divergence_of_counts",
    "diversity",
    "equal_count_strata",
    "evaluate_group",
    "histogram_kl",
    "kde_kl",
    "kde_log_density",
    "mean_replicates",
    "measure",
    "paired_divergences",
    "paired_means",
    "score_equivalence",
    "tokenise",
    "type_token_ratio",
    "unreached_mass",
]
