// Light or dark, before the first paint: the visitor's own choice, else what the device prefers.
(() => {
  const root = document.documentElement;
  const media = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => (document.cookie.match(/(?:^|; )tc_theme=(light|dark)(?:;|$)/) || [])[1];
  const apply = () => { root.dataset.bsTheme = chosen() || (media.matches ? "dark" : "light"); };
  root.classList.add("has-js");
  apply();
  if (media.addEventListener) media.addEventListener("change", apply);
})();
