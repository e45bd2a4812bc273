// The form of a profile: which part of a photo shows, and the page as it will look. Without it the middle shows, and a
// button opens the preview.
(() => {
  const form = document.querySelector("[data-profile-form]");
  if (!form) return;
  const live = document.querySelector("[data-live-preview]");
  const wide = matchMedia("(min-width: 992px)");
  const drawn = {};  // pictures chosen here and not sent yet, as addresses of our own

  // --- the part of a photo: a square of the picture, moved by dragging or arrow keys, sized by a slider ----------------

  const panel = form.querySelector("[data-crop]");
  const canvas = panel.querySelector("canvas");
  const zoom = panel.querySelector("input");
  const pen = canvas.getContext("2d");
  const picture = new Image();
  const part = { x: 0, y: 0, side: 0 };  // in pixels of the picture, as it stands upright
  const shorter = () => Math.min(picture.naturalWidth, picture.naturalHeight);
  const write = (name, value) => { form.elements[name].value = value; };

  const choose = (x, y, side) => {
    part.side = side;
    part.x = Math.min(Math.max(x, 0), picture.naturalWidth - side);
    part.y = Math.min(Math.max(y, 0), picture.naturalHeight - side);
    write("crop_x", (part.x / picture.naturalWidth).toFixed(5));
    write("crop_y", (part.y / picture.naturalHeight).toFixed(5));
    write("crop_size", (part.side / shorter()).toFixed(5));
    const all = canvas.width;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, all, all);
    pen.drawImage(picture, part.x, part.y, part.side, part.side, 0, 0, all, all);
    drawn.photo = canvas.toDataURL("image/jpeg", 0.85);
    pen.beginPath();
    pen.rect(0, 0, all, all);
    pen.arc(all / 2, all / 2, all / 2 - 2, 0, 2 * Math.PI, true);
    pen.fillStyle = "rgb(10 20 40 / .5)";
    pen.fill();
    show("photo", drawn.photo);
  };
  const forget = () => {
    panel.hidden = true;
    delete drawn.photo;
    for (const name of ["crop_x", "crop_y", "crop_size"]) write(name, "");
  };

  picture.addEventListener("load", () => {
    panel.hidden = false;
    zoom.value = 0;
    const side = shorter();
    choose((picture.naturalWidth - side) / 2, (picture.naturalHeight - side) / 2, side);
  });
  picture.addEventListener("error", forget);  // the server says what is wrong with it

  zoom.addEventListener("input", () => {
    const side = Math.max(shorter() / (1 + 3 * zoom.value / 100), 1);
    const change = (part.side - side) / 2;
    choose(part.x + change, part.y + change, side);
  });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const step = part.side / 20;
    choose(part.x + way[0] * step, part.y + way[1] * step, part.side);
  });
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held = { x: event.clientX, y: event.clientY, from: { ...part } };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const scale = part.side / canvas.clientWidth;
    choose(held.from.x - (event.clientX - held.x) * scale, held.from.y - (event.clientY - held.y) * scale, part.side);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { held = null; });

  form.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type !== "file") return;
    const file = field.files[0];
    const address = file && /^image\//.test(file.type) ? URL.createObjectURL(file) : null;
    if (field.name === "photo") {
      forget();
      if (address) picture.src = address;
    } else {
      delete drawn.banner;
      if (address) drawn.banner = address;
    }
    const gone = form.elements[`remove_${field.name}`];
    if (address && gone) gone.checked = false;
  });

  // --- the page as it will look --------------------------------------------------------------------------------------

  const page = live.querySelector("[data-live-page]");
  let asked = 0;
  let timer;

  function show(key, address) {
    const place = page.querySelector(key === "photo" ? ".tc-profile > .photo" : ".tc-profile > .banner");
    if (!place || !address) return;
    let img = place.querySelector("img");
    if (!img) {
      img = document.createElement("img");
      img.alt = "";
      place.replaceChildren(img);
    }
    img.src = address;
  }

  const refresh = async () => {
    if (!wide.matches) return;
    const data = new FormData(form);
    for (const name of ["photo", "banner"]) data.delete(name);  // shown from here, sent when it is saved
    const number = ++asked;
    try {
      const answer = await fetch(live.dataset.livePreview, { method: "POST", body: data, redirect: "error" });
      if (!answer.ok || number !== asked) return;
      page.innerHTML = await answer.text();
    } catch { return; }  // offline, or signed out meanwhile: saving says so
    show("photo", drawn.photo);
    show("banner", drawn.banner);
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, 350); };
  form.addEventListener("input", (event) => { if (!panel.contains(event.target)) soon(); });
  form.addEventListener("change", (event) => { if (!panel.contains(event.target)) soon(); });
  wide.addEventListener("change", refresh);
  refresh();
})();
