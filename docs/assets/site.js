// Runs on every page that Material shows; `document$` is Material's stream of them.

/** The buttons of a code block, which Material adds as it comes into view, are no landmark. */
function amendButtons() {
  for (const buttons of document.querySelectorAll("nav.md-code__nav")) {
    buttons.setAttribute("role", "none");
  }
}

const LEAST_SORTED = 9;

/** Compare two cells: numbers by what they are, and before all else. */
function compare(one, other) {
  const [first, second] = [one, other].map((text) => parseFloat(text.replace(/^[^\d-]{0,2}/, "")));
  if (Number.isNaN(first) !== Number.isNaN(second)) return Number.isNaN(first) ? 1 : -1;
  return first - second || one.localeCompare(other, "en", { numeric: true });
}

/** Let a table of many rows be sorted by the column whose heading is pressed; at the third time not. */
function makeSortable(table) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < LEAST_SORTED) return;
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    if (!heading.textContent.trim()) return;
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    button.title = "Sort by this column";
    heading.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[heading.ariaSort];
      const order = next === undefined ? "ascending" : next;
      for (const other of headings) other.removeAttribute("aria-sort");
      if (order) heading.setAttribute("aria-sort", order);
      const sorted = [...rows];
      const cell = (row) => row.cells[column].textContent.trim();
      if (order) sorted.sort((one, other) => compare(cell(one), cell(other)));
      if (order === "descending") sorted.reverse();
      table.tBodies[0].append(...sorted);
    });
  });
}

/** Tell whether a line of a console block goes on with the command in the line before it. */
function isContinuation(line) {
  return line === ">" || line.startsWith("> ");
}

/**
 * Mark the lines of a loop or a here-document as typed, not printed: Pygments knows a
 * continuation prompt only after a backslash.
 */
function markContinuations(code) {
  let typed = false;
  for (const line of code.querySelectorAll(":scope > span")) {
    const output = line.querySelector(":scope > .go");
    const text = line.textContent.trimEnd();
    if (typed && output && isContinuation(text)) {
      const prompt = document.createElement("span");
      prompt.className = "gp";
      prompt.textContent = output.textContent.slice(0, 2);
      output.replaceWith(prompt, output.textContent.slice(2));
    } else {
      typed = text.startsWith("$ ") || (typed && isContinuation(text));
    }
  }
}

/** Return the commands of a console block, as the checker runs them. */
function commandsOf(text) {
  const commands = [];
  let typed = false;
  for (const line of text.split("\n")) {
    typed = line.startsWith("$ ") || (typed && isContinuation(line));
    if (typed) commands.push(line.slice(2));
  }
  return commands.join("\n");
}

/**
 * Say what the copy button takes (Material reads `data-copy`): of a console block the commands, of
 * a difference what comes of it; a line that stands for those left out of a file becomes a comment,
 * so that the rest can be used.
 */
function setCopied() {
  for (const code of document.querySelectorAll(".language-console code")) {
    code.dataset.copy = commandsOf(code.textContent);
  }
  for (const code of document.querySelectorAll(":is(.language-toml, .language-yaml) code")) {
    code.dataset.copy = code.textContent.replace(/^( *)\.\.\.$/gm, "$1# ...");
  }
  for (const code of document.querySelectorAll(".language-diff code")) {
    code.dataset.copy = code.textContent.replace(/^-.*\n/gm, "").replace(/^[ +]/gm, "");
  }
}

/** Set the wildcards of an expected output, `[..]` and a line `...`, apart from its text. */
function markWildcards(code) {
  for (const output of code.querySelectorAll(".go, .language-text :scope > span")) {
    const parts = output.textContent.split(/(\[\.\.\]|^\.\.\.$)/m);
    if (parts.length === 1) continue;
    output.replaceChildren(
      ...parts.map((part, position) => {
        if (position % 2 === 0) return part;
        const wildcard = document.createElement("span");
        wildcard.className = "elided";
        wildcard.title = part === "..." ? "any lines" : "any text";
        wildcard.textContent = part;
        return wildcard;
      }),
    );
  }
}

/** Go on to where a heading is by now, if the address names one that has moved. */
function followMoved() {
  const moved = document.getElementById("moved");
  if (!moved || !location.hash) return;
  const target = JSON.parse(moved.textContent)[moved.dataset.page + location.hash];
  if (target) location.replace(`${moved.dataset.root}/${target}`);
}

/**
 * The words of a line that is pasted into the search, which has another use for a sign before one
 * or after it. A word of two letters begins half of all others: it is left out.
 */
function searchable(query) {
  const words = query
    .split(/\s+/)
    .map((word) => word.replace(/^[-+]+|["*~^:…]+/g, ""))
    .filter(Boolean);
  const telling = words.filter((word) => word.length > 2 || /^[0-9]+$/.test(word));
  return (telling.length ? telling : words).join(" ");
}

/** Let the search read what is pasted as words; the field shows it as it is. */
function readWords() {
  const field = document.querySelector(".md-search__input");
  if (!field || Object.hasOwn(field, "value")) return;
  const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  Object.defineProperty(field, "value", {
    get: () => searchable(value.get.call(field)),
    set: (text) => value.set.call(field, text),
  });
  // Material listens to keys; what is pasted from a menu, as on a phone, comes without any.
  field.addEventListener("input", () => field.dispatchEvent(new KeyboardEvent("keyup")));
}

/** Note which folded parts their reader has opened: paper gets no others (docs/assets/site.css). */
function noteFolded() {
  for (const details of document.querySelectorAll("article details")) {
    details.classList.toggle("unfolded", details.open);
    details.querySelector(":scope > summary")?.addEventListener("click", () => {
      details.classList.toggle("unfolded", !details.open);
    });
  }
}

document$.subscribe(() => {
  readWords();
  followMoved();
  noteFolded();
  for (const table of document.querySelectorAll("article table:not([class])")) makeSortable(table);
  amendButtons();
  new MutationObserver(amendButtons).observe(document.querySelector(".md-content"), {
    childList: true,
    subtree: true,
  });
  setCopied();
  for (const code of document.querySelectorAll(".language-console code")) markContinuations(code);
  for (const code of document.querySelectorAll(".language-console code, .language-text code")) {
    markWildcards(code);
  }
});

addEventListener("hashchange", followMoved);
