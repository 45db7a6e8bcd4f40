"""The Chromium of this machine that the tests drive."""

import shutil

CHROMIUM = next(
    filter(
        None,
        map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")),
    ),
    None,
)
"""None where there is none. The first is the same engine without a browser's windows: a page costs less than half."""
NONE_HERE = "no Chromium on the PATH (Debian: apt-get install chromium-headless-shell)"
