"""What the user asked for, as one frozen value: the command line and ``evaluate()`` both end here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from paars_bench.backbones.cache_use import CacheUse
from paars_bench.backbones.door import Traits


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run.

    Attributes:
        model: alias, LiteLLM name, ``local``, ``local:PATH.gguf`` or a baseline.
        tasks: names, groups, tags or wildcards, as typed.
        dataset: data set name with options (``demo:shoppers=200,seed=1``).
        conditions: condition names, ``("all",)``, or None for what each task says.
        model_args: passed to LiteLLM (``api_base``, ``api_key``, ``timeout``, …).
        limit: cases per task at most, chosen so that all tasks share shoppers.
        repeats: how often each case is asked.
        seed: of case choice, option order, baselines and resampling.
        output_path: the run directory; None makes one under ``runs/``.
        max_concurrency: requests in flight; None takes the backbone's own.
        max_cost: US dollars; the run stops gently before it spends more.
        max_tokens_total: input and output tokens, likewise.
        max_time: seconds, likewise.
        fail_on_error: stop as failed once this share (below 1) or number (1 and over) of cases failed.
        use_cache: what is taken from the response cache and what is left there.
        batch: send calls in the provider's batches, at half the price and within a day.
        executor: where the model is called from: ``auto``, ``inline``, ``process`` or ``process:N``.
        include_path: folders with more task YAML.
        log_samples: write prompts and replies to the journal (the digest of a model's prompt is always written); None
            writes a model's and not a baseline's, which reads no prompt.
        dry_run: resolve, render and count, but call nothing.
        command: the command line, for the record.
    """

    model: str
    tasks: tuple[str, ...] = ("all",)
    dataset: str = "demo"
    conditions: tuple[str, ...] | None = None
    model_args: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    repeats: int = 1
    seed: int = 0
    output_path: Path | None = None
    max_concurrency: int | None = None
    max_cost: float | None = None
    max_tokens_total: int | None = None
    max_time: float | None = None
    fail_on_error: float | None = None
    use_cache: CacheUse = CacheUse.OFF
    batch: bool = False
    executor: str = "auto"
    include_path: tuple[Path, ...] = ()
    log_samples: bool | None = None
    dry_run: bool = False
    command: str = ""

    def keeps_samples(self, backbone: Traits) -> bool:
        """Says whether prompts and replies of a backbone are written down."""
        return not backbone.scripted if self.log_samples is None else self.log_samples
