// The cart changes in place: each form is sent as it would be, and the part of the answer that is the cart is shown.
(() => {
  const part = () => document.querySelector("[data-cart]");
  if (!part() || !window.fetch || !window.DOMParser) return;

  const swap = (selector, answer) => {
    const [old, fresh] = [document.querySelector(selector), answer.querySelector(selector)];
    if (old && fresh) old.replaceChildren(...fresh.childNodes);
    return Boolean(old && fresh);
  };

  const count = (answer) => {
    const fresh = answer.querySelector("[data-cart-count]");
    document.querySelectorAll("[data-cart-count]").forEach((badge) => {
      badge.textContent = fresh ? fresh.textContent : "";
      badge.hidden = !badge.textContent;
    });
  };

  const comforts = () => {
    document.querySelectorAll("[data-sends-itself]").forEach((form) => form.classList.add("by-itself"));
    document.dispatchEvent(new Event("change"));  // fields that belong to one choice
  };

  const show = (answer, focused) => {
    if (!swap("[data-cart]", answer)) return false;
    swap(".tc-flashes", answer);
    count(answer);
    comforts();
    const next = part().querySelector("[data-focus]") || (focused && document.getElementById(focused)) || part().querySelector("h1");
    if (!next.matches("a, button, input, select, [tabindex]")) next.tabIndex = -1;
    next.focus({ preventScroll: !next.matches("[data-focus]") });
    return true;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || !form.closest("[data-cart]")) return;
    event.preventDefault();
    const focused = document.activeElement && document.activeElement.id;
    part().setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
      const answer = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!show(answer, focused)) location.assign(response.redirected ? response.url : location.href);
    } catch {
      form.submit();  // the browser's own way, with its own words about what is wrong
    } finally {
      part().removeAttribute("aria-busy");
    }
  });

  document.addEventListener("change", (event) => {
    const form = event.target instanceof Element && event.target.closest("[data-sends-itself]");
    if (!form) return;
    const chosen = form.querySelector("[type=radio]:checked");
    const depends = chosen && form.querySelector(`[data-show-when="${chosen.name}=${chosen.value}"] select`);
    if (!depends || depends.value) form.requestSubmit();
  });

  comforts();
})();
