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
    const busy = order.querySelector("details[open]") || document.hidden;
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

// A question opens as a dialog above the page, and closes by Escape and by a click beside it.
export function raiseDialogs(root) {
  for (const details of root.querySelectorAll("details.dialog")) {
    const summary = details.querySelector("summary");
    details.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && details.open) { details.open = false; summary.focus(); }
    });
    document.addEventListener("click", (event) => { if (!details.contains(event.target)) details.open = false; });
  }
}
