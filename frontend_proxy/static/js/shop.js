// Small things of the cart and of orders.

// A changed quantity is sent by itself; the button for it is for browsers without script.
export function sendQuantities(root) {
  for (const form of root.querySelectorAll("form[data-auto]")) {
    form.querySelector("[data-update]").hidden = true;
    form.addEventListener("change", () => { if (form.reportValidity()) form.requestSubmit(); });
  }
}

// An order that is about to change is looked at again, and shown anew when it did.
const EVERY = 1500;
const SLOWER = 1.15;
const SLOWEST = 15000;

export function followOrder(root) {
  const order = root.querySelector("[data-moving]");
  if (!order) return;
  let pause = EVERY;
  const look = async () => {
    // Nobody is moved away from what they are about to do.
    const busy = order.querySelector("details[open], dialog[open]") || document.hidden;
    if (!busy) {
      try {
        const answer = await fetch(order.dataset.moving, { headers: { Accept: "application/json" } });
        if (answer.status === 404) {
          // A link's order, seen from a session that is not its owner's: the page itself knows how to ask.
          setTimeout(() => location.reload(), SLOWEST / 3);
          return;
        }
        if (answer.ok && String((await answer.json()).version) !== order.dataset.version) {
          const address = new URL(location.href);
          address.searchParams.delete("done");
          location.replace(address);
          return;
        }
      } catch {
        // The connection is gone: the next look may have it again.
      }
    }
    pause = Math.min(pause * SLOWER, SLOWEST);
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}

// Filters are open beside the list, and closed above it.
export function openFilters(root) {
  const filters = root.querySelector("[data-open-wide]");
  if (filters && matchMedia("(min-width: 60rem)").matches) filters.open = true;
}

// A question that opens within the page becomes a dialog above it, which Escape and a click beside it close.
export function raiseDialogs(root) {
  for (const details of root.querySelectorAll("details.dialog")) {
    const summary = details.querySelector("summary");
    const body = details.querySelector(".dialog-body");
    const opener = document.createElement("button");
    opener.type = "button";
    opener.className = summary.className;
    opener.textContent = summary.textContent;
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", body.getAttribute("aria-labelledby"));
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button quiet";
    close.textContent = details.dataset.close;
    close.addEventListener("click", () => dialog.close());
    body.append(close);
    dialog.append(body);
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    opener.addEventListener("click", () => dialog.showModal());
    details.replaceWith(opener, dialog);
  }
}
