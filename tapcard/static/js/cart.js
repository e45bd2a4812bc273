// Updates the cart in place: submits its forms in the background and shows the cart of the response.
(() => {
  const cart = () => document.querySelector("[data-cart]");
  if (!cart() || !window.fetch || !window.DOMParser) return;

  const replaceContent = (selector, page) => {
    const [current, updated] = [document.querySelector(selector), page.querySelector(selector)];
    if (current && updated) current.replaceChildren(...updated.childNodes);
    return Boolean(current && updated);
  };

  const updateCount = (page) => {
    const updated = page.querySelector("[data-cart-count]");
    document.querySelectorAll("[data-cart-count]").forEach((badge) => {
      badge.textContent = updated ? updated.textContent : "";
      badge.hidden = !badge.textContent;
    });
  };

  const enhance = () => {
    document.querySelectorAll("[data-auto-submit]").forEach((form) => form.classList.add("auto-submit"));
    document.dispatchEvent(new Event("change"));  // shows fields that belong to one choice
  };

  const show = (page, focused) => {
    if (!replaceContent("[data-cart]", page)) return false;
    replaceContent(".tc-flashes", page);
    updateCount(page);
    enhance();
    const next = cart().querySelector("[data-focus]") || (focused && document.getElementById(focused)) || cart().querySelector("h1");
    if (!next.matches("a, button, input, select, [tabindex]")) next.tabIndex = -1;
    next.focus({ preventScroll: !next.matches("[data-focus]") });
    return true;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || !form.closest("[data-cart]")) return;
    event.preventDefault();
    const focused = document.activeElement && document.activeElement.id;
    cart().setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!show(page, focused)) location.assign(response.redirected ? response.url : location.href);
    } catch {
      form.submit();  // a normal submit shows the error
    } finally {
      cart().removeAttribute("aria-busy");
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element && event.target.closest("[data-auto-submit]");
    if (!form) return;
    const chosen = form.querySelector("[type=radio]:checked");
    const depends = chosen && form.querySelector(`[data-show-when="${chosen.name}=${chosen.value}"] select`);
    if (!depends || depends.value) form.requestSubmit();
  });

  enhance();
})();
