// The widget manager that a program lacks which shows one anywidget at a time. `model` carries the messages of
// all widgets within; each gets a model of its own here, and a view: ours are anywidgets, the rest is drawn here.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

class Model {
  constructor(name, state, manager) {
    this.name = name;
    this.state = state;
    this.widget_manager = manager;
    this.listeners = new Map();
    this.changed = new Set();
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    if (typeof name === "object") return Object.entries(name).forEach(([each, to]) => this.set(each, to));
    if (JSON.stringify(this.state[name]) === JSON.stringify(value)) return;
    this.state[name] = value;
    this.changed.add(name);
    this.emit(`change:${name}`, value);
    this.emit("change");
  }

  save_changes() {
    const state = Object.fromEntries([...this.changed].map((name) => [name, this.state[name]]));
    this.changed.clear();
    if (Object.keys(state).length) this.widget_manager.tell(this.name, { method: "update", state, buffer_paths: [] });
  }

  send(content) {
    this.widget_manager.tell(this.name, { method: "custom", content });
  }

  on(names, listener) {
    for (const name of names.split(" ")) this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  off(names, listener) {
    if (!names) return this.listeners.clear();
    for (const name of names.split(" ")) {
      const left = (this.listeners.get(name) ?? []).filter((each) => listener && each !== listener);
      this.listeners.set(name, left);
    }
  }

  emit(name, ...values) {
    for (const listener of this.listeners.get(name) ?? []) listener(...values);
  }

  // What the kernel says.
  hear(data, buffers) {
    if (data.method === "custom") return this.emit("msg:custom", data.content, buffers);
    if (data.method === "echo_update") return; // what was said here, a while ago
    const news = Object.entries(data.state ?? {}).filter(([name, value]) => JSON.stringify(this.state[name]) !== JSON.stringify(value));
    for (const [name, value] of news) this.state[name] = value;
    for (const [name, value] of news) this.emit(`change:${name}`, value);
    if (news.length) this.emit("change");
  }
}

class Manager {
  constructor(carrier, root) {
    this.carrier = carrier;
    this.root = root;
    this.models = new Map();
    this.modules = new Map();
    this.styled = new Set();
    this.leaves = []; // what views want called when they are no longer seen
  }

  add(states) {
    for (const [name, state] of Object.entries(states)) {
      if (!this.models.has(name)) this.models.set(name, new Model(name, state, this));
    }
  }

  async get_model(name) {
    return this.find(name);
  }

  find(reference) {
    return this.models.get(String(reference).replace("IPY_MODEL_", ""));
  }

  tell(name, data) {
    this.carrier.send({ id: name, data });
  }

  async module(text) {
    if (!this.modules.has(text)) {
      const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      this.modules.set(text, import(address).finally(() => URL.revokeObjectURL(address)));
    }
    const found = (await this.modules.get(text)).default;
    return typeof found === "function" ? found() : found;
  }

