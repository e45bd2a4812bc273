// Sorts the links of a profile by dragging. Without it, buttons move them up and down.
(() => {
  const list = document.querySelector("[data-sortable]");
  if (!list) return;
  const form = document.getElementById(list.dataset.sortable);
  const status = document.querySelector("[data-sort-status]");
  const rows = () => [...list.children];
  const order = () => rows().map((row) => row.dataset.id).join(",");
  let moving = null;

  const save = async () => {
    if (order() === form.elements.order.value) return;
    form.elements.order.value = order();
    try {
      const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
      if (!response.ok) throw new Error(response.status);
      status.textContent = status.dataset.saved;
    } catch {
      form.submit();  // a normal submit shows the error
    }
    rows().forEach((row, position, all) => {
      const [up, down] = row.querySelectorAll(".tools button");
      up.disabled = position === 0;
      down.disabled = position === all.length - 1;
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
    if (!moving) return;  // move the other rows, because the element that captured the pointer must stay in the document
    for (let next; (next = moving.nextElementSibling) && event.clientY > middle(next);) moving.before(next);
    for (let previous; (previous = moving.previousElementSibling) && event.clientY < middle(previous);) moving.after(previous);
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
