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
  const panel = new Panel(el, model.get("figures"), {
    embed,
    tables: true,
    pick: (name, value) => {
      model.set("gesture", { chart: name, value, serial: Date.now() });
      model.save_changes();
    },
  });
  const show = () => panel.show(model.get("rows"));
  show();
  model.on("change:rows", show);
  await panel.draw();
  return () => {
    model.off("change:rows", show);
    panel.remove();
  };
}

export default { render };
