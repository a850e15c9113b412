"""The page in a real headless Chromium: on a desk, on a telephone, in the dark, on paper."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from synthkit.report import Report, build
from synthkit.report.comparison_view import COMPARISON_SECTIONS, build_comparison
from synthkit.report.section_registry import OWN_SECTIONS

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

# Of every text that can be seen: its contrast with the nearest background that is not transparent (WCAG 2.2, 1.4.3).
CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parts(c).map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const seen = c => { const p = parts(c); return p.length < 4 || p[3] > 0; };
  const behind = e => {
    for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (seen(c)) return c; }
    return "rgb(255, 255, 255)";
  };
  const out = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility() || e.closest("title, desc, style")) continue;
    const style = getComputedStyle(e);
    const ink = e.closest("svg") ? style.fill : style.color;
    if (!ink.startsWith("rgb")) continue;
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    out.push([(a + 0.05) / (b + 0.05), node.data.trim().slice(0, 40)]);
  }
  return out;
}"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium: install one, or name it in the environment variable CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=["report", "shareable", "comparison"])
def kind(request) -> str:
    """Each of the pages there are."""
    return request.param


@pytest.fixture(scope="module")
def address(kind, html, evaluation, full, tmp_path_factory) -> str:
    from made_up import GATE
    from made_up_comparison import DATA

    if kind == "shareable":
        page = build(evaluation, **full, tier=kind, gate=GATE, hashes={"synthetic.parquet": "0f" * 32})
    else:
        page = Report(html) if kind == "report" else build_comparison(DATA)
    return page.save(tmp_path_factory.mktemp("page") / f"{kind}.html").as_uri()


@pytest.fixture
def show(browser, address):
    """Opens the page at a width, in a colour scheme; closes it after the test."""
    opened = []

    def at(width: int = 1280, scheme: str = "light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.append(page)
        page.goto(address)
        return page

    yield at
    for page in opened:
        page.close()


def test_it_opens_without_an_error_and_asks_for_nothing_else(browser, address):
    page = browser.new_page()
    requests, complaints = [], []
    page.on("request", lambda r: requests.append(r.url))
    page.on("console", lambda m: complaints.append(m.text))
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.close()
    assert [r for r in requests if not r.startswith("data:")] == [address]
    assert complaints == []


def test_every_section_is_seen(show, kind):
    page = show()
    sections = {
        "report": [spec.id for spec in OWN_SECTIONS],
        "comparison": [spec.id for spec in COMPARISON_SECTIONS],
        "shareable": [spec.id for spec in OWN_SECTIONS if spec.shareable is not None],
    }
    for section in sections[kind]:
        box = page.locator(f'[data-test-section="{section}"]').bounding_box()
        assert box is not None, section
        assert box["height"] > 60, section


def test_every_link_leads_to_its_place(show):
    page = show()
    for link in page.locator("nav a").all():
        link.click()
        target = page.locator(link.get_attribute("href"))
        page.wait_for_timeout(20)
        box = target.evaluate("e => e.getBoundingClientRect().toJSON()")
        assert box["top"] < 900
        assert box["bottom"] > 0


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("opened", [False, True])
def test_the_page_never_scrolls_sideways(show, width, opened):
    page = show(width)
    if opened:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(show, scheme, kind):
    page = show(scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = page.evaluate(CONTRAST)
    assert len(found) > {"report": 500, "comparison": 250, "shareable": 200}[kind]
    assert min(found)[0] >= 4.5, min(found)


def test_dark_is_dark(show):
    ground = "getComputedStyle(document.body).backgroundColor"
    assert show(scheme="light").evaluate(ground) == "rgb(255, 255, 255)"
    assert show(scheme="dark").evaluate(ground) == "rgb(18, 22, 28)"


def test_no_label_of_a_small_chart_lies_on_another(show):
    """Texts of a distribution are held against each other, box by box."""
    overlapping = show().evaluate("""() => {
      const bad = [];
      for (const svg of document.querySelectorAll('.column svg')) {
        const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
        const cross = (p, q) => p.left < q.right - 1 && p.top < q.bottom - 3;
        for (const [i, [a, p]] of boxes.entries()) for (const [b, q] of boxes.slice(i + 1))
          if (cross(p, q) && cross(q, p)) bad.push([a, b]);
      }
      return bad;
    }""")
    assert overlapping == []


def test_no_label_of_a_chart_is_cut_off(show):
    cut = show().evaluate("""() => [...document.querySelectorAll('.chart svg, .column svg')].flatMap(svg => {
      const frame = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('text')].filter(t => {
        const box = t.getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
      }).map(t => t.textContent);
    })""")
    assert cut == []


def test_it_prints_in_light_colours(show, tmp_path):
    page = show(scheme="dark")
    path = Path(tmp_path / "report.pdf")
    page.pdf(path=path, prefer_css_page_size=True)
    assert path.read_bytes()[:5] == b"%PDF-"
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 36, 48)"
    assert not page.locator(".skip").is_visible()


def test_the_decision_is_one_sheet_of_a4(show, kind):
    """On paper it ends above the lower edge of the first sheet, 297 mm less both margins; the rest begins anew."""
    if kind == "comparison":
        pytest.skip("a comparison decides nothing")
    page = show(width=680)  # 210 mm less both margins, at 96 dots an inch
    page.emulate_media(media="print")
    bottom = page.locator("#decision").evaluate("e => e.getBoundingClientRect().bottom")
    assert bottom < (297 - 2 * 16) / 25.4 * 96
    assert page.locator("#decision").evaluate("e => getComputedStyle(e).breakAfter") == "page"
    assert page.locator("[data-test-line]").count() <= 12


def test_the_keyboard_goes_through_the_page_in_its_order(show):
    """First the way past the contents, then links, then what scrolls; each is outlined when it is reached."""
    page = show()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    places = []
    for _ in range(60):
        page.keyboard.press("Tab")
        place, outline = page.evaluate(
            "() => { const e = document.activeElement; return [[...document.querySelectorAll('*')].indexOf(e), "
            "e === document.body || getComputedStyle(e).outlineStyle]; }"
        )
        if outline is True:  # behind the last one the focus leaves the page
            break
        assert outline != "none"
        places.append(place)
    assert len(places) > 15
    assert places == sorted(places)
