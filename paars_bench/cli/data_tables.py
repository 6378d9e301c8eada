"""What the `data` commands print: rows read and refused, the figures of a log, the funnels of its cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from paars_bench.cli.table import table
from paars_bench.errors import printable

if TYPE_CHECKING:
    from paars_bench.data.importing.importer import Imported
    from paars_bench.data.log import Log
    from paars_bench.data.mined import MinedData
    from paars_bench.data.mining_rules import FunnelStep


def import_lines(imported: Imported) -> str:
    """Returns what was read, what was taken for granted, and each kind of defect with its first place."""
    log = imported.log
    lines = [
        f"{imported.rows:,} rows read: {log.events.num_rows:,} loaded as events of {log.sessions.num_rows:,} sessions, "
        f"{imported.rows - log.events.num_rows:,} quarantined; {len(log.catalog):,} products",
        *(f"assumed: {sentence}" for sentence in imported.assumed),
    ]
    found = imported.defects.found()
    if not found:
        return "\n".join([*lines, "no defect found"])
    rows = [
        (
            f.table,
            printable(f.column) or "(row)",
            f"{f.rows:,}",
            str(f.rule.fate),
            f"{printable(f.first.file)} row {f.first.row}",
            f"{f.rule.words}: {_value(f.first.value)}",
        )
        for f in found
    ]
    heads = ("TABLE", "COLUMN", "ROWS", "WHAT BECAME OF THEM", "FIRST AT", "WHAT IS WRONG")
    return "\n".join([*lines, table(heads, rows)])


def _value(value: str | None) -> str:
    return "nothing" if value is None else repr(printable(value)[:60])


def about_lines(data: MinedData) -> str:
    """Returns what is said of a data set, and which test sets it has or why not."""
    from paars_bench.data.cases import CaseKind

    about = data.about
    counts = {kind: data.case_table(kind).num_rows if kind in data.kinds else None for kind in CaseKind}
    rows = [
        (str(kind), "" if count is None else f"{count:,}", "" if count else data.why_not(kind))
        for kind, count in counts.items()
    ]
    return "\n".join(
        [
            f"{printable(about.name)}, {about.human_reference} shoppers, revision {printable(about.revision)}",
            f"licence: {printable(about.licence)}",
            f"citation: {printable(about.citation)}",
            table(("TEST SET", "CASES", "WHY NOT"), rows),
            "",
        ]
    )


def figure_lines(log: Log) -> str:
    """Returns the figures of a log."""
    from paars_bench.data.describe import describe_log

    figures = describe_log(log)
    spread = [
        (action, f"{s.mean:.2f}", f"{s.median:g}", f"{s.p90:g}", str(s.most))
        for action, s in figures.per_session.items()
    ]
    lines = [
        f"{figures.shoppers:,} shoppers, {figures.sessions:,} sessions, {figures.events:,} events, "
        f"{figures.products:,} products, {figures.first} to {figures.last}",
        table(("A SESSION HAS", "MEAN", "MEDIAN", "90 %", "MOST"), spread),
        f"without a purchase: {figures.without_purchase:.1%} of the sessions",
    ]
    if figures.queries:
        lines.append(
            f"{figures.queries:,} queries, {figures.distinct_queries:.0%} distinct, {figures.query_words:.1f} words "
            f"each; {figures.searches_with_list:,} with the list shown"
        )
    if figures.rank_shares:
        places = ", ".join(f"{share:.1%}" for share in figures.rank_shares)
        lines.append(f"{figures.views_with_rank:,} views with a rank; places 1 to 10: {places}")
    lines.append(
        f"shoppers with demographics or answers: {figures.with_truth:,}; "
        f"sessions with an intention: {figures.intentions:,}"
    )
    return "\n".join(lines)


def funnel_table(what: str, steps: Iterable[FunnelStep]) -> str:
    """Returns what each rule kept and dropped."""
    rows = [(s.rule, f"{s.kept:,}", f"{s.dropped:,}" if s.dropped else "") for s in steps]
    return table((what.upper(), "KEPT", "DROPPED"), rows)
