"""Checks of one page: axe-core, in light and dark, and the keyboard."""

from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script
RULES = """async (selector) => window.axe && (await axe.run(document.querySelector(selector), {
  resultTypes: ["violations"], preload: false, rules: {"color-contrast": {enabled: false}}})).violations"""
# Contrast takes axe-core most of its time. It follows from what is part of the key, so that each key is checked once.
CONTRAST = """async ([selector, checked]) => {
  const STYLES = ["color", "backgroundColor", "backgroundImage", "opacity", "fontSize", "fontWeight", "textShadow",
    "filter", "mixBlendMode", "position", "zIndex", "webkitTextFillColor"];
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);  // the page has changed its colors
  const root = document.querySelector(selector), known = new Set(checked), keys = new Map(), found = new Map();
  const hash = (text) => {
    let [a, b] = [0xdeadbeef, 0x41c6ce57];
    for (let i = 0; i < text.length; i++) {
      a = Math.imul(a ^ text.charCodeAt(i), 2654435761);
      b = Math.imul(b ^ text.charCodeAt(i), 1597334677);
    }
    return `${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`;
  };
  const keyOf = (element) => {
    if (!element) return "";
    if (!keys.has(element)) {
      const style = getComputedStyle(element);
      const isDisabled = element.matches(":disabled, [aria-disabled=true]");
      const own = [element.tagName, element.className, isDisabled, ...STYLES.map((name) => style[name])];
      keys.set(element, hash(`${keyOf(element.parentElement)} ${own.join("|")}`));
    }
    return keys.get(element);
  };
  const hasText = (element) => element.matches("input, select, textarea") ||
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  for (const element of root.querySelectorAll("*")) {
    if (!hasText(element) || !element.getClientRects().length) continue;
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    const key = keyOf(element);
    if (!known.has(key) && !found.has(key)) found.set(key, element);
  }
  if (!found.size) return [[], []];
  const include = [...found.values()];
  const {violations} = await axe.run({include}, {
    resultTypes: ["violations"], preload: false, runOnly: ["color-contrast"]});
  return [violations, violations.length ? [] : [...found.keys()]];
}"""
CHECKED_COLORS: set[str] = set()  # keys of the elements whose contrast was found good in this process

REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex]"
# Of rows and of many fields with the same elements, the keyboard walks through some; and through each menu once.
# The others are inert meanwhile.
SKIP_REPEATED = """(walkedMenus) => {
  const skip = (element) => { if (!element.inert) element.inert = element.dataset.repeated = true; };
  const shapeOf = (element) => {
    const copy = element.cloneNode(true);
    for (const each of [copy, ...copy.querySelectorAll("*")])
      for (const {name} of [...each.attributes])
        if (!["class", "type", "role", "tabindex", "disabled", "hidden"].includes(name)) each.setAttribute(name, "");
    return copy.outerHTML.replace(/>[^<]+</g, "><");
  };
  for (const parent of document.querySelectorAll("main *")) {
    const most = parent.matches("tbody, ul, ol") ? 2 : 12, counts = {};
    if (parent.childElementCount <= most) continue;
    for (const child of parent.children) {
      const shape = shapeOf(child);
      counts[shape] = (counts[shape] || 0) + 1;
      if (counts[shape] > most) skip(child);
    }
  }
  const menus = [...document.querySelectorAll("main nav")];
  const keys = menus.map((menu) => [...menu.querySelectorAll("a[href]")].map((link) => link.href).join(" "));
  menus.forEach((menu, number) => { if (walkedMenus.includes(keys[number])) skip(menu); });
  return keys;
}"""
RESTORE_REPEATED = """() => {
  document.activeElement.blur();
  for (const element of document.querySelectorAll("[data-repeated]")) {
    element.inert = false;
    delete element.dataset.repeated;
  }
}"""
COUNT_REACHABLE = f"""(part) => {{
  const groups = new Set();
  return [...document.querySelectorAll({REACHABLE!r})].filter((each) => each.closest(part)).filter((each) => {{
    if (each.disabled || each.tabIndex < 0 || each.closest("[inert]")) return false;
    if (!each.checkVisibility({{visibilityProperty: true}})) return false;
    if (each.type !== "radio") return true;  // of a group, Tab reaches one, and arrow keys the others
    const group = `${{each.form && each.form.action}} ${{each.name}}`;
    return !groups.has(group) && groups.add(group);
  }}).length;
}}"""
RECORD_FOCUS = """(part) => {
  document.activeElement.blur();
  if (part !== "body") document.querySelector(part).focus();
  window.reached = new Set();
  window.unmarked = new Set();
  document.addEventListener("focusin", ({target}) => {
    if (!target.closest(part)) return;
    reached.add(target);
    const styles = [target, target.closest("label")].filter(Boolean).map((each) => getComputedStyle(each));
    const isMarked = styles.some(({outlineStyle, boxShadow}) => outlineStyle !== "none" || boxShadow !== "none");
    if (!isMarked) unmarked.add(target.outerHTML.slice(0, 120));
  });
}"""
RECORDED_FOCUS = "() => ({reached: reached.size, unmarked: [...unmarked]})"
PRESSES_AT_A_TIME = 10


def load_axe_on_every_page(page: Page) -> None:
    """Load axe-core with each page opened from now on, which takes a fifth of the time of sending it there."""
    page.add_init_script(AXE)


def find_violations(page: Page, part: str = "html") -> list[str]:
    """Return what axe-core finds wrong with a page, or with a part of it, in light and dark."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    violations = page.evaluate(RULES, part)
    if violations is None:
        page.evaluate(AXE)
        violations = page.evaluate(RULES, part)
    found = [("light", violation) for violation in violations]
    for scheme in ("light", "dark"):
        if scheme == "dark":
            page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        violations, keys = page.evaluate(CONTRAST, [part, sorted(CHECKED_COLORS)])
        found += [(scheme, violation) for violation in violations]
        CHECKED_COLORS.update(keys)
    path = urlsplit(page.url).path
    return [
        f"{path} ({scheme}): {violation['id']} {node['target']} {node['failureSummary']}"
        for scheme, violation in found
        for node in violation["nodes"]
    ]


def find_keyboard_problems(page: Page, part: str, walked_menus: set[str]) -> list[str]:
    """Press Tab through a part of a page; return what it doesn't reach, and what doesn't show the focus.

    Menus of the page's main part are added to those walked through.
    """
    page.emulate_media(reduced_motion="reduce")  # focus is shown at once, without a transition
    walked_menus.update(page.evaluate(SKIP_REPEATED, sorted(walked_menus)))
    page.evaluate(RECORD_FOCUS, part)
    reachable: int = page.evaluate(COUNT_REACHABLE, part)
    recorded: dict[str, Any] = {"reached": 0, "unmarked": []}
    for _time in range(2 * reachable // PRESSES_AT_A_TIME + 2):  # a date has a stop for each of its parts
        for _press in range(PRESSES_AT_A_TIME):
            page.keyboard.press("Tab")
        recorded = page.evaluate(RECORDED_FOCUS)
        if recorded["reached"] >= reachable:
            break
    page.evaluate(RESTORE_REPEATED)
    path = urlsplit(page.url).path
    problems = [f"{path}: nothing shows the focus on {element}" for element in recorded["unmarked"]]
    if recorded["reached"] < reachable:
        problems.append(f"{path}: the keyboard reaches {recorded['reached']} of {reachable}")
    return problems
