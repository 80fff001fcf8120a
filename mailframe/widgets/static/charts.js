// The chart widget: the panel, as anywidget renders it. With a cube the charts follow one another in the
// browser; without one, rows come from the kernel and gestures go to it.

async function render({ model, el }) {
  const cube = model.get("cube");
  if (cube.names) {
    const linked = new Linked(el, model.get("figures"), cube);
    await linked.draw();
    return () => linked.panel.remove();
  }
  const panel = new Panel(el, model.get("figures"), {
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
