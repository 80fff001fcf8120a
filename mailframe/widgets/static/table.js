// itables' own widget, with its rows fetched page by page from the kernel.
//
// `ITABLES` (the text of itables' module) stands before this file. It is given a model that answers like the
// real one but for `_dt_args`, where DataTables' server-side processing is switched on: it then asks for the
// rows on the screen only, and a click on a heading sorts the whole result, in the kernel.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text) => String(text ?? "").replace(/[&<>"']/g, (letter) => ESCAPES[letter]);

// Before the marks a box, to choose the message with.
function tick(text, type) {
  return type === "display" ? `<input type="checkbox" tabindex="-1" aria-label="Choose">${cell(text, type)}` : cell(text, type);
}

// Every cell is text; each has its own direction, so that a long right-to-left subject is cut at its end.
function cell(text, type) {
  if (type !== "display" || !text) return escaped(text);
  return `<div dir="auto" title="${escaped(text)}">${escaped(text)}</div>`;
}

async function itables() {
  const address = URL.createObjectURL(new Blob([ITABLES], { type: "text/javascript" }));
  try {
    return (await import(address)).default;
  } finally {
    URL.revokeObjectURL(address);
  }
}

function served(model, state) {
  const columns = model.get("columns");
  return {
    ...model.get("_dt_args"),
    serverSide: true,
    processing: false,
    searching: false,
    ajax: (wish, answer) => {
      state.answer = answer;
      const [order] = wish.order;
      model.set("request", {
        draw: wish.draw,
        start: wish.start,
        length: wish.length,
        column: order ? columns[order.column] : "",
        descending: order ? order.dir === "desc" : true,
      });
      model.save_changes();
    },
    columns: columns.map((name) => ({ className: `mf-${name}`, render: name === "marks" ? tick : cell, defaultContent: "" })),
    createdRow: (row, data) => {
      row.dataset.row = data[columns.length];
      row.classList.toggle("mf-unread", data[columns.length + 1] === 1);
      row.tabIndex = -1;
    },
    drawCallback() {
      state.api = this.api();
      state.drawn?.();
    },
  };
}

async function render({ model, el }) {
  const state = {};
  const inner = await itables();
  const stand_in = {
    get: (name) => (name === "_dt_args" ? served(model, state) : model.get(name)),
    set: (...values) => model.set(...values),
    save_changes: () => model.save_changes(),
    on: (name, listener) => model.on(name, listener),
    off: (name, listener) => model.off(name, listener),
  };
  const answered = () => {
    const page = model.get("page");
    const answer = state.answer;
    if (!answer || page.draw !== model.get("request").draw) return;
    state.answer = null;
    answer({ draw: page.draw, recordsTotal: page.total, recordsFiltered: page.filtered, data: page.rows });
  };
  const changed = () => state.api?.ajax.reload(null, true);
  model.on("change:page", answered);
  model.on("change:revision", changed);
  inner.render({ model: stand_in, el });
  const rows = () => [...el.querySelectorAll("tbody tr[data-row]")];
  const opened = () => {
    for (const row of rows()) row.classList.toggle("mf-open", Number(row.dataset.row) === model.get("opened"));
  };
  const checked = () => {
    const chosen = new Set(model.get("checked"));
    for (const row of rows()) {
      const on = chosen.has(Number(row.dataset.row));
      row.classList.toggle("mf-checked", on);
      row.querySelector("input[type=checkbox]").checked = on;
    }
  };
  const toggle = (row) => {
    const number = Number(row.dataset.row);
    const others = model.get("checked").filter((other) => other !== number);
    model.set("checked", others.length < model.get("checked").length ? others : [...others, number]);
    model.save_changes();
    checked();
  };
  const open = (number) => {
    model.set("opened", number);
    model.save_changes();
    opened();
  };
  // One row can be reached with Tab; the arrows go on from there.
  const reach = (row) => {
    for (const other of rows()) other.tabIndex = other === row ? 0 : -1;
    row?.focus({ preventScroll: false });
  };
  const turn = (to, place) => {
    const { page, pages } = state.api.page.info();
    if (page + to < 0 || page + to >= pages) return false;
    state.landing = place;
    state.api.page(page + to).draw("page");
    return true;
  };
  state.drawn = () => {
    const all = rows();
    if (all.length) all[0].tabIndex = 0;
    opened();
    checked();
    if (state.landing === undefined || !all.length) return;
    reach(all.at(state.landing));
    state.landing = undefined;
  };
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && model.get("opened") >= 0) {
      event.preventDefault();
      return open(-1);
    }
    const row = event.target.closest?.("tbody tr[data-row]");
    if (!row) return;
    const all = rows();
    const at = all.indexOf(row);
    const acts = {
      " ": () => toggle(row),
      Enter: () => open(Number(row.dataset.row)),
      ArrowDown: () => (at + 1 < all.length ? reach(all[at + 1]) : turn(1, 0)),
      ArrowUp: () => (at > 0 ? reach(all[at - 1]) : turn(-1, -1)),
      Home: () => reach(all[0]),
      End: () => reach(all.at(-1)),
      PageDown: () => turn(1, 0),
      PageUp: () => turn(-1, 0),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  };
  const clicked = (event) => {
    const row = event.target.closest?.("tbody tr[data-row]");
    if (!row) return;
    reach(row);
    if (event.target.closest("td.mf-marks") || event.ctrlKey || event.metaKey) {
      event.preventDefault();
      setTimeout(() => toggle(row)); // when the box has done what it does by itself
    } else open(Number(row.dataset.row));
  };
  const legend = document.createElement("p");
  legend.className = "mf-legend";
  legend.textContent = model.get("legend");
  el.append(legend);
  model.on("change:checked", checked);
  model.on("change:opened", opened);
  el.addEventListener("click", clicked);
  el.addEventListener("keydown", pressed);
  return () => {
    model.off("change:page", answered);
    model.off("change:revision", changed);
    model.off("change:opened", opened);
    model.off("change:checked", checked);
  };
}

export default { render };
