// The chart widget: the panel, as anywidget renders it. With a cube the charts follow one another in the
// browser; without one, rows come from the kernel and gestures go to it.

// A page needs one Vega, whichever widget asks first; the global name that its script sets is put back.
const SHARED = Symbol.for("mailframe.vega");

function vega(model) {
  globalThis[SHARED] ??= load(model).catch((error) => {
    delete globalThis[SHARED];
    throw error;
  });
  return globalThis[SHARED];
}

async function load(model) {
  const carrier = await model.widget_manager.get_model(model.get("vega").replace("IPY_MODEL_", ""));
  const address = URL.createObjectURL(new Blob([carrier.get("text")], { type: "text/javascript" }));
  const before = window.vegaEmbed;
  try {
    await import(address);
    return window.vegaEmbed;
  } finally {
    window.vegaEmbed = before;
    URL.revokeObjectURL(address);
  }
}

async function render({ model, el }) {
  const embed = await vega(model);
  const cube = model.get("cube");
  if (cube.names) {
    const linked = new Linked(el, model.get("figures"), cube, embed);
    await linked.draw();
    return () => linked.panel.remove();
  }
  const pick = (name, value) => {
    model.set("gesture", { chart: name, value, serial: Date.now() });
    model.save_changes();
  };
  const choose = Object.keys(model.get("choices")).length ? chooser(model) : null;
  let panel;
  const show = () => panel.show(model.get("rows"));
  const build = () => {
    panel?.remove();
    panel = new Panel(el, model.get("figures"), { embed, tables: true, pick });
    if (choose) el.append(choose.element);
    show();
    return panel.draw();
  };
  model.on("change:rows", show);
  model.on("change:figures", build);
  await build();
  return () => {
    model.off("change:rows", show);
    model.off("change:figures", build);
    choose?.remove();
    panel.remove();
  };
}

const MOST = 4; // charts at once, as the kernel counts

// Which charts there are to be: a tick more than fit takes the place of the oldest.
function chooser(model) {
  const boxes = Object.entries(model.get("choices")).map(([name, title]) => {
    const box = node("input", { type: "checkbox", value: name });
    box.addEventListener("change", () => {
      const others = model.get("chosen").filter((each) => each !== name);
      model.set("chosen", (box.checked ? [...others, name] : others).slice(-MOST));
      model.save_changes();
    });
    return [box, node("label", {}, box, title)];
  });
  const follow = () => boxes.forEach(([box]) => (box.checked = model.get("chosen").includes(box.value)));
  follow();
  model.on("change:chosen", follow);
  const element = node("details", { class: "mf-choose" }, node("summary", {}, "Choose charts"), ...boxes.map(([, label]) => label));
  return { element, remove: () => model.off("change:chosen", follow) };
}

export default { render };
