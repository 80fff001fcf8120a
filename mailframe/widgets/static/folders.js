// A tree of folders with counts; a click chooses a folder with what is under it.

function render({ model, el }) {
  el.classList.add("mf-folders");
  const list = document.createElement("ul");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "Folders");
  el.append(list);

  const under = (index) => {
    const nodes = model.get("nodes");
    let end = index + 1;
    while (end < nodes.length && nodes[end].depth > nodes[index].depth) end += 1;
    return nodes.slice(index, end).map((node) => node.name).filter((name) => name !== null);
  };

  const choose = (index, on) => {
    const names = under(index);
    const kept = model.get("chosen").filter((name) => !names.includes(name));
    model.set("chosen", on ? [...kept, ...names] : kept);
    model.save_changes();
  };

  const line = (node, index) => {
    const item = document.createElement("li");
    const label = document.createElement("label");
    const box = document.createElement("input");
    const name = document.createElement("bdi");
    const count = document.createElement("span");
    box.type = "checkbox";
    box.addEventListener("change", () => choose(index, box.checked));
    name.textContent = node.label;
    name.className = "mf-name";
    count.className = "mf-count";
    label.title = node.name ?? node.label;
    label.style.paddingInlineStart = `${node.depth * 14}px`;
    label.append(box, name, count);
    item.append(label);
    return item;
  };

  const mark = () => {
    const chosen = new Set(model.get("chosen"));
    const counts = model.get("counts");
    model.get("nodes").forEach((node, index) => {
      const item = list.children[index];
      const names = under(index);
      const on = names.filter((name) => chosen.has(name)).length;
      const box = item.querySelector("input");
      box.checked = on > 0 && on === names.length;
      box.indeterminate = on > 0 && on < names.length;
      const count = names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
      item.querySelector(".mf-count").textContent = count.toLocaleString("en");
      item.classList.toggle("mf-zero", count === 0);
    });
  };

  const build = () => {
    list.replaceChildren(...model.get("nodes").map(line));
    mark();
  };
  build();
  model.on("change:nodes", build);
  model.on("change:chosen", mark);
  model.on("change:counts", mark);
}

export default { render };
