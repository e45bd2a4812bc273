// Applies the visitor's theme, or else the device's, before the first paint.
(() => {
  const root = document.documentElement;
  const media = matchMedia("(prefers-color-scheme: dark)");
  const savedTheme = () => (document.cookie.match(/(?:^|; )tc_theme=(light|dark)(?:;|$)/) || [])[1];
  const apply = () => { root.dataset.bsTheme = savedTheme() || (media.matches ? "dark" : "light"); };
  root.classList.add("has-js");
  apply();
  if (media.addEventListener) media.addEventListener("change", apply);
})();
