"""A package index in memory: real distributions of this environment, packed as wheels again."""

import importlib.metadata
import io
import zipfile


def index(*names):
    """The pages (path: bytes) of an index, as PEP 503 has it, with these installed distributions."""
    pages = {}
    for name in names:
        wheel, content = wheel_of(name)
        pages[f"/simple/{name}/"] = f'<a href="/files/{wheel}">{wheel}</a>'.encode()
        pages[f"/files/{wheel}"] = content
    return pages


def wheel_of(name):
    """The name and the bytes of the wheel that this distribution could have been installed from."""
    distribution = importlib.metadata.distribution(name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in distribution.files:
            if path.suffix != ".pyc" and path.parts[0] != ".." and path.name not in ("INSTALLER", "REQUESTED", "direct_url.json"):
                wheel.writestr(path.as_posix(), path.read_binary())
    return f"{name.replace('-', '_')}-{distribution.version}-py3-none-any.whl", buffer.getvalue()
