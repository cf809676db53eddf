"""The closing table of a run."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from kubepipe.cli.results import key_result
from kubepipe.pipeline.finish import Outcome
from kubepipe.pipeline.folder import RunFolder

_STYLES = {
    "published": "green",
    "not_published": "yellow",
    "failed": "red",
    "quarantined": "red",
    "needs_human": "yellow",
}


def print_closing(console: Console, folder: RunFolder, outcome: Outcome) -> None:
    """Print step, seconds, CPU seconds, energy and key result, then the verdict and the report's path."""
    document = outcome.document
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("step", "left"), ("", "left"), ("seconds", "right"), ("CPU s", "right"), ("Wh", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # rich's literal
    table.add_column("result", overflow="fold")
    for step, record in outcome.records.items():
        watt_hours = float(record.energy.get("energy_kwh", 0.0)) * 1000
        status = {"reused": "reused", "failed": "failed"}.get(record.status, "")
        table.add_row(
            step, status, f"{record.seconds:.1f}", f"{record.cpu_seconds:.1f}", f"{watt_hours:.3f}", key_result(record)
        )
    table.add_row(
        "total",
        "",
        f"{document['seconds']:.1f}",
        f"{document['cpu_seconds']:.1f}",
        f"{document['energy_kwh'] * 1000:.3f}",
        f"{document['gco2e']:.2f} gCO2e",
        style="bold",
    )
    console.print()
    console.print(table)
    console.print()
    console.print(f"verdict {document['verdict']}", style=_STYLES.get(document["verdict"], "red"))
    console.print(f"report  {folder.report}", soft_wrap=True)
    if outcome.error is not None:
        console.print(f"logs    {folder.logs}", soft_wrap=True)
