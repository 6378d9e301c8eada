"""Pure numerics of population alignment: no I/O, clock, environment or global random state.

Every group statistic is a function of shopper weights, so value, floor, reference, score and interval of a
metric come from the same code, and one resampling plan is shared by all metrics and conditions of a run.
"""

from __future__ import annotations

from paars_bench.metrics.alignment import AlignmentScore
from paars_bench.metrics.bandwidth import BandwidthChoice, bandwidth_by_likelihood, kde_sweep
from paars_bench.metrics.bins import CountBins
from paars_bench.metrics.density import kde_log_density
from paars_bench.metrics.diversity import (
    DiversityResult,
    TypeTokenRatio,
    diversity,
    type_token_ratio,
)
from paars_bench.metrics.diversity_gap import DiversityGap, diversity_gap
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
from paars_bench.metrics.hazard import Hazards, hazard_gap, hazards_of_counts
from paars_bench.metrics.histogram import (
    KINDS,
    HistogramDivergence,
    HistogramStatistic,
    divergence_of_counts,
    histogram_kl,
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
from paars_bench.metrics.mean_gap import MeanGapStatistic
from paars_bench.metrics.neighbours import NeighbourStatistic, knn_kl
from paars_bench.metrics.ngrams import (
    DISTINCT,
    DuplicateRate,
    DuplicateResult,
    distinct_n,
    duplicate_rate,
    duplicates,
)
from paars_bench.metrics.pair_statistics import (
    EnergyStatistic,
    MmdStatistic,
    SpreadStatistic,
    energy_distance,
    mmd,
    spread_gap,
)
from paars_bench.metrics.paired import PairedDifference, paired_divergences, paired_means
from paars_bench.metrics.panel import DEFAULT_PANEL, MEMBERS, panel_statistics, point_statistic
from paars_bench.metrics.permutation import PanelTest, PermutedStatistic, PoolableStatistic, permutation_test
from paars_bench.metrics.perplexity import Perplexities, conditional_perplexity
from paars_bench.metrics.points import PointSides, PointStatistic, TwoSample
from paars_bench.metrics.reformulation import REFORMULATIONS, Reformulation, reformulation, reformulations
from paars_bench.metrics.repeated import MeanOfRepeats, mean_of_repeats
from paars_bench.metrics.repeats import RepeatStatistic, repeat_gap
from paars_bench.metrics.resampling import Interval, ResamplingPlan
from paars_bench.metrics.share_difference import share_difference_interval
from paars_bench.metrics.sliced import SlicedStatistic, sliced_wasserstein
from paars_bench.metrics.smoothing import (
    ADD_HALF,
    EPSILONS,
    EpsilonPoint,
    Smoothing,
    epsilon_row,
    nats_a_decade,
    unreached_mass,
)
from paars_bench.metrics.spread import Spread, spread_interval
from paars_bench.metrics.tokens import Unit, tokenise

__all__ = [
    "ADD_HALF",
    "DEFAULT_PANEL",
    "DISTINCT",
    "EPSILONS",
    "KINDS",
    "MEMBERS",
    "REFORMULATIONS",
    "AlignmentScore",
    "BandwidthChoice",
    "CountBins",
    "DiversityGap",
    "DiversityResult",
    "DuplicateRate",
    "DuplicateResult",
    "EnergyStatistic",
    "EpsilonPoint",
    "Equivalence",
    "GroupResult",
    "GroupStatistic",
    "Hazards",
    "HistogramDivergence",
    "HistogramStatistic",
    "Interval",
    "KdeKl",
    "KdeStatistic",
    "MeanGapStatistic",
    "MeanOfRepeats",
    "MeanResult",
    "Measured",
    "MmdStatistic",
    "NeighbourStatistic",
    "PairedDifference",
    "PanelTest",
    "PermutedStatistic",
    "Perplexities",
    "PointSides",
    "PointStatistic",
    "PoolableStatistic",
    "Reference",
    "Reformulation",
    "RepeatStatistic",
    "ResamplingPlan",
    "SlicedStatistic",
    "Smoothing",
    "Spread",
    "SpreadStatistic",
    "Stratum",
    "TwoSample",
    "TypeTokenRatio",
    "Undefined",
    "Unit",
    "bandwidth_by_likelihood",
    "clustered_mean",
    "conditional_perplexity",
    "cosine_similarity_rows",
    "difference_equivalence",
    "distinct_n",
    "divergence_equivalence",
    "divergence_of_counts",
    "diversity",
    "diversity_gap",
    "duplicate_rate",
    "duplicates",
    "energy_distance",
    "epsilon_row",
    "equal_count_strata",
    "evaluate_group",
    "hazard_gap",
    "hazards_of_counts",
    "histogram_kl",
    "kde_kl",
    "kde_log_density",
    "kde_sweep",
    "knn_kl",
    "mean_of_repeats",
    "mean_replicates",
    "measure",
    "mmd",
    "nats_a_decade",
    "paired_divergences",
    "paired_means",
    "panel_statistics",
    "permutation_test",
    "point_statistic",
    "reformulation",
    "reformulations",
    "repeat_gap",
    "score_equivalence",
    "share_difference_interval",
    "sliced_wasserstein",
    "spread_gap",
    "spread_interval",
    "tokenise",
    "type_token_ratio",
    "unreached_mass",
]
