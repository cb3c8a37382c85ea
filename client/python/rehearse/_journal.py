"""What the runners of a test did, as text: for the report of a test that fails.

    runners = journal.start()
    ...
    for title, text in journal.sections(runners): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Reporter(Protocol):
    """A runner."""

    def report(self) -> Iterator[tuple[str, str]]:
        """A title and a text for each execution."""


class Journal:
    """The runners that were made since `start`; without it, nothing is kept."""

    def __init__(self) -> None:
        self.reporters: list[Reporter] | None = None

    def start(self) -> None:
        self.reporters = []

    def stop(self) -> None:
        self.reporters = None

    def add(self, reporter: Reporter) -> None:
        if self.reporters is not None:
            self.reporters.append(reporter)


journal = Journal()
