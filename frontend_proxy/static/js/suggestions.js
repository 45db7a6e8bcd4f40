// Products while typing: a combobox with a list (WAI-ARIA), which a plain search field stays without it.

const PAUSE = 150;

export function suggest(root) {
  const form = root.querySelector("form[data-suggest]");
  if (!form) return;
  const input = form.querySelector("input");
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels[0].textContent);
  list.hidden = true;
  form.append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  let waiting = 0;
  let asked = null;
  let active = -1;

  const close = () => {
    clearTimeout(waiting);
    asked?.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  function mark(place) {
    const items = [...list.children];
    active = (place + items.length) % items.length;
    items.forEach((item, number) => item.setAttribute("aria-selected", String(number === active)));
    input.setAttribute("aria-activedescendant", items[active].id);
  }

  async function ask() {
    const words = input.value.trim();
    if (!words) return close();
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.suggest}&q=${encodeURIComponent(words)}`, { signal: asked.signal });
      if (answer.ok) fill((await answer.json()).items);
      else close();
    } catch {
      // Overtaken by the next letter, or no connection: the field works without.
    }
  }

  function fill(items) {
    if (!items.length || document.activeElement !== input) return close();
    list.replaceChildren(...items.map((item, number) => {
      const row = document.createElement("li");
      row.id = `suggestion-${number}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", "false");
      row.dataset.slug = item.slug;
      const brand = document.createElement("small");
      brand.textContent = item.brand;
      row.append(item.name, " ", brand);
      return row;
    }));
    active = -1;
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  const open = (item) => { location.href = `/products/${item.dataset.slug}`; };

  input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, PAUSE); });
  input.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") { event.preventDefault(); mark(active + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(active < 0 ? -1 : active - 1); }
    else if (event.key === "Escape") { event.preventDefault(); close(); }
    else if (event.key === "Enter" && active >= 0) { event.preventDefault(); open(list.children[active]); }
  });
  // Before the field loses the focus, which closes the list.
  list.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li");
    if (item) { event.preventDefault(); open(item); }
  });
  input.addEventListener("blur", close);
}
