// Says when the connection is gone, and keeps forms from being sent into nowhere meanwhile.

export function watchConnection(root) {
  const banner = root.querySelector("[data-offline]");
  const show = () => { banner.hidden = navigator.onLine; };
  addEventListener("online", show);
  addEventListener("offline", show);
  root.addEventListener("submit", (event) => {
    if (!navigator.onLine) {
      event.preventDefault();
      event.stopImmediatePropagation();
      show();
      banner.scrollIntoView({ block: "nearest" });
    }
  }, { capture: true });
  show();
}
