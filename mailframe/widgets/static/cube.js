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

class Linked {
  constructor(root, figures, cube) {
    this.cube = cube;
    this.chosen = null; // { name, value, places }
    this.said = node("p", { class: "mf-selection", role: "status" });
    root.append(this.said);
    this.panel = new Panel(root, figures, {
      keepsBrush: true,
      tables: true,
      pick: (name, value) => this.choose(name, value, true),
      brushing: (name, value) => this.choose(name, value, false),
    });
    this.show();
  }

  draw() {
    return this.panel.draw();
  }

  // A finished click on what is chosen already takes it back; a brush is taken back by Vega, with null.
  choose(name, value, clicked) {
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

  counts(name) {
    const { names, pairs, rows } = this.cube;
    const { name: by, places } = this.chosen;
    const first = names.indexOf(name) < names.indexOf(by);
    const table = pairs[first ? `${name} ${by}` : `${by} ${name}`];
    const [high, wide] = [rows[name].length, rows[first ? by : name].length];
    return Array.from({ length: high }, (_, place) =>
      places.reduce((sum, other) => sum + table[first ? place * wide + other : other * wide + place], 0));
  }

  rows(name) {
    const rows = this.cube.rows[name];
    if (!this.chosen) return rows;
    if (this.chosen.name === name) {
      const places = new Set(this.chosen.places);
      return rows.map((row, index) => ({ ...row, on: places.has(index) }));
    }
    const counts = this.counts(name);
    return rows.map((row, index) => ({ ...row, n: counts[index] }));
  }

  show() {
    this.panel.show(Object.fromEntries(this.cube.names.map((name) => [name, this.rows(name)])));
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
    this.said.replaceChildren(node("b", {}, count.toLocaleString("en")), ` of ${total} messages `, button);
  }
}
