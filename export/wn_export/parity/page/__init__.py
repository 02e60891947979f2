"""report.html: one self-contained page to look at and listen to."""

from wn_export.parity.page.page import page

__all__ = ["page"]
