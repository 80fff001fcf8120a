// Buttons that need the browser: the clipboard, and files that are saved from the kernel's answer.

function render({ model, el }) {
  el.classList.add("mf-actions");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const parts = [];

  const say = (...shown) => {
    said.replaceChildren(...shown);
    clearTimeout(say.timer);
    if (typeof shown[0] === "string") say.timer = setTimeout(() => said.replaceChildren(), 8000);
  };

  const button = (label, title, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.title = title;
    if (act) made.addEventListener("click", act);
    el.append(made);
    return made;
  };

  // The clipboard is closed to pages that are not served securely: then the line is there to be taken.
  const copy = async () => {
    const line = model.get("query");
    try {
      await navigator.clipboard.writeText(line);
      say("Copied");
    } catch {
      const box = document.createElement("input");
      box.type = "text";
      box.readOnly = true;
      box.className = "mf-copied";
      box.value = line;
      box.setAttribute("aria-label", "The line of pandas");
      say(box);
      box.select();
    }
  };

  const save = (name, type) => {
    const address = URL.createObjectURL(new Blob(parts.splice(0), { type }));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    say(`Saved ${name}`);
  };

  const wish = (kind) => () => {
    parts.length = 0;
    say("Preparing\u2026");
    model.send({ wish: kind });
  };
  const step = (kind) => () => model.send({ wish: kind });

  const undo = button("\u21b6", "Undo the last change of filters", step("undo"));
  const redo = button("\u21b7", "Do it again", step("redo"));
  undo.setAttribute("aria-label", undo.title);
  redo.setAttribute("aria-label", redo.title);
  button("Copy as pandas", "Copy the line of pandas that gives these messages, or those that are ticked", copy);
  button("CSV", "Save these messages as CSV, or those that are ticked", wish("csv"));
  button("Report", "Download a report on these messages, one HTML file", wish("report"));
  button("Keys", "What can be done with keys").dataset.keys = "";
  el.prepend(said);

  const steps = () => {
    undo.disabled = !model.get("undoable");
    redo.disabled = !model.get("redoable");
  };
  steps();
  model.on("change:undoable", steps);
  model.on("change:redoable", steps);
  model.on("msg:custom", (message, buffers) => {
    parts.push(...buffers);
    if (message.done) save(message.name, message.type);
    if (message.said) say(message.said);
  });
}

export default { render };
