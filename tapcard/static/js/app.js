// Comforts. Every page works without them.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const on = (name, selector, act) => document.addEventListener(name, (event) => {
    const found = event.target instanceof Element && event.target.closest(selector);
    if (found) act(found, event);
  });

  // light and dark
  on("click", "[data-theme-switch]", () => {
    const root = document.documentElement;
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `tc_theme=${root.dataset.bsTheme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  });

  on("click", "[data-print]", () => print());

  // menus close on Escape and on a click elsewhere
  const closeMenus = (except) => all("details[data-menu][open]").forEach((menu) => { if (menu !== except) menu.open = false; });
  document.addEventListener("click", (event) => closeMenus(event.target instanceof Element && event.target.closest("details[data-menu]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target instanceof Element && event.target.closest("details[data-menu][open]");
    closeMenus();
    if (menu) menu.querySelector("summary").focus();
  });

  // show and hide a password
  all("[data-shows]").forEach((button) => { button.hidden = false; });
  on("click", "[data-shows]", (button) => {
    const field = document.getElementById(button.dataset.shows);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
    field.focus();
  });

  // copy
  if (!navigator.clipboard) all("[data-copy]").forEach((button) => { button.hidden = true; });
  on("click", "[data-copy]", async (button) => {
    try { await navigator.clipboard.writeText(button.dataset.copy); } catch { return; }
    const label = button.querySelector("[data-copy-label]") || button;
    button.dataset.label ||= label.textContent;
    label.textContent = button.dataset.copied || label.textContent;
    clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = setTimeout(() => { label.textContent = button.dataset.label; }, 2000);
  });

  // a question is asked where one is: the page that a link leads to, as a dialog; what it answers is a page as ever
  const ask = (question) => {
    const dialog = document.createElement("dialog");
    dialog.className = "tc-dialog";
    question.className = "inner";
    question.querySelector("h1").id = "question";
    question.querySelector("[data-back]").autofocus = true;
    dialog.setAttribute("aria-labelledby", "question");
    dialog.append(question);
    dialog.addEventListener("click", (event) => {
      const isBack = event.target instanceof Element && event.target.closest("[data-back]");
      if (isBack) event.preventDefault();
      if (isBack || event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  on("click", "a[data-asks]", async (link, event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !window.HTMLDialogElement) return;
    event.preventDefault();
    if (link.dataset.asking) return;
    link.dataset.asking = "yes";
    try {
      const response = await fetch(link.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const question = response.ok && page.querySelector("[data-question]");
      if (question) ask(question);
      else location.assign(link.href);
    } catch {
      location.assign(link.href);
    } finally {
      delete link.dataset.asking;
    }
  });

  // hearts change in place: the form is sent as it would be, and the heart of the answer takes its place
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.dataset.wish) return;
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "yes";
    try {
      const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
      const answer = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = answer.querySelector(`[data-wish="${form.dataset.wish}"]`);
      if (!response.ok || !fresh) throw new Error("no heart");
      form.replaceWith(fresh);
      fresh.querySelector("button").focus({ preventScroll: true });
    } catch {
      form.submit();  // the browser's own way, with its own words about what is wrong
    }
  });

  // one press sends a form once
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (event.submitter && event.submitter.formTarget === "_blank") return;  // the form stays here
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => all("button:not([type=button])", form).forEach((button) => { button.setAttribute("aria-disabled", "true"); }));
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    all("[aria-disabled]", form).forEach((button) => button.removeAttribute("aria-disabled"));
  }));

  // fields that belong to one choice: data-show-when="name=value"
  const showChosen = () => all("[data-show-when]").forEach((group) => {
    const [name, value] = group.dataset.showWhen.split("=");
    const scope = group.closest("form") || document;
    const input = all(`[name="${name}"]`, scope).find((each) => (each.type === "radio" || each.type === "checkbox" ? each.checked : true));
    group.hidden = (!input || input.value !== value) && !group.querySelector(".is-invalid");
  });
  if (document.querySelector("[data-show-when]")) {
    document.addEventListener("change", showChosen);
    addEventListener("pageshow", showChosen);
    showChosen();
  }

  // the picture that was just chosen
  on("change", "input[type=file]", (input) => {
    const picture = document.querySelector(`[data-preview-of="${input.id}"]`);
    const file = input.files && input.files[0];
    if (!picture) return;
    if (picture.src.startsWith("blob:")) URL.revokeObjectURL(picture.src);
    picture.hidden = !file || !/^image\//.test(file.type);
    if (!picture.hidden) picture.src = URL.createObjectURL(file);
  });

  // what went wrong is read first
  const first = document.querySelector("[data-focus]");
  if (first) first.focus({ preventScroll: false });
})();
