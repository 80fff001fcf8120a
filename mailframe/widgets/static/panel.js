// Charts side by side. The same module serves the explorer (rows come from the kernel, gestures go there),
// the dashboard and the report (both stay in the browser: see cube.js). `hooks.embed` is vega-embed.
//
// Text from mail reaches the page as text nodes or through Vega's SVG text and its escaping tooltip only.

const ERRORS_ONLY = 1;

// Colours are the page's own variables: a change of theme, or printing, needs no drawing anew.
const config = (font) => ({
  background: "transparent",
  font, // by its name, for Vega measures text
  view: { stroke: null },
  mark: { color: "var(--mf-accent)" },
  bar: { fill: "var(--mf-accent)" },
  rect: { fill: "var(--mf-accent)", stroke: "var(--mf-paper)" },
  text: { color: "var(--mf-dim)", fontSize: 11 },
  axis: { labelColor: "var(--mf-dim)", labelFontSize: 11, labelPadding: 5, grid: false, domain: false, ticks: false },
  axisY: { gridColor: "var(--mf-line)" },
});

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// What is not whole is hatched. A pattern lives in the page: a chart only names it, and of several
// panels on one page each has its own.
const HATCHED = "mf-hatched";

function hatching(id) {
  const holder = node("div", { class: "mf-pattern", "aria-hidden": "true" });
  holder.innerHTML = `<svg width="0" height="0"><defs><pattern id="${id}" width="5" height="5"
    patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0,0V5" stroke="var(--mf-accent)"
    stroke-width="3"/></pattern></defs></svg>`;
  return holder;
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
    this.counted = node("output", { class: "mf-counted" });
    this.element = node(
      "figure", { class: `mf-figure mf-span-${figure.span}`, "data-chart": figure.name },
      node("figcaption", {}, figure.title, " ", this.counted), this.plot, this.empty,
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
    const partial = (row) => (row.whole?.startsWith("no") ? " (partial)" : "");
    const name = (row) => (row.label ?? `${row.weekday} ${row.hour}:00`) + partial(row);
    const lines = this.rows.filter((row) => row.n).map((row) =>
      node("tr", {}, node("th", { scope: "row" }, node("bdi", {}, name(row))), node("td", {}, row.n.toLocaleString("en"))));
    const head = node("tr", {}, node("th", { scope: "col" }, this.figure.title), node("th", { scope: "col" }, "Messages"));
    this.details.querySelector("table")?.remove();
    this.details.append(node("table", {}, node("thead", {}, head), node("tbody", {}, ...lines)));
  }

  async draw() {
    const spec = structuredClone(this.figure.spec);
    spec.data = { name: "rows", values: structuredClone(this.rows) };
    spec.width = this.plot.clientWidth || 300;
    // Bars are as high as their rows need; everything else has a height of its own.
    spec.autosize = { type: spec.height.step ? "fit-x" : "fit", contains: "padding" };
    const holder = node("div", { class: "mf-hold" });
    this.result = await this.panel.embed(holder, spec, {
      renderer: "svg", actions: false, config: config(getComputedStyle(this.panel.root).fontFamily), tooltip: { theme: "mf" }, logLevel: ERRORS_ONLY,
    });
    this.view = this.result.view;
    // A brush that nobody has drawn yet is no picture that wants a name.
    holder.querySelectorAll(".brush_brush, .brush_brush_bg").forEach((part) => part.setAttribute("aria-hidden", "true"));
    this.plot.replaceChildren(holder);
    this.listen();
    this.show(this.rows);
  }

  // Vega calls while it computes; whatever answers by changing data has to wait until it is done.
  listen() {
    const brush = (this.figure.spec.params ?? []).find((param) => param.name === "brush");
    this.ends = (brush?.select.encodings ?? []).map((channel) => `brush_${channel}`);
    let last = null;
    let frame = 0;
    if (brush) {
      this.view.addSignalListener("brush", (_, value) => {
        const now = brushed(this.figure, value);
        if (same(now, last)) return; // new rows make Vega work the brush out again
        last = now;
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(() => {
          this.count(last);
          this.panel.brushing(this.figure.name, last);
        });
      });
    }
    this.view.addEventListener("click", (_, item) => {
      const datum = item?.datum;
      if (!datum?.n || last) return;
      setTimeout(() => this.panel.pick(this.figure.name, chosen(this.figure, datum)));
    });
    this.plot.addEventListener("pointerdown", () => {
      const released = () => {
        if (!last) return;
        this.panel.pick(this.figure.name, last);
        if (this.panel.keepsBrush) return;
        this.unbrush();
        last = null;
      };
      window.addEventListener("pointerup", () => setTimeout(released, 30), { once: true });
    });
  }

  // How many messages lie under a brush that is being drawn; of a bar that it cuts, its share.
  count(value) {
    const share = (row) => {
      if (this.figure.name === "clock") return value.weekday.includes(row.weekday) && value.hour.includes(row.hour) ? 1 : 0;
      return Math.max(Math.min(row.end, value.end) - Math.max(row.start, value.start), 0) / (row.end - row.start);
    };
    const sum = value ? Math.round(this.rows.reduce((total, row) => total + row.n * share(row), 0)) : 0;
    const about = this.figure.name === "clock" ? "" : "about ";
    this.counted.textContent = value ? `${about}${sum.toLocaleString("en")} message${sum === 1 ? "" : "s"}` : "";
  }

  unbrush() {
    this.count(null);
    for (const end of this.ends) this.view.signal(end, []);
    this.view.runAsync();
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
    this.embed = hooks.embed;
    this.pick = hooks.pick ?? (() => {});
    this.brushing = hooks.brushing ?? (() => {});
    this.keepsBrush = hooks.keepsBrush ?? false;
    this.tables = hooks.tables ?? false;
    const hatched = `${HATCHED}-${Math.random().toString(36).slice(2)}`;
    figures = JSON.parse(JSON.stringify(figures).replaceAll(HATCHED, hatched));
    this.charts = new Map(figures.map((figure) => [figure.name, new Chart(figure, this)]));
    this.grid = node("div", { class: "mf-charts" });
    this.grid.append(...[...this.charts.values()].map((chart) => chart.element));
    root.append(hatching(hatched), this.grid);
    this.sizes = new ResizeObserver(() => this.charts.forEach((chart) => chart.fit()));
    this.charts.forEach((chart) => this.sizes.observe(chart.plot));
  }

  async draw() {
    for (const chart of this.charts.values()) await chart.draw();
    this.root.dataset.ready = "true";
  }

  show(rows) {
    for (const [name, chart] of this.charts) if (rows[name]) chart.show(rows[name]);
  }

  remove() {
    this.sizes.disconnect();
    this.charts.forEach((chart) => chart.result?.finalize());
    this.grid.remove();
    delete this.root.dataset.ready;
  }
}
