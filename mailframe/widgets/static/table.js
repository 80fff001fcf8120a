// itables' own widget, with its rows fetched page by page from the kernel.
//
// `ITABLES` (the text of itables' module) stands before this file. It is given a model that answers like the
// real one but for `_dt_args`, where DataTables' server-side processing is switched on: it then asks for the
// rows on the screen only, and a click on a heading sorts the whole result, in the kernel.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text) => String(text ?? "").replace(/[&<>"']/g, (letter) => ESCAPES[letter]);

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
    columns: columns.map((name) => ({ className: `mf-${name}`, render: cell, defaultContent: "" })),
    createdRow: (row, data) => {
      row.dataset.row = data[columns.length];
      row.classList.toggle("mf-unread", data[columns.length + 1] === 1);
      row.tabIndex = 0;
    },
    drawCallback() {
      state.api = this.api();
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
  const open = (event) => {
    const row = event.target.closest?.("tbody tr[data-row]");
    if (!row || (event.type === "keydown" && event.key !== "Enter")) return;
    el.querySelectorAll("tr.mf-open").forEach((other) => other.classList.remove("mf-open"));
    row.classList.add("mf-open");
    model.set("opened", Number(row.dataset.row));
    model.save_changes();
  };
  el.addEventListener("click", open);
  el.addEventListener("keydown", open);
  return () => {
    model.off("change:page", answered);
    model.off("change:revision", changed);
  };
}

export default { render };
