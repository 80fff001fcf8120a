// Charts that follow one another without a kernel. A cube holds the counts of every chart, and those of every
// two charts crossed; what is chosen in one is summed up for each of the others. Choosing elsewhere starts
// anew. The sums are exact, and small: a few thousand numbers whatever the mailbox.

// Which of a chart's places a gesture means, by their index.
const MEANS = {
  volume: (value) => (row) => row.start < value.end && row.end > value.start,
  clock: (value) => (row) => value.weekday.includes(row.weekday) && value.hour.includes(row.hour),
  other: (value) => (row) => row.key === value.key,
};

function meant(name, rows, value) {
  const means = (MEANS[name] ?? MEANS.other)(value);
  return rows.flatMap((row, index) => (means(row) ? [index] : []));
}

// A run of zeros is one negative number.
function unpacked(packed, size) {
  const counts = new Uint32Array(size);
  let at = 0;
  for (const number of packed) {
    if (number < 0) at -= number;
    else counts[at++] = number;
  }
  return counts;
}

class Linked {
  constructor(root, figures, cube, embed) {
    this.cube = cube;
    this.tables = new Map(); // unpacked, as they are asked for
    this.chosen = null; // { name, value, places }
    this.said = node("p", { class: "mf-selection", role: "status" });
    root.append(this.said);
    this.panel = new Panel(root, figures, {
      embed,
      keepsBrush: true,
      tables: true,
      pick: (name, value) => this.choose(name, value, true),
      brushing: (name, value) => this.choose(name, value, false),
    });
    this.explainStanding();
    this.show();
  }

  // Charts of habits, below: no choice changes them.
  explainStanding() {
    const [first] = Object.keys(this.cube.standing ?? {});
    if (!first) return;
    const said = "Habits of the whole mailbox: these do not follow what is chosen.";
    this.panel.charts.get(first).element.before(node("p", { class: "mf-standing" }, said));
  }

  draw() {
    return this.panel.draw();
  }

  // A finished click on what is chosen already takes it back; a brush is taken back by Vega, with null.
  choose(name, value, clicked) {
    if (!this.cube.rows[name]) return;
    if (value?.key === null) return; // all others are nobody in particular
    const mine = this.chosen?.name === name;
    if (!value && !mine) return;
    if (clicked && mine && !("brushing" in this.chosen) && same(value, this.chosen.value)) return this.clear();
    if (this.chosen && !mine) this.panel.charts.get(this.chosen.name).unbrush();
    this.chosen = value && { name, value, places: meant(name, this.cube.rows[name], value) };
    if (value && !clicked) this.chosen.brushing = true;
    this.show();
  }

  clear() {
    const { name } = this.chosen;
    this.chosen = null;
    this.panel.charts.get(name).unbrush();
    this.show();
  }

  table(a, b) {
    const pair = `${a} ${b}`;
    if (!this.tables.has(pair)) {
      const { pairs, rows } = this.cube;
      this.tables.set(pair, unpacked(pairs[pair], rows[a].length * rows[b].length));
    }
    return this.tables.get(pair);
  }

  counts(name) {
    const { names, rows } = this.cube;
    const { name: by, places } = this.chosen;
    const first = names.indexOf(name) < names.indexOf(by);
    const table = first ? this.table(name, by) : this.table(by, name);
    const [high, wide] = [rows[name].length, rows[first ? by : name].length];
    return Array.from({ length: high }, (_, place) =>
      places.reduce((sum, other) => sum + table[first ? place * wide + other : other * wide + place], 0));
  }

  rows(name) {
    const rows = this.cube.rows[name];
    if (!this.chosen) return this.ranked(name, rows);
    if (this.chosen.name === name) {
      const places = new Set(this.chosen.places);
      return this.ranked(name, rows.map((row, index) => ({ ...row, on: places.has(index) })));
    }
    const counts = this.counts(name);
    return this.ranked(name, rows.map((row, index) => ({ ...row, n: counts[index] })));
  }

  // The most frequent of what is left, what was chosen here among them, and all others as one row.
  ranked(name, rows) {
    const most = this.cube.most[name];
    if (!most) return rows;
    const mine = this.chosen?.name === name;
    const named = rows.filter((row) => row.key !== null && row.n).sort((a, b) => b.n - a.n);
    const first = new Set(named.slice(0, most));
    const shown = named.filter((row) => first.has(row) || (mine && row.on));
    const rest = rows.reduce((sum, row) => sum + row.n, 0) - shown.reduce((sum, row) => sum + row.n, 0);
    const others = { key: null, label: "all others", n: rest, on: !mine };
    return [...shown, ...(rest ? [others] : [])].map((row, rank) => ({ ...row, rank }));
  }

  // How many of the chosen messages are unread; they may have been chosen by that.
  unread() {
    const { rows } = this.cube;
    if (!rows.state) return 0;
    if (this.chosen.name === "state") return this.chosen.places.includes(0) ? rows.state[0].n : 0;
    return this.counts("state")[0];
  }

  show() {
    const followed = Object.fromEntries(this.cube.names.map((name) => [name, this.rows(name)]));
    this.panel.show({ ...this.cube.standing, ...followed });
    if (!this.cube.total) {
      this.said.replaceChildren("There is no mail here yet.");
      return;
    }
    const total = this.cube.total.toLocaleString("en");
    if (!this.chosen) {
      this.said.replaceChildren("Click a bar, or drag across the volume or the hours: the other charts follow.");
      return;
    }
    const rows = this.cube.rows[this.chosen.name];
    const count = this.chosen.places.reduce((sum, place) => sum + rows[place].n, 0);
    const button = node("button", { type: "button", class: "mf-button" }, "Show all");
    button.addEventListener("click", () => this.clear());
    this.said.replaceChildren(node("b", {}, count.toLocaleString("en")),
      ` of ${total} messages, ${this.unread().toLocaleString("en")} unread `, button);
  }
}
