"""The explanations: what each field is, why it is there, and where that is specified; in plain sentences for learners.

They are kept as data in the TOML files beside this module, one fact in one place. What other modules know already (names and numbers,
the alert of a reason, the sentence of a certificate rule, the states in which a message may come) is taken from there.

`explain_path` tells of a field in the byte map, `find` of whatever has a name. The files are read when first asked for.
"""

from puretls.inspect.texts.paths import explain_path
from puretls.inspect.texts.text import Text
from puretls.inspect.texts.things import (
    alert,
    certificate_rule,
    cipher_suite,
    extension,
    find,
    group,
    message,
    near,
    reason,
    signature_scheme,
    state,
)

__all__ = [
    "Text",
    "alert",
    "certificate_rule",
    "cipher_suite",
    "explain_path",
    "extension",
    "find",
    "group",
    "message",
    "near",
    "reason",
    "signature_scheme",
    "state",
]
