// A button beside each password that shows what was typed.

export function offerToReveal(root) {
  for (const input of root.querySelectorAll("input[data-reveal]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "reveal";
    button.textContent = input.dataset.reveal;
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", () => {
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.textContent = shown ? input.dataset.reveal : input.dataset.conceal;
    });
    // What is shown must not stay in the field's memory as plain text.
    input.form?.addEventListener("submit", () => { input.type = "password"; });
    const frame = document.createElement("span");
    frame.className = "with-button";
    input.replaceWith(frame);
    frame.append(input, button);
  }
}
