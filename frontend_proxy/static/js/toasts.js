// Says what just happened, in the page's live region, and takes it away again.

const SHOWN_FOR = 6000;

export function toast(said, { good = true, link = null } = {}) {
  const region = document.querySelector("[data-toasts]");
  const box = document.createElement("div");
  box.className = good ? "toast" : "toast bad";
  const text = document.createElement("span");
  text.textContent = said;
  box.append(text);
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.text;
    box.append(anchor);
  }
  region.replaceChildren(box);
  // Who reads it or is on its link keeps it.
  const leave = () => { if (box.matches(":hover, :focus-within")) setTimeout(leave, 1000); else box.remove(); };
  setTimeout(leave, SHOWN_FOR);
}
