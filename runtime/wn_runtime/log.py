"""The logger of all parts, `wavestep`: what was chosen, compiled and measured.

Silent unless somebody listens: the commands do with -v, a program with `logging` as it likes.
"""

from __future__ import annotations

import logging

log = logging.getLogger("wavestep")
log.addHandler(logging.NullHandler())
