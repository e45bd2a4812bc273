// Shows only the delivery methods available in the chosen country. The server checks this again.
(() => {
  const form = document.querySelector("[data-checkout]");
  if (!form) return;
  const country = () => {
    const choice = form.querySelector('[name="address"]:checked');
    const savedAddress = choice && choice.closest("label").querySelector("[data-country]");
    return savedAddress ? savedAddress.dataset.country : (form.elements.country || {}).value || "";
  };
  const showAvailable = () => {
    const methods = [...form.querySelectorAll("[data-countries]")];
    methods.forEach((method) => {
      const countries = method.dataset.countries.split(" ").filter(Boolean);
      method.hidden = countries.length > 0 && !countries.includes(country());
    });
    const radios = methods.filter((method) => !method.hidden).map((method) => method.querySelector("input[type=radio]"));
    if (radios.length && !radios.some((radio) => radio.checked)) {
      radios[0].checked = true;
      radios[0].dispatchEvent(new Event("change", { bubbles: true }));
    }
  };
  form.addEventListener("change", (event) => {
    if (["address", "country"].includes(event.target.name)) showAvailable();
  });
  addEventListener("pageshow", showAvailable);
})();
