// Pictures of a product: dropped onto the form, made small enough on their way, and put in order by dragging.
// Without script the same forms take files, and arrows move pictures.

const SIZES = [[1600, 0.9], [1600, 0.7], [1200, 0.7], [800, 0.7]];
const TAKEN = ["image/jpeg", "image/png", "image/webp"];

// A picture that the shop takes, made of one that is too large or of a kind that only this browser knows; else the file
// as it is: the server says what is wrong with it.
async function fitting(file, largest) {
  if (TAKEN.includes(file.type) && file.size <= largest) return file;
  try {
    const picture = await createImageBitmap(file);
    const canvas = document.createElement("canvas");
    for (const [widest, quality] of SIZES) {
      const scale = Math.min(1, widest / Math.max(picture.width, picture.height));
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((done) => canvas.toBlob(done, "image/webp", quality));
      if (blob && blob.size <= largest) return new File([blob], file.name, { type: blob.type });
    }
  } catch {
    // Not a picture that this browser can read.
  }
  return file;
}

async function send(form, files) {
  const input = form.querySelector("input[type=file]");
  const fitted = new DataTransfer();
  // It may take a moment before anything is sent.
  const hint = form.querySelector(".drop-hint");
  if (hint) hint.textContent = form.dataset.busy;
  for (const file of files) fitted.items.add(await fitting(file, Number(form.dataset.largest)));
  input.files = fitted.files;
  form.dataset.fitted = "yes";
  form.requestSubmit();
}

export function takePictures(root) {
  for (const form of root.querySelectorAll("form[data-pictures]")) {
    // Before keepFormsSingle hears of it: the form is sent when its pictures are small enough.
    form.addEventListener("submit", (event) => {
      if (form.dataset.fitted) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      send(form, form.querySelector("input[type=file]").files);
    });
    if (!form.dataset.drop) continue;
    const hint = document.createElement("p");
    hint.className = "drop-hint";
    hint.setAttribute("role", "status");
    hint.textContent = form.dataset.drop;
    form.prepend(hint);
    const over = (is) => (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      form.classList.toggle("over", is);
    };
    form.addEventListener("dragover", over(true));
    form.addEventListener("dragleave", over(false));
    form.addEventListener("drop", (event) => {
      over(false)(event);
      if (event.dataTransfer.files.length) send(form, event.dataTransfer.files);
    });
  }
  for (const album of root.querySelectorAll("[data-album]")) {
    let dragged = null;
    for (const item of album.children) {
      const handle = item.querySelector(".album-picture");
      handle.draggable = true;
      handle.addEventListener("dragstart", (event) => { dragged = item; event.dataTransfer.effectAllowed = "move"; });
      handle.addEventListener("dragend", () => { dragged = null; });
      item.addEventListener("dragover", (event) => {
        if (!dragged || dragged === item) return;
        event.preventDefault();
        item.classList.add("over");
      });
      item.addEventListener("dragleave", () => item.classList.remove("over"));
      item.addEventListener("drop", (event) => {
        if (!dragged) return;
        event.preventDefault();
        dragged.querySelector("[data-to]").value = item.dataset.place;
        dragged.querySelector("form").requestSubmit(dragged.querySelector("[data-move]"));
      });
    }
  }
}
