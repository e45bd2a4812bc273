// Links of a profile are dragged into an order; the buttons do the same without this.
(() => {
  const list = document.querySelector("[data-arrange]");
  if (!list) return;
  const form = document.getElementById(list.dataset.arrange);
  const told = document.querySelector("[data-order-told]");
  const rows = () => [...list.children];
  const order = () => rows().map((row) => row.dataset.id).join(",");
  let moving = null;

  const save = async () => {
    if (order() === form.elements.order.value) return;
    form.elements.order.value = order();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
      if (!answer.ok) throw new Error(answer.status);
      told.textContent = told.dataset.told;
    } catch {
      form.submit();  // the page says what is wrong, or shows the order as it is
    }
    rows().forEach((row, place, all) => {
      const [up, down] = row.querySelectorAll(".tools button");
      up.disabled = place === 0;
      down.disabled = place === all.length - 1;
    });
  };

  list.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(".grip");
    if (!grip || event.button) return;
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    moving = grip.closest("li");
    moving.classList.add("moving");
  });
  const middle = (row) => { const box = row.getBoundingClientRect(); return box.top + box.height / 2; };
  document.addEventListener("pointermove", (event) => {
    if (!moving) return;  // the others make way: whoever holds the pointer stays in the page
    for (let next; (next = moving.nextElementSibling) && event.clientY > middle(next);) moving.before(next);
    for (let last; (last = moving.previousElementSibling) && event.clientY < middle(last);) moving.after(last);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => {
      if (!moving) return;
      moving.classList.remove("moving");
      moving = null;
      save();
    });
  }
})();
