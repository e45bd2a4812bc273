// Progressive enhancements. Every page works without them.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const on = (name, selector, handler) => document.addEventListener(name, (event) => {
    const element = event.target instanceof Element && event.target.closest(selector);
    if (element) handler(element, event);
  });

  // switch between light and dark
  on("click", "[data-theme-switch]", () => {
    const root = document.documentElement;
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `tc_theme=${root.dataset.bsTheme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  });

  on("click", "[data-print]", () => print());

  // on narrow screens, scroll the menu of the back office to the current page
  all(".tc-section-nav").forEach((menu) => {
    const current = menu.querySelector("[aria-current]");
    if (current) menu.scrollLeft += current.getBoundingClientRect().left - menu.getBoundingClientRect().left - (menu.clientWidth - current.clientWidth) / 2;
  });

  // close menus on Escape and on clicks elsewhere
  const closeMenus = (except) => all("details[data-menu][open]").forEach((menu) => { if (menu !== except) menu.open = false; });
  document.addEventListener("click", (event) => closeMenus(event.target instanceof Element && event.target.closest("details[data-menu]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target instanceof Element && event.target.closest("details[data-menu][open]");
    closeMenus();
    if (menu) menu.querySelector("summary").focus();
  });

  // show and hide a password
  all("[data-password-toggle]").forEach((button) => { button.hidden = false; });
  on("click", "[data-password-toggle]", (button) => {
    const field = document.getElementById(button.dataset.passwordToggle);
    const isVisible = field.type === "text";
    field.type = isVisible ? "password" : "text";
    button.setAttribute("aria-pressed", String(!isVisible));
    field.focus();
  });

  // copy to the clipboard
  if (!navigator.clipboard) all("[data-copy]").forEach((button) => { button.hidden = true; });
  on("click", "[data-copy]", async (button) => {
    try { await navigator.clipboard.writeText(button.dataset.copy); } catch { return; }
    const label = button.querySelector("[data-copy-label]") || button;
    button.dataset.label ||= label.textContent;
    label.textContent = button.dataset.copied || label.textContent;
    clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = setTimeout(() => { label.textContent = button.dataset.label; }, 2000);
  });

  // open the confirmation page of a link as a dialog; its form is submitted as usual
  const openDialog = (content) => {
    const dialog = document.createElement("dialog");
    dialog.className = "tc-dialog";
    content.className = "inner";
    content.querySelector("h1").id = "dialog-title";
    content.querySelector("[data-dialog-close]").autofocus = true;
    dialog.setAttribute("aria-labelledby", "dialog-title");
    dialog.append(content);
    dialog.addEventListener("click", (event) => {
      const isCloseButton = event.target instanceof Element && event.target.closest("[data-dialog-close]");
      if (isCloseButton) event.preventDefault();
      if (isCloseButton || event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  on("click", "a[data-dialog-link]", async (link, event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !window.HTMLDialogElement) return;
    event.preventDefault();
    if (link.dataset.loading) return;
    link.dataset.loading = "yes";
    try {
      const response = await fetch(link.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const content = response.ok && page.querySelector("[data-dialog-content]");
      if (content) openDialog(content);
      else location.assign(link.href);
    } catch {
      location.assign(link.href);
    } finally {
      delete link.dataset.loading;
    }
  });

  // submit wishlist buttons in the background and replace the button by the one in the response
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.dataset.wishlistForm) return;
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "yes";
    try {
      const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const updated = page.querySelector(`[data-wishlist-form="${form.dataset.wishlistForm}"]`);
      if (!response.ok || !updated) throw new Error("no button");
      form.replaceWith(updated);
      updated.querySelector("button").focus({ preventScroll: true });
    } catch {
      form.submit();  // a normal submit shows the error
    }
  });

  // submit each form only once
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (event.submitter && event.submitter.formTarget === "_blank") return;  // the page stays open
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => all("button:not([type=button])", form).forEach((button) => { button.setAttribute("aria-disabled", "true"); }));
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    all("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
  }));

  // show fields that belong to one choice: data-show-when="name=value"
  const showDependentFields = () => all("[data-show-when]").forEach((group) => {
    const [name, value] = group.dataset.showWhen.split("=");
    const scope = group.closest("form") || document;
    const input = all(`[name="${name}"]`, scope).find((field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : true));
    group.hidden = (!input || input.value !== value) && !group.querySelector(".is-invalid");
  });
  if (document.querySelector("[data-show-when]")) {
    document.addEventListener("change", showDependentFields);
    addEventListener("pageshow", showDependentFields);
    showDependentFields();
  }

  // preview a chosen picture
  on("change", "input[type=file]", (input) => {
    const picture = document.querySelector(`[data-preview-of="${input.id}"]`);
    const file = input.files && input.files[0];
    if (!picture) return;
    if (picture.src.startsWith("blob:")) URL.revokeObjectURL(picture.src);
    picture.hidden = !file || !/^image\//.test(file.type);
    if (!picture.hidden) picture.src = URL.createObjectURL(file);
  });

  // focus the error summary, so that screen readers read it first
  const focused = document.querySelector("[data-focus]");
  if (focused) focused.focus({ preventScroll: false });
})();
