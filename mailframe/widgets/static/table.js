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

// What no choice of columns takes away, or brings: marks, and of a thread how many messages it has.
function isSeen(model, name) {
  if (name === "marks") return true;
  return name === "messages" ? model.get("grouped") : model.get("shown").includes(name);
}

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Counts as a row of small bars, below the words of a heading.
function bars(counts) {
  const space = "http://www.w3.org/2000/svg";
  const drawn = document.createElementNS(space, "svg");
  const most = Math.max(...counts, 1);
  drawn.setAttribute("viewBox", `0 0 ${counts.length} 10`);
  drawn.setAttribute("preserveAspectRatio", "none");
  drawn.setAttribute("aria-hidden", "true");
  drawn.classList.add("mf-drawn");
  counts.forEach((count, at) => {
    const bar = document.createElementNS(space, "rect");
    const height = (10 * count) / most;
    for (const [name, value] of Object.entries({ x: at, y: 10 - height, width: 0.85, height })) bar.setAttribute(name, value);
    drawn.append(bar);
  });
  return drawn;
}

// What stands above the table: a row a message or a thread, what the marks mean, which columns there are.
function toolbar(model) {
  const follows = [];
  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const ways = [["Messages", false], ["Threads", true]].map(([label, grouped]) => {
    const button = made("button", { type: "button" }, label);
    button.addEventListener("click", () => set("grouped", grouped));
    follows.push(["grouped", () => button.setAttribute("aria-pressed", model.get("grouped") === grouped)]);
    return button;
  });
  const boxes = Object.entries(model.get("headings")).map(([name, heading]) => {
    const box = made("input", { type: "checkbox", value: name });
    box.addEventListener("change", () => {
      const others = model.get("shown").filter((each) => each !== name);
      if (box.checked || others.length) set("shown", box.checked ? [...others, name] : others);
      else box.checked = true; // a table needs a column
    });
    follows.push(["shown", () => (box.checked = model.get("shown").includes(name))]);
    return made("label", {}, box, heading);
  });
  const choose = made("details", { class: "mf-columns" }, made("summary", {}, "Columns"), made("div", {}, ...boxes));
  const leave = (event) => !choose.contains(event.relatedTarget) && event.relatedTarget && (choose.open = false);
  choose.addEventListener("focusout", leave);
  choose.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !choose.open) return;
    event.stopPropagation();
    choose.open = false;
    choose.querySelector("summary").focus();
  });
  for (const [name, follow] of follows) {
    follow();
    model.on(`change:${name}`, follow);
  }
  const element = made(
    "div", { class: "mf-tools" },
    made("div", { class: "mf-ways", role: "group", "aria-label": "A row is" }, ...ways),
    made("p", { class: "mf-legend" }, model.get("legend")), choose,
  );
  return { element, remove: () => follows.forEach(([name, follow]) => model.off(`change:${name}`, follow)) };
}

const NARROWEST = 40; // pixels: a mark and a letter

// A heading's right edge can be drawn; Alt and an arrow do the same by keys. Twice on it puts the width back.
function adjustable(model, el, columns) {
  const apply = () => {
    for (const col of el.querySelectorAll("colgroup col")) {
      const name = columns[Number(col.dataset.dtColumn)];
      const width = model.get("widths")[name];
      col.className = `mf-${name}`;
      col.style.width = width ? `${width}px` : "";
      const heading = el.querySelector(`thead th[data-dt-column="${col.dataset.dtColumn}"]`);
      if (heading) heading.style.width = col.style.width;
    }
  };
  const put = (name, width) => {
    const { [name]: _, ...widths } = model.get("widths");
    if (width) widths[name] = Math.max(Math.round(width), NARROWEST);
    model.set("widths", widths);
    apply();
  };
  const grip = (heading) => {
    if (heading.querySelector(".mf-grip")) return;
    const name = columns[Number(heading.dataset.dtColumn)];
    if (name === "marks") return;
    const handle = made("span", { class: "mf-grip", title: "Drag to change the width, double-click to put it back" });
    handle.addEventListener("click", (event) => event.stopPropagation());
    handle.addEventListener("mousedown", (event) => event.stopPropagation());
    handle.addEventListener("dblclick", (event) => {
      event.stopPropagation();
      put(name, 0);
      model.save_changes();
    });
    handle.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      const begun = heading.getBoundingClientRect().width - event.clientX;
      const move = (moved) => put(name, begun + moved.clientX);
      handle.setPointerCapture(event.pointerId);
      handle.addEventListener("pointermove", move);
      handle.addEventListener("pointerup", () => {
        handle.removeEventListener("pointermove", move);
        model.save_changes();
      }, { once: true });
    });
    heading.append(handle);
  };
  const keyed = (event) => {
    const heading = event.target.closest?.("thead th[data-dt-column]");
    const step = { ArrowLeft: -20, ArrowRight: 20 }[event.key];
    if (!heading || !event.altKey || !step) return;
    event.preventDefault();
    put(columns[Number(heading.dataset.dtColumn)], heading.getBoundingClientRect().width + step);
    model.save_changes();
  };
  el.addEventListener("keydown", keyed);
  return () => {
    el.querySelectorAll("thead th[data-dt-column]").forEach(grip);
    apply();
  };
}

function served(model, state) {
  const columns = model.get("columns");
  return {
    ...model.get("_dt_args"),
    serverSide: true,
    infoCallback: (_settings, _start, _end, _max, total, told) =>
      total ? `${told} ${model.get("grouped") ? "thread" : "message"}${total === 1 ? "" : "s"}` : "",
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
    columns: columns.map((name) => ({
      className: `mf-${name}`, render: name === "marks" ? tick : cell, defaultContent: "", visible: isSeen(model, name),
    })),
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
  const columns = model.get("columns");
  const changed = () => {
    if (!state.api) return;
    columns.forEach((name, at) => {
      const column = state.api.column(at);
      if (column.visible() !== isSeen(model, name)) column.visible(isSeen(model, name), false);
    });
    state.api.ajax.reload(null, true);
  };
  model.on("change:page", answered);
  model.on("change:revision", changed);
  const tools = toolbar(model);
  el.append(tools.element);
  const holder = el.appendChild(made("div", { class: "mf-rows" }));
  const adjust = adjustable(model, el, columns);
  const draw = () => {
    for (const [name, counts] of Object.entries(model.get("drawn"))) {
      const heading = el.querySelector(`thead th.mf-${name}`);
      heading?.querySelector(".mf-drawn")?.remove();
      if (counts.length) heading?.append(bars(counts));
    }
  };
  inner.render({ model: stand_in, el: holder });
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
    adjust();
    draw();
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
  model.on("change:checked", checked);
  model.on("change:opened", opened);
  el.addEventListener("click", clicked);
  el.addEventListener("keydown", pressed);
  return () => {
    tools.remove();
    model.off("change:page", answered);
    model.off("change:revision", changed);
    model.off("change:opened", opened);
    model.off("change:checked", checked);
  };
}

export default { render };
