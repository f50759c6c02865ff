"""Words of operators and providers, some of which are written in HTML, as plain text."""

from __future__ import annotations

from html.parser import HTMLParser


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def plain(text: str) -> str:
    """Return the text without tags, its entities resolved; it is still no HTML."""
    words = _Words()
    words.feed(text)
    words.close()
    return " ".join("".join(words.found).split())
