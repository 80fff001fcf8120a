// The search line: what is typed goes to the kernel, which judges what is finished and offers what
// could stand at the caret. Arrows, Tab and Enter choose, Escape closes, "?" shows the language.

const node = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

let lines = 0;

function render({ model, el }) {
  const id = `mf-offers-${(lines += 1)}-${Math.random().toString(36).slice(2)}`;
  el.classList.add("mf-search");
  const input = node("input", {
    type: "text", role: "combobox", placeholder: model.get("placeholder"), "aria-label": "Search", "aria-expanded": "false",
    "aria-controls": id, "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", autocapitalize: "off",
  });
  const list = node("ul", { id, role: "listbox", "aria-label": "What could stand here", class: "mf-offers", hidden: "" });
  const ask = node("button", { type: "button", class: "mf-ask", "aria-expanded": "false", "aria-label": "The search language", title: "The search language" }, "?");
  const page = node("div", { class: "mf-language", hidden: "" });
  el.append(input, ask, list, page);
  input.value = model.get("value");

  let offers = null; // what the kernel offered last, and the place it is for
  let at = -1;
  let asked = 0;
  let summoned = false; // by an arrow key

  const open = (shown) => {
    list.hidden = !shown;
    input.setAttribute("aria-expanded", String(shown));
    if (!shown) at = -1;
    input.removeAttribute("aria-activedescendant");
  };

  const say = (done) => {
    asked += 1;
    model.send({ line: input.value, caret: input.selectionStart ?? input.value.length, done, id: asked });
  };

  const mark = () => {
    [...list.children].forEach((line, index) => line.setAttribute("aria-selected", String(index === at)));
    const line = list.children[at];
    if (line) input.setAttribute("aria-activedescendant", line.id);
    line?.scrollIntoView({ block: "nearest" });
  };

  const take = (index) => {
    const offer = offers.offers[index];
    const key = offer.text.endsWith(":");
    const behind = input.value.slice(offers.end);
    const gap = key || /^\s/.test(behind) ? "" : " ";
    const before = input.value.slice(0, offers.start) + offer.text + gap;
    input.value = before + behind;
    input.setSelectionRange(before.length, before.length);
    open(false);
    say(false);
  };

  const show = (before) => {
    const lines = offers.offers.map((offer, index) => {
      const line = node("li", { id: `${id}-${index}`, role: "option", "aria-selected": "false" },
        node("bdi", { class: "mf-what" }, offer.label), node("bdi", { class: "mf-note" }, offer.note),
        node("span", { class: "mf-count" }, offer.messages === null ? "" : offer.messages.toLocaleString("en")));
      line.addEventListener("pointerdown", (event) => { event.preventDefault(); take(index); });
      return line;
    });
    list.replaceChildren(...lines);
    // Who has moved to an offer already keeps it when the next answer has it as well.
    at = at < 0 ? -1 : offers.offers.findIndex((offer) => offer.text === before?.offers[at]?.text);
    mark();
    const typed = input.value.slice(offers.start, offers.end);
    const whole = lines.length === 1 && offers.offers[0].text === typed; // nothing is left to choose
    const begun = input.value.trim() !== "" || summoned; // an empty field says nothing by itself
    open(lines.length > 0 && !whole && begun && input.matches(":focus"));
  };

  const move = (step) => {
    summoned = true;
    if (list.hidden) { say(false); return; }
    const count = list.children.length;
    at = (at + step + count + (at < 0 && step < 0 ? 1 : 0)) % count;
    mark();
  };

  input.addEventListener("input", () => { summoned = false; say(false); });
  input.addEventListener("blur", () => { open(false); say(true); });
  input.addEventListener("keydown", (event) => {
    event.stopPropagation(); // a notebook has a command for nearly every letter
    const shown = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { move(event.key === "ArrowDown" ? 1 : -1); event.preventDefault(); }
    else if (event.key === "Tab" && shown && !event.shiftKey) { take(Math.max(at, 0)); event.preventDefault(); }
    else if (event.key === "Enter") { if (shown && at >= 0) take(at); else { open(false); say(true); } event.preventDefault(); }
    else if (event.key === "Escape" && shown) { open(false); event.preventDefault(); }
  });
  for (const kind of ["keypress", "keyup"]) input.addEventListener(kind, (event) => event.stopPropagation());

  const explain = (shown) => {
    if (shown && !page.firstChild) {
      const rows = model.get("language").map(([example, means]) => node("tr", {}, node("th", { scope: "row" }, node("code", {}, example)), node("td", {}, means)));
      page.append(node("table", {}, node("tbody", {}, ...rows)));
    }
    page.hidden = !shown;
    ask.setAttribute("aria-expanded", String(shown));
  };
  ask.addEventListener("click", () => explain(page.hidden));
  el.addEventListener("keydown", (event) => { if (event.key === "Escape" && !page.hidden) { explain(false); ask.focus(); event.stopPropagation(); } });

  const told = (message) => {
    if (message.follow !== undefined) input.value = message.follow; // what somebody else asked
    if (message.id !== asked || message.done) return; // an answer to what has been typed over
    const before = offers;
    offers = message;
    show(before);
  };
  model.on("msg:custom", told);
  return () => model.off("msg:custom", told);
}

export default { render };
