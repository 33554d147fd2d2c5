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

/** Amend what Material adds to the content as it comes into view. */
function amendAdditions() {
  // The buttons of a code block are no landmark.
  for (const buttons of document.querySelectorAll("nav.md-code__nav")) {
    buttons.setAttribute("role", "none");
  }
  // A table that is wider than the screen is scrolled by keyboard too.
  for (const wrap of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0;
    else wrap.removeAttribute("tabindex");
  }
}

/**
 * Mark the lines of a loop or a here-document as typed, not printed: Pygments knows a
 * continuation prompt only after a backslash.
 */
function markContinuations(code) {
  let typed = false;
  for (const line of code.querySelectorAll(":scope > span")) {
    const output = line.querySelector(":scope > .go");
    if (typed && output?.textContent.startsWith("> ")) {
      const prompt = document.createElement("span");
      prompt.className = "gp";
      prompt.textContent = "> ";
      output.replaceWith(prompt, output.textContent.slice(2));
    } else {
      typed = output === null;
    }
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

document$.subscribe(() => {
  followMoved();
  nameLandmarks();
  amendAdditions();
  new MutationObserver(amendAdditions).observe(document.querySelector(".md-content"), {
    childList: true,
    subtree: true,
  });
  markExcuses();
  for (const code of document.querySelectorAll(".language-console code")) markContinuations(code);
  for (const code of document.querySelectorAll(".language-console code, .language-text code")) {
    markWildcards(code);
  }
});

addEventListener("resize", amendAdditions);
addEventListener("hashchange", followMoved);
