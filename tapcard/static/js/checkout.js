// The checkout: only those ways of delivery that reach the country. The server checks the same.
(() => {
  const form = document.querySelector("[data-checkout]");
  if (!form) return;
  const country = () => {
    const saved = form.querySelector('[name="address"]:checked');
    const shown = saved && saved.closest("label").querySelector("[data-country]");
    return shown ? shown.dataset.country : (form.elements.country || {}).value || "";
  };
  const offer = () => {
    const ways = [...form.querySelectorAll("[data-countries]")];
    ways.forEach((way) => {
      const list = way.dataset.countries.split(" ").filter(Boolean);
      way.hidden = list.length > 0 && !list.includes(country());
    });
    const radios = ways.filter((way) => !way.hidden).map((way) => way.querySelector("input[type=radio]"));
    if (radios.length && !radios.some((radio) => radio.checked)) {
      radios[0].checked = true;
      radios[0].dispatchEvent(new Event("change", { bubbles: true }));
    }
  };
  form.addEventListener("change", (event) => {
    if (["address", "country"].includes(event.target.name)) offer();
  });
  addEventListener("pageshow", offer);
})();
