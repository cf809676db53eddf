"""What a run came to, for people: one page to read and print, a Markdown summary, the sustainability figures."""

from kubepipe.reporting.markdown import render_markdown
from kubepipe.reporting.model import Example
from kubepipe.reporting.page import render_html
from kubepipe.reporting.sustainability import sustainability

__all__ = ["Example", "render_html", "render_markdown", "sustainability"]
