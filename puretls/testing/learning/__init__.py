"""Learning: the state machine of any TLS 1.2 peer inferred by asking it, and compared with RFC 5246 (extra `puretls[research]`).

lesson = learn(self_server())
print(text(lesson))
"""

from puretls.testing.learning.draw import dot, mermaid, text
from puretls.testing.learning.learner import LEARNERS, Effort, Learned, learned
from puretls.testing.learning.mapper import Mapper
from puretls.testing.learning.model import Difference, Model, differences
from puretls.testing.learning.observed import NonDeterministic, Observed, Talk
from puretls.testing.learning.specification import specification
from puretls.testing.learning.subjects import (
    FULL,
    USUAL,
    Lesson,
    Subject,
    learn,
    self_client,
    self_server,
    server_at,
    server_in_memory,
)

__all__ = [
    "FULL",
    "LEARNERS",
    "USUAL",
    "Difference",
    "Effort",
    "Learned",
    "Lesson",
    "Mapper",
    "Model",
    "NonDeterministic",
    "Observed",
    "Subject",
    "Talk",
    "differences",
    "dot",
    "learn",
    "learned",
    "mermaid",
    "self_client",
    "self_server",
    "server_at",
    "server_in_memory",
    "specification",
    "text",
]
