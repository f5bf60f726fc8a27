"""Chromium without a window, for pages that are opened from a file with the network off."""

import shutil
from contextlib import contextmanager

PROGRAMS = ("chromium", "chromedriver")


def why_not():
    """Why no page can be opened here; None where it can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    try:
        import selenium  # noqa: F401
    except ImportError:
        missing.append("selenium")
    return f"{', '.join(missing)} is not installed" if missing else None


@contextmanager
def chromium(profile, *, offline=True):
    """A browser that reaches no network, or this machine's servers alone; `profile` is a folder of its own."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "no-first-run",
        "disable-quic",
        "disable-sync",
        "disable-component-update",
        "disable-background-networking",
        "disable-dev-shm-usage",
    ):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        if offline:
            driver.execute_cdp_cmd("Network.enable", {})
            nothing = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
            driver.execute_cdp_cmd("Network.emulateNetworkConditions", nothing)
        driver.set_script_timeout(120)
        yield driver
    finally:
        driver.quit()


def looks(driver, width, height, *, dark=False):
    """Give the window a size and a colour scheme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
