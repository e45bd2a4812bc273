// Form of a profile: crops the photo and previews the page. Without it, the centre of the photo is used, and a button
// opens the preview.
(() => {
  const form = document.querySelector("[data-profile-form]");
  if (!form) return;
  const livePreview = document.querySelector("[data-live-preview]");
  const wide = matchMedia("(min-width: 992px)");
  const previews = {};  // data and object URLs of chosen pictures that are not uploaded yet

  // --- crop: a square of the photo, moved by dragging or arrow keys, resized by a slider -------------------------------

  const panel = form.querySelector("[data-crop]");
  const canvas = panel.querySelector("canvas");
  const zoom = panel.querySelector("input");
  const context = canvas.getContext("2d");
  const picture = new Image();
  const crop = { x: 0, y: 0, side: 0 };  // in pixels of the upright picture
  const shorterSide = () => Math.min(picture.naturalWidth, picture.naturalHeight);
  const write = (name, value) => { form.elements[name].value = value; };

  const setCrop = (x, y, side) => {
    crop.side = side;
    crop.x = Math.min(Math.max(x, 0), picture.naturalWidth - side);
    crop.y = Math.min(Math.max(y, 0), picture.naturalHeight - side);
    write("crop_x", (crop.x / picture.naturalWidth).toFixed(5));
    write("crop_y", (crop.y / picture.naturalHeight).toFixed(5));
    write("crop_size", (crop.side / shorterSide()).toFixed(5));
    const size = canvas.width;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, size, size);
    context.drawImage(picture, crop.x, crop.y, crop.side, crop.side, 0, 0, size, size);
    previews.photo = canvas.toDataURL("image/jpeg", 0.85);
    context.beginPath();
    context.rect(0, 0, size, size);
    context.arc(size / 2, size / 2, size / 2 - 2, 0, 2 * Math.PI, true);
    context.fillStyle = "rgb(10 20 40 / .5)";
    context.fill();
    show("photo", previews.photo);
  };
  const reset = () => {
    panel.hidden = true;
    delete previews.photo;
    for (const name of ["crop_x", "crop_y", "crop_size"]) write(name, "");
  };

  picture.addEventListener("load", () => {
    panel.hidden = false;
    zoom.value = 0;
    const side = shorterSide();
    setCrop((picture.naturalWidth - side) / 2, (picture.naturalHeight - side) / 2, side);
  });
  picture.addEventListener("error", reset);  // the server reports the error

  zoom.addEventListener("input", () => {
    const side = Math.max(shorterSide() / (1 + 3 * zoom.value / 100), 1);
    const offset = (crop.side - side) / 2;
    setCrop(crop.x + offset, crop.y + offset, side);
  });
  canvas.addEventListener("keydown", (event) => {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = crop.side / 20;
    setCrop(crop.x + direction[0] * step, crop.y + direction[1] * step, crop.side);
  });
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.clientX, y: event.clientY, from: { ...crop } };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const scale = crop.side / canvas.clientWidth;
    setCrop(drag.from.x - (event.clientX - drag.x) * scale, drag.from.y - (event.clientY - drag.y) * scale, crop.side);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { drag = null; });

  form.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type !== "file") return;
    const file = field.files[0];
    const url = file && /^image\//.test(file.type) ? URL.createObjectURL(file) : null;
    if (field.name === "photo") {
      reset();
      if (url) picture.src = url;
    } else {
      delete previews.banner;
      if (url) previews.banner = url;
    }
    const removal = form.elements[`remove_${field.name}`];
    if (url && removal) removal.checked = false;
  });

  // --- live preview --------------------------------------------------------------------------------------------------

  const page = livePreview.querySelector("[data-live-page]");
  let requestCount = 0;
  let timer;

  function show(key, url) {
    const frame = page.querySelector(key === "photo" ? ".tc-profile > .photo" : ".tc-profile > .banner");
    if (!frame || !url) return;
    let img = frame.querySelector("img");
    if (!img) {
      img = document.createElement("img");
      img.alt = "";
      frame.replaceChildren(img);
    }
    img.src = url;
  }

  const refresh = async () => {
    if (!wide.matches) return;
    const data = new FormData(form);
    for (const name of ["photo", "banner"]) data.delete(name);  // previewed locally, uploaded on save
    const number = ++requestCount;
    try {
      const response = await fetch(livePreview.dataset.livePreview, { method: "POST", body: data, redirect: "error" });
      if (!response.ok || number !== requestCount) return;
      page.innerHTML = await response.text();
    } catch { return; }  // offline or logged out: saving shows the error
    show("photo", previews.photo);
    show("banner", previews.banner);
  };
  const scheduleRefresh = () => { clearTimeout(timer); timer = setTimeout(refresh, 350); };
  form.addEventListener("input", (event) => { if (!panel.contains(event.target)) scheduleRefresh(); });
  form.addEventListener("change", (event) => { if (!panel.contains(event.target)) scheduleRefresh(); });
  wide.addEventListener("change", refresh);
  refresh();
})();
