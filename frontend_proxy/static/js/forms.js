// A form that is on its way is not sent again by a second click, and says that it is working.
// (The server would make both one action: they carry one idempotency key.)

export function keepFormsSingle(root) {
  for (const form of root.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      const button = event.submitter;
      if (button && form.dataset.busy) {
        button.dataset.label = button.textContent;
        button.textContent = form.dataset.busy;
        button.setAttribute("aria-busy", "true");
      }
    });
  }
  // A page that comes back from the back/forward cache is ready to be sent again.
  addEventListener("pageshow", () => {
    for (const form of root.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      const button = form.querySelector("[aria-busy]");
      if (button) {
        button.textContent = button.dataset.label;
        button.removeAttribute("aria-busy");
      }
    }
  });
}
