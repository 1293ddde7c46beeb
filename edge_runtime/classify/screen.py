"""What the user sees of recordings while they are classified."""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.signed import signed

if TYPE_CHECKING:
    from edge_runtime.classify.recording_scorer import RecordingScorer

Row = dict[str, Any]
_PROGRESS_SECONDS = 2.0  # between two notes on a long recording


class RecordingScreen:
    """What the user sees of one recording: rows on stdout unless a document was asked for, notes on stderr."""

    def __init__(self, ear: RecordingScorer, path: Path, duration: float, args: argparse.Namespace) -> None:
        self.ear, self.path, self.duration = ear, path, duration
        self.rows, self.ends = not args.json and args.out is None, not args.json
        self.last_note = time.monotonic()
        window_seconds = ear.spec.window_seconds
        if duration < window_seconds and not args.phone:
            self._note(f"{duration:.3f} s is shorter than the window of {window_seconds:g} s; padded with zeros")
        if self.ends:
            print(f"{path}  {duration:.2f} s{', as on a phone' if args.phone else ''}")

    def show(self, row: Row) -> None:
        """Show a window or a tick, and now and then how far the recording is."""
        seconds = row.get("seconds", row.get("end_seconds"))
        if self.rows:
            span = f"{seconds:8.2f} s" if "seconds" in row else f"{row['start_seconds']:8.2f} - {seconds:8.2f} s"
            print(f"{span}  {_silence_text(row) if row['silent'] else self.ear.row_text(row)}")
        if time.monotonic() - self.last_note >= _PROGRESS_SECONDS:
            self.last_note = time.monotonic()
            self._note(f"{seconds:.0f} of {self.duration:.0f} s")

    def show_clip(self, clip: Row) -> None:
        """Show what the windows make of the clip, by which rule and of how many."""
        if not self.ends:
            return
        num_windows, num_silent = clip["num_windows"], clip["num_silent"]
        if num_windows == num_silent:
            print(f"{f'clip (all {num_windows} silent)':>21}  (none)")
            return
        left_out = f", {num_silent} silent" if num_silent else ""
        what = f"clip ({clip['merge']} of {num_windows - num_silent}{left_out})"
        print(f"{what:>21}  {self.ear.row_text(clip)}")

    def note_lost(self, lost_samples: int) -> None:
        """Say what the phone left out."""
        if lost_samples:
            self._note(
                f"the phone lost {lost_samples} samples: twice the window of "
                f"{self.ear.spec.window_seconds:g} s does not last from tick to tick"
            )

    def _note(self, text: str) -> None:
        """Print a note on the recording."""
        print(f"{self.path}: {text}", file=sys.stderr)


def _silence_text(row: Row) -> str:
    """Return how quiet a window is."""
    level = -math.inf if row["level_dbfs"] is None else row["level_dbfs"]
    return f"silent ({signed(level, 1, plus=False)} dBFS)"
