// A product's options follow each other, and what is chosen goes into the cart without leaving the page.
import { toast } from "./toasts.js";

export function enhanceProduct(root) {
  const form = root.querySelector("form[data-product]");
  if (!form) return;
  const variants = JSON.parse(form.dataset.product);
  const groups = [...form.querySelectorAll("[data-option]")];

  const chosen = () => groups.map((group) => group.querySelector("input:checked")?.value);
  const fits = (variant, values) => values.every((value, place) => variant.values[place] === value);

  // An option is limited by the options before it; the first never is, so that no choice is a dead end.
  function follow() {
    groups.forEach((group, place) => {
      const before = chosen().slice(0, place);
      for (const input of group.querySelectorAll("input")) {
        const leads = variants.filter((variant) => fits(variant, [...before, input.value]));
        const out = leads.every((variant) => variant.availability === "sold_out");
        input.disabled = leads.length === 0;
        input.closest(".choice").classList.toggle("out", out);
        input.parentElement.querySelector("[data-out]").hidden = !out;
      }
      const checked = group.querySelector("input:checked");
      if (!checked || checked.disabled) {
        const first = group.querySelector(".choice:not(.out) input:enabled") || group.querySelector("input:enabled");
        if (first) first.checked = true;
      }
    });
    show(variants.find((variant) => fits(variant, chosen())));
  }

  function show(variant) {
    const price = document.querySelector("[data-price-box] .price");
    const label = (name) => price.dataset[name];
    const part = (tag, text, hidden) => {
      const element = document.createElement(tag);
      const before = document.createElement("span");
      before.className = "visually-hidden";
      before.textContent = `${hidden} `;
      element.append(before, text);
      return element;
    };
    const parts = [part("strong", variant.price, label("price"))];
    if (variant.before) {
      const off = part("span", `${variant.off}%`, label("discount"));
      off.className = "off";
      parts.unshift(off);
      parts.push(part("s", variant.before, label("before")));
    }
    price.replaceChildren(...parts);
    const gone = variant.availability === "sold_out";
    const stock = form.querySelector("[data-stock]");
    stock.className = `stock ${variant.availability}`;
    stock.textContent = stock.dataset[variant.availability];
    const button = form.querySelector("[data-buy]");
    button.disabled = gone;
    button.textContent = gone ? form.dataset.gone : form.dataset.add;
  }

  form.addEventListener("change", (event) => { if (event.target.matches("[data-option] input")) follow(); });
  // A browser that comes back to the page has the choices of before.
  addEventListener("pageshow", () => { if (groups.length) follow(); });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = form.querySelector("[data-buy]");
    if (button.hasAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
      });
      const told = await answer.json();
      toast(told.said, { good: told.good, link: told.good ? { href: "/cart", text: told.link } : null });
      if (told.in_cart !== null) count(told.in_cart);
    } catch {
      form.submit();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

function count(number) {
  const badge = document.querySelector("[data-in-cart]");
  badge.textContent = number;
  badge.hidden = number === 0;
}
