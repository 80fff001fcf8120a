// What an application needs of its page. Programs around it (JupyterLab, Notebook) take a letter typed outside
// of a field for a command; `data-lm-suppress-shortcuts` tells theirs to leave it alone, and nobody else hears it.
// Their search for a command goes up from what has the focus, which may itself answer to one: it must say so too.

const KEYS = [
  ["?", "This page"],
  ["Tab", "To the next control"],
  ["\u2191 \u2193", "In the table: the message above or below"],
  ["Home End", "The first or last message of the page"],
  ["Page \u2191 \u2193", "The page before or after"],
  ["Enter", "Open the message"],
  ["Space", "Choose the message, or not"],
  ["Alt+\u2190 Alt+\u2192", "On a heading: a narrower or wider column"],
  ["Esc", "Close the message, or this page"],
];

const typing = (target) => target.matches("input:not([type=checkbox]), textarea, select, [contenteditable=true]");

function help() {
  const dialog = document.createElement("dialog");
  dialog.className = "mf-keys";
  dialog.setAttribute("aria-label", "Keys");
  const list = document.createElement("dl");
  for (const [keys, does] of KEYS) {
    const term = document.createElement("dt");
    for (const key of keys.split(" ")) {
      const shown = document.createElement("kbd");
      shown.textContent = key;
      term.append(shown, " ");
    }
    const told = document.createElement("dd");
    told.textContent = does;
    list.append(term, told);
  }
  const form = document.createElement("form");
  form.method = "dialog";
  const close = document.createElement("button");
  close.className = "mf-button";
  close.textContent = "Close";
  form.append(close);
  const title = document.createElement("h4");
  title.textContent = "Keys";
  dialog.append(title, list, form);
  return dialog;
}

// Handles of sliders get no name from the widgets they belong to.
function nameHandles(root) {
  for (const handle of root.querySelectorAll(".noUi-handle:not([aria-label])")) {
    const what = handle.closest("[data-name], .mf-group")?.querySelector("h4")?.textContent ?? "";
    handle.setAttribute("aria-label", `${what}, ${handle.dataset.handle === "0" ? "from" : "to"}`.replace(/^, /, ""));
  }
}

// Nor do fields: the label before them is a widget of its own.
function nameFields(root) {
  for (const line of root.querySelectorAll(".mf-field")) {
    // Each widget has a label of its own besides, which is empty.
    const name = [...line.querySelectorAll("label")].map((label) => label.textContent.trim()).find(Boolean);
    if (!name) continue; // it is drawn a little later
    for (const field of line.querySelectorAll("input:not([type=checkbox]):not([aria-label])")) {
      field.setAttribute("aria-label", field.closest(".mf-answer") ? "What to paste" : name);
    }
  }
}

// The clipboard is closed to pages that are not served securely: then what to copy is selected instead.
async function copy(button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    button.textContent = button.dataset.copy;
    getSelection().selectAllChildren(button);
    return;
  }
  setTimeout(() => (button.textContent = before), 2000);
}

function settle(root, el) {
  const suppress = (element) => element.setAttribute("data-lm-suppress-shortcuts", "true");
  const focused = (event) => suppress(event.target);
  suppress(root);
  root.addEventListener("focusin", focused);
  const dialog = help();
  el.append(dialog);
  const heard = (event) => {
    event.stopPropagation();
    if (event.key === "?" && !typing(event.target) && !dialog.open) {
      event.preventDefault();
      dialog.showModal();
    } else if (event.key === "Escape" && !dialog.open && !typing(event.target)) {
      const close = root.querySelector(".mf-close");
      if (close?.offsetParent) close.click();
    }
  };
  // Heard on its way down: fields keep the keys that are pressed in them to themselves.
  const entered = (event) => {
    if (event.key !== "Enter" || !event.target.matches(".mf-submits input")) return;
    // A field that tells its text when it is left must have told it before the button is pressed.
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
    const box = event.target.closest(".mf-submits");
    const own = (button) => button.closest(".mf-submits") === box && button.offsetParent;
    [...box.querySelectorAll(".mf-goes:not(:disabled)")].find(own)?.click();
  };
  const clicked = (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("[data-keys]")) dialog.showModal();
  };
  root.addEventListener("keydown", heard);
  root.addEventListener("keydown", entered, true);
  root.addEventListener("click", clicked);
  const named = () => {
    nameHandles(root);
    nameFields(root);
  };
  const changes = new MutationObserver(named);
  changes.observe(root, { childList: true, subtree: true });
  named();
  return () => {
    root.removeEventListener("keydown", heard);
    root.removeEventListener("keydown", entered, true);
    root.removeEventListener("click", clicked);
    root.removeEventListener("focusin", focused);
    changes.disconnect();
  };
}

function render({ el }) {
  el.classList.add("mf-page");
  let leave = () => {};
  // It is put into the page some time after it is drawn.
  const wait = () => {
    const root = el.closest(".mailframe");
    if (root) leave = settle(root, el);
    else frame = requestAnimationFrame(wait);
  };
  let frame = requestAnimationFrame(wait);
  return () => {
    cancelAnimationFrame(frame);
    leave();
  };
}

export default { render };
