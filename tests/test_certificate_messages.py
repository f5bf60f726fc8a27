"""The manual shows what the verifier says today."""

import runpy


def test_the_messages_in_the_manual_are_those_of_the_code(root):
    tool = runpy.run_path(str(root / "tools" / "certificate_messages.py"))
    text = tool["PAGE"].read_text()
    shown = text[text.index(tool["BEGIN"]) + len(tool["BEGIN"]) : text.index(tool["END"])]
    assert shown == tool["section"](), "run: python tools/certificate_messages.py"


def test_each_fault_is_named_first_in_its_report(root):
    tool = runpy.run_path(str(root / "tools" / "certificate_messages.py"))
    found = {name: report.findings[0].id for name, report in tool["cases"]()}
    assert found == {
        "expired": "expired",
        "not yet valid": "not-yet-valid",
        "wrong host": "wrong-host",
        "unknown issuer": "unknown-issuer",
        "self-signed": "self-signed",
        "missing intermediate": "unknown-issuer",
        "not a CA": "not-a-ca",
        "wrong purpose": "extended-key-usage",
        "revoked": "revoked",
    }
