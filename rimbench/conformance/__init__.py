"""Whether an engine keeps to its contract, tried on a model that comes with rimbench: `rimbench check-engine NAME`.

Flows in: an engine's name. Flows out: one outcome for each requirement. What the engine answers is held against
plain passes of transformers, one prompt at a time and nothing kept between them.
"""

from rimbench.conformance.checks import CHECKS, Check
from rimbench.conformance.trial import MODEL, Conformance, Judged, check_engine

__all__ = ["CHECKS", "MODEL", "Check", "Conformance", "Judged", "check_engine"]
