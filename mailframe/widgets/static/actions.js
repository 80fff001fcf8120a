// Buttons that need the browser: the clipboard, and files that are saved from the kernel's answer.

function render({ model, el }) {
  el.classList.add("mf-actions");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const parts = [];

  const say = (text) => {
    said.textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => (said.textContent = ""), 4000);
  };

  const button = (label, title, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.title = title;
    made.addEventListener("click", act);
    el.append(made);
  };

  // The clipboard is closed to pages that are not served securely: then the line is selected instead.
  const copy = async () => {
    const line = model.get("query");
    try {
      await navigator.clipboard.writeText(line);
      say("Copied");
    } catch {
      window.prompt("The line of pandas:", line);
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
    say("Preparing…");
    model.send({ wish: kind });
  };

  button("Copy as pandas", "Copy the line of pandas that gives these messages", copy);
  button("CSV", "Download these messages as CSV", wish("csv"));
  button("Report", "Download a report on these messages, one HTML file", wish("report"));
  el.prepend(said);
  model.on("msg:custom", (message, buffers) => {
    parts.push(...buffers);
    if (message.done) save(message.name, message.type);
    if (message.failed) say(message.failed);
  });
}

export default { render };
