"""Classify a folder of WAV files into a table: python examples/folder_to_csv.py MODEL.tflite FOLDER TABLE.csv."""

import csv
import sys
from pathlib import Path

import earproof


def main(model_path: str, folder: str, table: str) -> None:
    """Write one row a file: its path, the decision, a score for each label."""
    model = earproof.load(model_path)
    with open(table, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "decision", *model.spec.labels])
        for path in sorted(Path(folder).rglob("*.wav")):
            result = model.classify(*earproof.read_wav(path))
            rows.writerow([path.relative_to(folder), result.decision, *result.clip_scores])


if __name__ == "__main__":
    main(*sys.argv[1:])
