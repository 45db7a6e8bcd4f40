"""The shop's pages in a throttled Chromium, on a running stack: how soon and how steadily they are painted.

    make up && python -m bench.pages [--rounds 3]

A phone of the middle class on a slow line: the processor four times slower, 1.6 Mbit/s down, 750 kbit/s up, 150 ms of
latency, 412 by 823 px, nothing cached. LCP is when the largest thing was painted, CLS how much moved (by web.dev's
session windows): the median and the worst of the rounds. It fails over the budgets, and where a console complains.
On a machine that does something else as well, the throttled processor is slower still.
"""

import argparse
import os
import shutil
import statistics
import sys
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

from bench.figures import figure
from devstack.settings import read

PAGES = ("/", "/products", "/products/haneul-running-shoes")
BUDGET_LCP_MS = 1500
BUDGET_CLS = 0.05
SLOWER = 4
LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6 * 1024 * 1024 / 8,
    "uploadThroughput": 750 * 1024 / 8,
}
SETTLED_MS = 1000
"""After the network is idle; what moves later is nobody's first impression."""

_MEASURE = """() => {
    window.painted = 0; window.moved = 0;
    let first = 0, last = 0, sum = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.painted = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (entry.hadRecentInput) continue;
            const goesOn = entry.startTime - last < 1000 && entry.startTime - first < 5000;
            if (!goesOn) { first = entry.startTime; sum = 0; }
            last = entry.startTime;
            sum += entry.value;
            window.moved = Math.max(window.moved, sum);
        }
    }).observe({ type: "layout-shift", buffered: true });
}"""


class Painted(NamedTuple):
    """One look at a page: milliseconds, a sum of shifts, bytes over the line, and what the console said."""

    lcp: float
    cls: float
    bytes: int
    complaints: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    names = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        sys.exit("no Chromium on the PATH")
    base = read(os.environ).url("FRONTEND_PORT")
    worst = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        print(f"{'page':36} {'LCP ms':>8} {'worst':>8} {'CLS':>7} {'KiB':>6}")
        for path in PAGES:
            looks = [_look(browser, base + path) for _ in range(rounds)]
            worst |= _report(path, looks)
        browser.close()
    return worst


def _look(browser: Browser, address: str) -> Painted:
    context = browser.new_context(
        viewport={"width": 412, "height": 823}, device_scale_factor=2, is_mobile=True, locale="ko-KR"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script(f"({_MEASURE})()")
    session = context.new_cdp_session(page)
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", LINE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLED_MS)
    lcp, cls = page.evaluate("[window.painted, window.moved]")
    context.close()
    return Painted(lcp, cls, int(sum(received)), complaints)


def _report(path: str, looks: list[Painted]) -> int:
    """1 over a budget, else 0."""
    lcp, cls = statistics.median(look.lcp for look in looks), max(look.cls for look in looks)
    slowest = max(look.lcp for look in looks)
    print(f"{path:36} {lcp:8.0f} {slowest:8.0f} {cls:7.3f} {looks[0].bytes / 1024:6.0f}")
    figure(f"page {path}, LCP ms", lcp, "clock", budget=BUDGET_LCP_MS)
    figure(f"page {path}, CLS", cls, "clock", budget=BUDGET_CLS)
    complaints = [text for look in looks for text in look.complaints]
    for text in complaints:
        print(f"  console: {text}")
    if lcp > BUDGET_LCP_MS or cls > BUDGET_CLS:
        print(f"  over budget: LCP {BUDGET_LCP_MS} ms, CLS {BUDGET_CLS}")
    return int(lcp > BUDGET_LCP_MS or cls > BUDGET_CLS or bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