  // Styles go into the tree that the widgets stand in, which may be a shadow; a tooltip stands outside of it.
  style(text) {
    if (!text || this.styled.has(text)) return;
    this.styled.add(text);
    this.root.append(element("style", {}, text));
    if (!text.includes("#vg-tooltip-element") || document.getElementById("mf-outside")) return;
    document.head.append(element("style", { id: "mf-outside" }, text));
  }
}

// -- views: each gives its element, and follows its model ----------------------------------------

function follow(model, names, act) {
  act();
  for (const name of names) model.on(`change:${name}`, act);
}

function labelled(model, kind, ...controls) {
  const label = element("label", { class: "widget-label" }, model.get("description") ?? "");
  const [control] = controls;
  control.setAttribute("aria-label", model.get("description") || model.get("placeholder") || "");
  follow(model, ["disabled"], () => (control.disabled = Boolean(model.get("disabled"))));
  return element("div", { class: `jupyter-widgets widget-inline-hbox ${kind}` }, ...(model.get("description") ? [label] : []), ...controls);
}

function say(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

const day = (value) =>
  value ? [String(value.year).padStart(4, "0"), String(value.month + 1).padStart(2, "0"), String(value.date).padStart(2, "0")].join("-") : "";

const VIEWS = {
  VBoxModel: (model, manager) => box(model, manager, "widget-vbox"),
  HBoxModel: (model, manager) => box(model, manager, "widget-hbox"),
  BoxModel: (model, manager) => box(model, manager, ""),
  HTMLModel(model) {
    const content = element("div", { class: "widget-html-content" });
    follow(model, ["value"], () => (content.innerHTML = model.get("value")));
    return element("div", { class: "jupyter-widgets widget-inline-hbox widget-html" }, content);
  },
  ButtonModel(model) {
    const button = element("button", { type: "button", class: "jupyter-widgets jupyter-button widget-button" });
    follow(model, ["description", "tooltip", "disabled"], () => {
      button.textContent = model.get("description");
      button.title = model.get("tooltip") ?? "";
      button.disabled = model.get("disabled");
    });
    button.addEventListener("click", () => model.send({ event: "click" }));
    return button;
  },
  ToggleButtonModel(model) {
    const button = element("button", { type: "button", class: "jupyter-widgets jupyter-button widget-toggle-button" });
    follow(model, ["description", "tooltip", "disabled", "value"], () => {
      button.textContent = model.get("description");
      button.title = model.get("tooltip") ?? "";
      button.disabled = model.get("disabled");
      button.classList.toggle("mod-active", model.get("value"));
      button.setAttribute("aria-pressed", model.get("value"));
    });
    button.addEventListener("click", () => say(model, "value", !model.get("value")));
    return button;
  },
  TextModel: (model) => field(model, "text", "widget-text"),
  PasswordModel(model) {
    const whole = field(model, "password", "widget-text widget-password");
    const input = whole.querySelector("input");
    // It is the kernel's now, and stays nowhere else.
    input.addEventListener("change", () => (input.value = model.state.value = ""));
    return whole;
  },
  ComboboxModel(model) {
    const list = element("datalist", { id: `mf-list-${model.name}` });
    follow(model, ["options"], () => list.replaceChildren(...model.get("options").map((value) => element("option", { value }))));
    const whole = field(model, "text", "widget-combobox");
    whole.querySelector("input").setAttribute("list", list.id);
    whole.append(list);
    return whole;
  },
  DropdownModel(model) {
    const select = element("select");
    follow(model, ["_options_labels", "index"], () => {
      select.replaceChildren(...model.get("_options_labels").map((label) => element("option", {}, label)));
      select.selectedIndex = model.get("index") ?? -1;
    });
    select.addEventListener("change", () => say(model, "index", select.selectedIndex));
    return labelled(model, "widget-dropdown", select);
  },
  DatePickerModel(model) {
    const input = element("input", { type: "date" });
    follow(model, ["value"], () => (input.value = day(model.get("value"))));
    input.addEventListener("change", () => {
      const [year, month, date] = input.value.split("-").map(Number);
      say(model, "value", input.value ? { year, month: month - 1, date } : null);
    });
    return labelled(model, "widget-datepicker", input);
  },
  IntRangeSliderModel(model) {
    const [low, high] = ["from", "to"].map((end) => element("input", { type: "range", "aria-label": end }));
    const fill = element("span", { class: "mf-fill" });
    const paint = () => {
      const [least, most] = [model.get("min"), model.get("max")];
      const share = (value) => `${(100 * (value - least)) / Math.max(most - least, 1)}%`;
      fill.style.left = share(+low.value);
      fill.style.width = `calc(${share(+high.value)} - ${share(+low.value)})`;
    };
    follow(model, ["min", "max", "value"], () => {
      for (const [at, input] of [low, high].entries()) {
        input.min = model.get("min");
        input.max = model.get("max");
        input.value = model.get("value")[at];
      }
      paint();
    });
    const moved = (input, other) => () => {
      const wrong = input === low ? +low.value > +high.value : +high.value < +low.value;
      if (wrong) input.value = other.value;
      paint();
    };
    low.addEventListener("input", moved(low, high));
    high.addEventListener("input", moved(high, low));
    const chosen = () => say(model, "value", [+low.value, +high.value]);
    const when = model.get("continuous_update") ? "input" : "change";
    for (const input of [low, high]) input.addEventListener(when, chosen);
    const both = element("div", { class: "mf-two" }, element("span", { class: "mf-track" }), fill, low, high);
    return element("div", { class: "jupyter-widgets widget-slider" }, both);
  },
  IntProgressModel(model) {
    const bar = element("div", { class: "progress-bar" });
    follow(model, ["value", "min", "max"], () => {
      const share = (model.get("value") - model.get("min")) / Math.max(model.get("max") - model.get("min"), 1);
      bar.style.width = `${100 * share}%`;
      bar.style.height = "100%";
    });
    return element("div", { class: "jupyter-widgets widget-inline-hbox widget-hprogress" }, element("div", { class: "progress", style: "flex: 1" }, bar));
  },
};

function field(model, type, kind) {
  const input = element("input", { type, placeholder: model.get("placeholder") ?? "" });
  follow(model, ["value"], () => input.value !== model.get("value") && (input.value = model.get("value")));
  follow(model, ["placeholder"], () => (input.placeholder = model.get("placeholder") ?? ""));
  input.addEventListener(model.get("continuous_update") ? "input" : "change", () => say(model, "value", input.value));
  input.addEventListener("keydown", (event) => event.key === "Enter" && model.send({ event: "submit" }));
  return labelled(model, kind, input);
}

function box(model, manager, kind) {
  const whole = element("div", { class: `jupyter-widgets widget-container widget-box ${kind}` });
  const shown = new Map();
  follow(model, ["children"], () => {
    const names = model.get("children") ?? [];
    for (const [name, view] of shown) {
      if (names.includes(name)) continue;
      view.remove();
      shown.delete(name);
    }
    for (const name of names) if (!shown.has(name)) shown.set(name, view(manager.find(name), manager));
    const wanted = names.map((name) => shown.get(name));
    // What stands where it should is left alone: it may have the focus.
    wanted.forEach((each, at) => whole.children[at] !== each && whole.insertBefore(each, whole.children[at] ?? null));
  });
  return whole;
}

const LAID_OUT = ["display", "width", "height", "visibility", "flex"];

function view(model, manager) {
  if (!model) return element("span", { hidden: "" });
  const shown = VIEWS[model.get("_model_name")]?.(model, manager) ?? foreign(model, manager);
  let before = [];
  follow(model, ["_dom_classes"], () => {
    const classes = model.get("_dom_classes") ?? [];
    shown.classList.remove(...before);
    shown.classList.add(...classes);
    before = classes;
  });
  const layout = manager.find(model.get("layout"));
  if (layout) follow(layout, LAID_OUT, () => LAID_OUT.forEach((name) => (shown.style[name] = layout.get(name) ?? "")));
  return shown;
}

// An anywidget: its own module draws it.
function foreign(model, manager) {
  const el = element("div", { class: "jupyter-widgets" });
  manager.style(model.get("_css"));
  if (model.get("_esm")) {
    (async () => {
      const module = await manager.module(model.get("_esm"));
      await module.initialize?.({ model });
      const leave = await module.render?.({ model, el });
      if (typeof leave === "function") manager.leaves.push(leave);
    })();
  }
  return el;
}

const STYLE = `
.mf-stage { color-scheme: light; }
.mf-stage[data-jp-theme-light="false"] { color-scheme: dark; --jp-ui-font-color1: #e6e8eb; --jp-ui-font-color2: #aab2bb; --jp-border-color2: #39414a; --jp-layout-color1: #16191d; --jp-layout-color2: #20252b; --jp-input-background: #16191d; }
:where(.mf-stage .widget-vbox) { display: flex; flex-direction: column; }
:where(.mf-stage .widget-hbox, .mf-stage .widget-inline-hbox) { display: flex; flex-direction: row; align-items: baseline; }
:where(.mf-stage .widget-hbox) { align-items: stretch; }
:where(.mf-stage .widget-inline-hbox > input, .mf-stage .widget-inline-hbox > select) { flex: 1 1 auto; min-width: 0; }
:where(.mf-stage .widget-html-content) { flex: 1 1 auto; min-width: 0; }
:where(.mf-stage .jupyter-button) { font: inherit; cursor: pointer; }
:where(.mf-stage .mf-two) { position: relative; height: 20px; margin: 4px 0; }
:where(.mf-stage .mf-track, .mf-stage .mf-fill) { position: absolute; top: 8px; height: 4px; border-radius: 2px; }
:where(.mf-stage .mf-track) { left: 0; right: 0; background: var(--mf-line); }
:where(.mf-stage .mf-fill) { background: var(--mf-accent); }
:where(.mf-stage .mf-two input) { position: absolute; inset: 0; width: 100%; margin: 0; appearance: none; background: none; pointer-events: none; }
.mf-stage .mf-two input::-webkit-slider-thumb { appearance: none; width: 16px; height: 16px; border: 1px solid var(--mf-accent); border-radius: 8px; background: var(--mf-paper); pointer-events: auto; cursor: pointer; }
.mf-stage .mf-two input::-moz-range-thumb { width: 14px; height: 14px; border: 1px solid var(--mf-accent); border-radius: 8px; background: var(--mf-paper); pointer-events: auto; cursor: pointer; }
`;

// Whether the page around is dark, as its own background says, in whatever way that is written.
function isDark(el) {
  const canvas = element("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  for (let each = el; each; each = each.parentElement ?? each.getRootNode().host) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = getComputedStyle(each).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    if (alpha > 127) return red + green + blue < 384;
  }
  return false;
}

function render({ model, el }) {
  const root = element("div", { class: "mf-stage" });
  el.append(root);
  const manager = new Manager(model, root);
  manager.style(STYLE);
  manager.add(model.get("models"));
  const heard = (message, buffers) => {
    manager.add(message.models ?? {});
    if (message.data) manager.models.get(message.id)?.hear(message.data, buffers);
  };
  model.on("msg:custom", heard);
  model.send({ known: [...manager.models.keys()] });
  root.append(view(manager.find(model.get("root")), manager));
  const theme = () => root.isConnected && root.setAttribute("data-jp-theme-light", String(!isDark(el)));
  const frame = requestAnimationFrame(theme);
  const watch = new MutationObserver(theme);
  for (const each of [document.documentElement, document.body]) watch.observe(each, { attributes: true });
  return () => {
    cancelAnimationFrame(frame);
    watch.disconnect();
    manager.leaves.forEach((leave) => leave());
    model.off("msg:custom", heard);
  };
}

export default { render };
