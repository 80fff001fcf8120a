// Charts side by side. The same module serves the explorer (rows come from the kernel, gestures go there),
// the dashboard and the report (both stay in the browser: see cube.js). It expects `window.vegaEmbed`.
//
// Text from mail reaches the page as text nodes or through Vega's SVG text and its escaping tooltip only.

const STYLES = {
  accent: "--mf-accent", ink: "--mf-ink", dim: "--mf-dim", line: "--mf-line", pale: "--mf-pale", paper: "--mf-paper",
};

function colours(element) {
  const style = getComputedStyle(element);
  const value = (name) => style.getPropertyValue(name).trim();
  const found = Object.fromEntries(Object.entries(STYLES).map(([key, name]) => [key, value(name)]));
  return { ...found, font: style.fontFamily };
}

function config(colour) {
  const text = { labelColor: colour.dim, labelFont: colour.font, labelFontSize: 11 };
  return {
    background: "transparent",
    font: colour.font,
    view: { stroke: null },
    mark: { color: colour.accent },
    bar: { fill: colour.accent },
    rect: { fill: colour.accent, stroke: colour.paper },
    range: { ramp: [colour.pale, colour.accent], heatmap: [colour.pale, colour.accent] },
    axis: { ...text, grid: false, domain: false, ticks: false, labelPadding: 5 },
    axisY: { gridColor: colour.line },
    text: { color: colour.dim, fontSize: 11 },
  };
}

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// What a click or a finished brush says, in the fields of the rows it touched.
function chosen(figure, datum) {
  if (figure.name === "volume") return { start: datum.start, end: datum.end };
  if (figure.name === "clock") return { weekday: [datum.weekday], hour: [datum.hour] };
  return { key: datum.key };
}

function brushed(figure, value) {
  if (!value) return null;
  if (figure.name === "volume") return value.start ? { start: +value.start[0], end: +value.start[1] } : null;
  return value.hour ? { weekday: value.weekday, hour: value.hour } : null;
}

class Chart {
  constructor(figure, panel) {
    this.figure = figure;
    this.panel = panel;
    this.rows = [];
    this.plot = node("div", { class: "mf-plot", role: "img", "aria-label": figure.text, style: `min-height: ${figure.height}px` });
    this.empty = node("p", { class: "mf-none" }, "No messages");
    this.element = node(
      "figure", { class: `mf-figure mf-span-${figure.span}`, "data-chart": figure.name },
      node("figcaption", {}, figure.title), this.plot, this.empty,
    );
    if (panel.tables) this.element.append(this.numbers());
  }

  // The same numbers as a table, made when somebody opens it.
  numbers() {
    const details = node("details", { class: "mf-numbers" }, node("summary", {}, "Numbers"));
    details.addEventListener("toggle", () => details.open && this.fillNumbers());
    this.details = details;
    return details;
  }

  fillNumbers() {
    const name = (row) => row.label ?? `${row.weekday} ${row.hour}:00`;
    const lines = this.rows.filter((row) => row.n).map((row) =>
      node("tr", {}, node("th", { scope: "row" }, node("bdi", {}, name(row))), node("td", {}, row.n.toLocaleString("en"))));
    const head = node("tr", {}, node("th", { scope: "col" }, this.figure.title), node("th", { scope: "col" }, "Messages"));
    this.details.querySelector("table")?.remove();
    this.details.append(node("table", {}, node("thead", {}, head), node("tbody", {}, ...lines)));
  }

  async draw() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const spec = structuredClone(this.figure.spec);
    spec.data = { name: "rows", values: structuredClone(this.rows) };
    // Bars are as high as their rows need; everything else has a height of its own.
    if (!spec.height.step) spec.autosize = { type: "fit", contains: "padding" };
    const holder = node("div", { class: "mf-hold" });
    const result = await window.vegaEmbed(holder, spec, {
      renderer: "svg", actions: false, config: config(colours(this.panel.root)), tooltip: { theme: "mf" },
    });
    if (turn !== this.turn) return result.finalize(); // drawn again meanwhile
    this.result?.finalize();
    this.result = result;
    this.view = result.view;
    this.plot.replaceChildren(holder);
    this.listen();
    this.show(this.rows);
  }

  listen() {
    let last = null;
    const brushes = (this.figure.spec.params ?? []).some((param) => param.name === "brush");
    if (brushes) {
      this.view.addSignalListener("brush", (_, value) => {
        last = brushed(this.figure, value);
        this.panel.brushing(this.figure.name, last);
      });
    }
    this.view.addEventListener("click", (_, item) => {
      const datum = item?.datum;
      if (datum && "n" in datum && !last) this.panel.pick(this.figure.name, chosen(this.figure, datum));
    });
    this.plot.addEventListener("pointerdown", () => {
      window.addEventListener("pointerup", () => {
        // After Vega has seen the release itself.
        setTimeout(() => {
          const value = last;
          last = null;
          if (!value) return;
          this.panel.pick(this.figure.name, value);
          if (!this.panel.keepsBrush) this.view.signal("brush_x", []).signal("brush_y", []).runAsync();
        }, 30);
      }, { once: true });
    });
  }

  fit() {
    const width = this.plot.clientWidth;
    if (this.view && width > 0 && width !== this.view.width()) this.view.width(width).runAsync();
  }

  show(rows) {
    this.rows = rows;
    const none = !rows.some((row) => row.n > 0);
    this.element.classList.toggle("mf-empty", none);
    if (this.details?.open) this.fillNumbers();
    if (!this.view) return;
    this.view.data("rows", structuredClone(rows));
    if (this.plot.clientWidth > 0) this.view.width(this.plot.clientWidth);
    this.view.runAsync();
  }
}

export class Panel {
  // `hooks.pick(name, value)`: a click or a finished brush; `hooks.brushing(name, value)`: while it moves.
  constructor(root, figures, hooks = {}) {
    this.root = root;
    this.pick = hooks.pick ?? (() => {});
    this.brushing = hooks.brushing ?? (() => {});
    this.keepsBrush = hooks.keepsBrush ?? false;
    this.tables = hooks.tables ?? false;
    this.charts = new Map(figures.map((figure) => [figure.name, new Chart(figure, this)]));
    this.grid = node("div", { class: "mf-charts" });
    this.grid.append(...[...this.charts.values()].map((chart) => chart.element));
    root.append(this.grid);
    this.sizes = new ResizeObserver(() => this.charts.forEach((chart) => chart.fit()));
    this.charts.forEach((chart) => this.sizes.observe(chart.plot));
    this.themes = new MutationObserver(() => this.repaint());
    const watched = { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme", "class"] };
    for (const element of [document.body, document.documentElement]) this.themes.observe(element, watched);
    this.dark = window.matchMedia("(prefers-color-scheme: dark)");
    this.recolour = () => this.repaint();
    this.dark.addEventListener("change", this.recolour);
  }

  async draw() {
    this.painted = JSON.stringify(colours(this.root));
    for (const chart of this.charts.values()) await chart.draw();
    this.root.dataset.ready = "true";
  }

  repaint() {
    if (this.painted && this.painted !== JSON.stringify(colours(this.root))) this.draw();
  }

  show(rows) {
    for (const [name, chart] of this.charts) if (rows[name]) chart.show(rows[name]);
  }

  remove() {
    this.sizes.disconnect();
    this.themes.disconnect();
    this.dark.removeEventListener("change", this.recolour);
    this.charts.forEach((chart) => chart.result?.finalize());
  }
}
