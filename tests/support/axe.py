"""What axe-core finds at a page in Chromium."""

from tests.support.npm import package

SERIOUS = ("serious", "critical")


def serious_faults(driver):
    """The serious and critical faults of the page that is open, one line for each element."""
    driver.execute_script((package("axe-core") / "axe.min.js").read_text())
    found = driver.execute_async_script(
        "const tell = arguments[0]; axe.run(document, { resultTypes: ['violations'], preload: false }).then(tell)"
    )
    return [
        f"{violation['id']}: {node['html'][:120]}: {violation['help']}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
