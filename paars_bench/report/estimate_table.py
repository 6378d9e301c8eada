"""What a run would take, on screen: the command resolved, a row for each task and condition, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from paars_bench.report.layout import Row, Sheet, screen_console, show

Estimate = Mapping[str, Any]
_FIGURES = ("cases", "calls", "input tokens", "of them cached", "output tokens", "US dollars")


def show_dry_run(config: Mapping[str, Any], estimate: Estimate, data: str, console: Console | None = None) -> None:
    """Prints what a run would ask and take.

    Args:
        config: what ``config.json`` of the run would hold.
        estimate: see ``run.estimate``.
        data: the data set and its people, in words.
        console: where to; standard output by default.
    """
    out = console or screen_console()
    for name, text in _resolved(config, estimate, data):
        out.print(f"{name:<11} {text}", soft_wrap=True)
    total = estimate["total"]
    rows = [Row((r["task"], r["condition"] or "each shopper once"), _figures(r)) for r in estimate["rows"]]
    if len(rows) > 1:
        rows.append(Row(("in all", ""), _figures(total)))
    if rows:
        show(out, Sheet("What is still to be asked, estimated", ("task", "condition"), _FIGURES, rows))
    for note in _notes(estimate):
        out.print(f"  {note}", soft_wrap=True)
    at_once = estimate["in_flight"]
    rounds = -(-total["calls"] // at_once)
    out.print(
        f"{total['cases']:,} cases, {total['calls']:,} calls, {at_once} at once: as long as {rounds:,} in a row; "
        "nothing was called"
    )


def in_short(estimate: Estimate) -> str:
    """Returns an estimate in one line."""
    total = estimate["total"]
    return (
        f"estimated: {total['calls']:,} calls, {_short(total['input'])} input and {_short(total['output'])} output "
        f"tokens, {_dollars(total['cost_usd'])}; --dry_run shows it by task"
    )


def caps_met(estimate: Estimate, *, max_cost: float | None, max_tokens: int | None) -> list[str]:
    """Returns a sentence for each cap that the estimate says will stop the run before its end.

    Args:
        estimate: of what is still to be asked.
        max_cost: US dollars that may still be spent, None without a cap.
        max_tokens: tokens that may still be used, likewise.
    """
    total, met = estimate["total"], []
    cost, tokens = total["cost_usd"], total["input"] + total["output"]
    if max_cost is not None and cost is not None and max_cost < cost["low"]:
        shares = " to ".join(dict.fromkeys(f"{100 * max_cost / cost[end]:.0f}" for end in ("high", "low")))
        met.append(f"--max_cost leaves ${max_cost:g}, less than that: the run will stop after about {shares} % of it")
    if max_tokens is not None and max_tokens < tokens:
        share = 100 * max_tokens / tokens
        met.append(
            f"--max_tokens_total leaves {max_tokens:,}, less than that: it will stop after about {share:.0f} % of it"
        )
    return met


def _resolved(config: Mapping[str, Any], estimate: Estimate, data: str) -> list[tuple[str, str]]:
    spec, model = config["spec"], config["model"]
    conditions = dict.fromkeys(c for names in config["identity"]["conditions"].values() for c in names)
    lines = [("model", f"{model['name']}: {model['litellm_model']}, {_context(model)}")]
    if estimate["provider"]:
        at = spec["model_args"].get("api_base")
        lines.append(("provider", estimate["provider"] + (f" at {at}" if at else "")))
    if "acting" in model:
        lines.append(("acting", model["acting"]))
    limit = "every case" if spec["limit"] is None else f"{spec['limit']:,} cases a task at most"
    repeats = "once" if spec["repeats"] == 1 else f"{spec['repeats']} times"
    lines += [
        ("data set", data),
        ("tasks", ", ".join(f"{t['task']} {t['metadata'].get('version', 0)}" for t in config["tasks"])),
        ("conditions", ", ".join(conditions)),
        ("asked", f"{limit}, each {repeats}; seed {spec['seed']}"),
    ]
    caps = [f"--{n} {spec[n]:g}" for n in ("max_cost", "max_tokens_total", "max_time") if spec[n] is not None]
    lines.append(("caps", ", ".join(caps) or "none"))
    if estimate["not_sent"]:
        reasons: dict[str, list[str]] = {}
        for name, why in estimate["not_sent"].items():
            reasons.setdefault(why, []).append(name)
        lines.append(("not sent", "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())))
    return lines + [("not run", f"{task} ({why})") for task, why in config["unsupported"].items()]


def _context(model: Mapping[str, Any]) -> str:
    return "a baseline" if model["scripted"] else f"context {model['context_tokens']:,} tokens"


def _notes(estimate: Estimate) -> list[str]:
    if not estimate["counted_by"]:
        return ["a baseline reads no prompt and costs nothing"]
    rows = estimate["rows"]
    notes = [
        f"tokens: counted by {estimate['counted_by']}; cached: what begins one of the two calls before of the same "
        "shopper too, if the provider caches"
    ]
    if estimate["prices"] is None:
        notes.append(f"LiteLLM knows no price for {estimate['model']}")
    elif estimate["total"]["cost_usd"]["high"]:
        notes.append(
            f"US dollars: by {estimate['prices']}; the low end with all of that cached and short replies, the high end "
            "with nothing read from a cache and replies at their cap"
        )
    if any(r["measured"] < r["cases"] for r in rows):
        notes.append("of rows with more cases a sample was measured: " + _sampled(rows))
    notes += dict.fromkeys(_visits(r) for r in rows if r["calls_range"][0] != r["calls_range"][1])
    if estimate["thinks"]:
        notes.append("the model can think before it answers: that is billed as output, and comes on top of all this")
    return notes


def _visits(row: Mapping[str, Any]) -> str:
    low, high = row["calls_range"]
    return (
        f"{row['task']}: as if agents stayed as long as people do; {low:,} calls a condition if all stay as "
        f"long as the tenth of people who leave first, {high:,} if as long as the tenth who leave last"
    )


def _sampled(rows: Sequence[Mapping[str, Any]]) -> str:
    sizes = sorted({r["measured"] for r in rows if r["measured"] < r["cases"]})
    return f"{' or '.join(map(str, sizes))} cases each"


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (f"{row[name]:,}" for name in ("cases", "calls", "input", "cached", "output"))
    return (*counts, _dollars(row["cost_usd"]))


def _dollars(cost: Mapping[str, float] | None) -> str:
    if cost is None:
        return "price unknown"
    digits = 2 if cost["high"] >= 1 else 4
    low, high = (f"${cost[end]:,.{digits}f}" for end in ("low", "high"))
    return low if low == high else f"{low} to {high}"


def _short(count: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)
