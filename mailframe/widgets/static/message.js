// The message that is read. The kernel escapes what comes from mail; a line of the thread opens its message.

function render({ model, el }) {
  el.classList.add("mf-reads");
  const show = () => (el.innerHTML = model.get("html"));
  const clicked = (event) => {
    const line = event.target.closest("[data-open]");
    if (!line) return;
    model.set("wanted", Number(line.dataset.open));
    model.save_changes();
  };
  show();
  model.on("change:html", show);
  el.addEventListener("click", clicked);
  return () => {
    model.off("change:html", show);
    el.removeEventListener("click", clicked);
  };
}

export default { render };
