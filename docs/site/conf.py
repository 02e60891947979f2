"""How Sphinx makes the site; build.py starts it."""

from __future__ import annotations

from importlib import metadata

project = "wavestep"
author = "The wavestep authors"
copyright = author
release = metadata.version("wavestep")

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4  # as code hosts name them, so that #links are the same there

highlight_language = "none"  # of blocks that say no language: commands, and what they print
smartquotes = False

html_theme = "furo"
html_title = f"wavestep {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "tango"
pygments_dark_style = "monokai"
