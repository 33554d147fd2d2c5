// Runs on every page that Material shows; `document$` is Material's stream of them.

/** Give the search dialog and the sections of the navigation the names that a screen reader says. */
function nameLandmarks() {
  document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "Search");
  for (const section of document.querySelectorAll(".md-nav .md-nav[aria-labelledby]")) {
    const title = section.querySelector(":scope > .md-nav__title");
    if (!title) continue;
    section.removeAttribute("aria-labelledby");
    section.setAttribute("aria-label", title.textContent.trim());
  }
}

/** Make buttons of the two labels of the header: a keyboard and a screen reader know what they are. */
function makeButtons() {
  for (const [id, name] of [["__drawer", "Menu"], ["__search", "Search"]]) {
    const label = document.querySelector(`label.md-header__button[for=${id}]`);
    const box = document.getElementById(id);
    if (!label || !box) continue;
    const button = document.createElement("button");
    button.className = label.className;
    button.setAttribute("for", id); // by which the theme's styles know it
    button.setAttribute("aria-label", name);
    button.append(...label.childNodes);
    button.addEventListener("click", () => {
      box.click();
      if (id === "__search" && box.checked) document.querySelector(".md-search__input").focus();
    });
    box.addEventListener("change", () => button.setAttribute("aria-expanded", box.checked));
    label.replaceWith(button);
  }
}

/** Keep the search that is closed out of the keyboard's way. */
function amendSearch() {
  const open = document.getElementById("__search")?.checked;
  const query = document.querySelector(".md-search__input");
  const button = document.querySelector(".md-header__button[for=__search]");
  if (!query || !button) return;
  // On a phone, the field is there when the button has been pressed.
  query.tabIndex = open || getComputedStyle(button).display === "none" ? 0 : -1;
  document.querySelector(".md-search__scrollwrap").tabIndex = -1; // the arrow keys go through it
  document.querySelector(".md-search__output").inert = !open;
}

/** What can be wider than the screen, and what is said of it then. */
const HINTS = {
  ".md-typeset__scrollwrap": "more columns →",
  ".chart-drawing": "the drawing goes on →",
  "figure.diagram": "the drawing goes on →",
};

/** Amend what Material adds to the content as it comes into view. */
function amendAdditions() {
  // The buttons of a code block are no landmark.
  for (const buttons of document.querySelectorAll("nav.md-code__nav")) {
    buttons.setAttribute("role", "none");
  }
  // A table or a drawing that is wider than the screen says so, and is scrolled by keyboard too.
  for (const wrap of document.querySelectorAll(Object.keys(HINTS).join())) {
    const scrolled = wrap.classList.contains("scrolls");
    wrap.classList.remove("scrolls"); // in which it is wider
    const scrolls = wrap.scrollWidth > wrap.clientWidth;
    wrap.classList.toggle("scrolls", scrolls);
    if (scrolls === scrolled) continue;
    if (scrolls) {
      wrap.tabIndex = 0;
      const hint = document.createElement("p");
      hint.className = "scroll-hint";
      hint.textContent = Object.entries(HINTS).find(([kind]) => wrap.matches(kind))[1];
      wrap.before(hint);
    } else {
      wrap.removeAttribute("tabindex");
      wrap.previousElementSibling.remove();
    }
  }
}

const LONG = 18; // characters, which fit into the first column on the narrowest screen

/**
 * Keep short code in a cell in one line. A name that is long goes on in the next, after a sign in
 * it or before a capital letter.
 */
function breakNames() {
  for (const code of document.querySelectorAll("article :is(td, th) code")) {
    if (code.childElementCount) continue;
    code.classList.toggle("whole", code.textContent.length <= LONG);
    const parts = code.textContent
      .split(/(\s+)/)
      .flatMap((word) =>
        word.length > LONG
          ? word
              .split(/(?<=[_/.:,(=])(?=\w)|(?<=[a-z0-9])(?=[A-Z])/)
              .flatMap((part) => [document.createElement("wbr"), part])
          : word,
      );
    code.replaceChildren(...parts);
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

/** Set a title that says why a block is not executed apart from the name of a file. */
function markExcuses() {
  for (const title of document.querySelectorAll(".highlight .filename")) {
    title.classList.toggle("not-run", title.textContent.startsWith("Not run:"));
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
  nameLandmarks();
  makeButtons();
  amendSearch();
  document.getElementById("__search")?.addEventListener("change", amendSearch);
  noteFolded();
  breakNames();
  for (const table of document.querySelectorAll("article table:not([class])")) makeSortable(table);
  amendAdditions();
  new MutationObserver(amendAdditions).observe(document.querySelector(".md-content"), {
    childList: true,
    subtree: true,
  });
  markExcuses();
  setCopied();
  for (const code of document.querySelectorAll(".language-console code")) markContinuations(code);
  for (const code of document.querySelectorAll(".language-console code, .language-text code")) {
    markWildcards(code);
  }
});

addEventListener("resize", amendAdditions);
addEventListener("resize", amendSearch);
addEventListener("hashchange", followMoved);
