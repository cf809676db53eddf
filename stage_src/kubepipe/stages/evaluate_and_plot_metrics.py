"""evaluate-and-plot-metrics: quality, privacy and sustainability in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubepipe.records import read_document, write_document, write_text
from kubepipe.records.run import load_records, run_document
from kubepipe.reporting import render_html, render_markdown, sustainability
from kubepipe.stages.catalogue import STAGES
from kubepipe.stages.context import StageContext


def run(context: StageContext) -> Mapping[str, Any]:
    """Write the figures (schema sustainability-metrics), the page and the summary of the run so far."""
    scores = read_document(context.inputs["benchmark_metrics"], "benchmark-metrics")
    records = load_records(context.store, context.run, STAGES)
    documents = {name: record.document() for name, record in records.items()}
    run_so_far = run_document(context.run, records, list(STAGES))
    figures = sustainability(documents)
    write_document(context.outputs["metrics"], figures, "sustainability-metrics")
    write_text(context.outputs["plot_html"], render_html(documents, run_so_far))
    write_text(context.outputs["summary_markdown"], render_markdown(documents, run_so_far))
    return {
        "exact_match": scores["tuned"]["exact_match"],
        "f1": scores["tuned"]["f1"],
        "energy_kwh": run_so_far["energy_kwh"],
        "gco2e": run_so_far["gco2e"],
        "seconds": run_so_far["seconds"],
        "cpu_seconds": run_so_far["cpu_seconds"],
    }
