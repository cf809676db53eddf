"""Cut examples/squad/ out of SQuAD 1.1.

    python scripts/make_squad_example.py TRAIN_ROWS.json DEV_ROWS.json examples/squad

Both inputs are arrays of SQuAD rows: id, title, context, question, answers as a list of {text, answer_start}. The
choice is the same every time: from each article, passages at even distances, and only those whose answers all stand
where they say.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

Row = dict[str, Any]
#: Not an article of SQuAD, although it stands among them in the input.
FOREIGN = {"Technical_components"}


def main() -> None:
    """Write train-v1.1.json and dev-v1.1.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--train-per-article", type=int, default=5)
    parser.add_argument("--dev-per-article", type=int, default=9)
    given = parser.parse_args()
    write(given.train, given.target / "train-v1.1.json", given.train_per_article)
    write(given.dev, given.target / "dev-v1.1.json", given.dev_per_article)


def write(source: Path, target: Path, per_article: int) -> None:
    """Write one file and say what it holds."""
    articles = select(json.loads(source.read_text(encoding="utf-8")), per_article)
    document = {"data": articles, "version": "1.1"}
    target.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    questions = sum(len(paragraph["qas"]) for paragraph in paragraphs)
    print(f"{target}: {len(articles)} articles, {len(paragraphs)} passages, {questions} questions")


def select(rows: list[Row], per_article: int) -> list[Row]:
    """Articles in SQuAD form with so many passages each."""
    contexts: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["title"] not in FOREIGN:
            contexts[row["title"]][row["context"]].append(row)
    articles = []
    for title, by_context in contexts.items():
        usable = [paragraph(context, asked) for context, asked in by_context.items() if is_aligned(asked)]
        step = max(1, len(usable) // per_article)
        articles.append({"title": plain(title), "paragraphs": usable[::step][:per_article]})
    return articles


def is_aligned(rows: list[Row]) -> bool:
    """Whether every answer of a passage stands where it says."""
    return all(
        answer["answer_start"] >= 0 and row["context"].startswith(answer["text"], answer["answer_start"])
        for row in rows
        for answer in row["answers"]
    )


def paragraph(context: str, rows: list[Row]) -> Row:
    """A paragraph in SQuAD form."""
    return {
        "context": context,
        "qas": [{"answers": row["answers"], "question": row["question"], "id": row["id"]} for row in rows],
    }


def plain(title: str) -> str:
    """A title whose letters may be written as escapes once more than they should."""
    return str(json.loads(f'"{title}"')) if "\\u" in title else title


if __name__ == "__main__":
    main()
