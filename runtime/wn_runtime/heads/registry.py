"""All heads. To add one: docs/add-a-head.md."""

from __future__ import annotations

from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax

HEADS: dict[str, type[Head]] = {head.kind: head for head in (Softmax, Logistic, Gaussian)}
