// Tells which known issues a log shows, where it is pasted: nothing of it leaves the browser.
// The rules are those of triage.py, which explains them; a test holds both to the same answers.

// Made from the front matter of the pages by `just known-issues`; the same is in triage.py.
// <issues>
const TRIAGE_ISSUES = [];
// </issues>

const triage = (() => {
  const ROW = 400; // characters of a line that are read and shown together
  const FEW_LINES = 400; // characters, without spaces, for which " … " may stand
  const WORD = 80; // characters for which "…" may stand
  const CUT = 16; // characters, without spaces, of a text that was cut short
  const SHOWN = 5; // lines of an issue
  const QUESTION = 4; // characters, without spaces, of a part of a text

  const CONTROLS =
    /(?:\x1b|\^\[|\\x1b|\\u001b|\\033)?\[[0-9]{1,3}(?:;[0-9]{1,3})*m|\x1b\[[0-?]*[ -\/]*[@-~]|\x1b[\]_P^X][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]/g;
  const ENTITIES = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
    "&#34;": '"',
    "&#x22;": '"',
    "&apos;": "'",
    "&#39;": "'",
    "&#x27;": "'",
    "&nbsp;": " ",
  };
  const ENTITY = new RegExp(Object.keys(ENTITIES).join("|"), "g");
  const SPACE = /[\0\t\v\f\r \u00a0\ufeff]+/g;
  const PREFIX =
    /^ ?(?:(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]+(?:Z|[+-][0-9:]+)?|[0-9]{2}[OE][+]?|\[[^\]]{0,40}[0-9]:[0-9]{2}:[0-9]{2}[^\]]{0,40}\]|\[gw[0-9]+\]|##\[[a-z]+\]|[A-Za-z0-9_.-]+ [|]|[>|+E]+)(?: |$))+/;
  const NO_LETTER = /\\+[nrt]?|[^!-~]|["'`]/g;
  const IN_WORD = /^[a-z0-9_./:-]*$/;
  const ELLIPSIS = /( ?)…( ?)/;

  const STRENGTHS = ["message", "sign", "part"];

  const plain = (line) =>
    line
      .replace(CONTROLS, "")
      .replace(ENTITY, (entity) => ENTITIES[entity])
      .replace(SPACE, " ")
      .replace(PREFIX, "")
      .replace(/^ +| +$/g, "");
  const spelt = (text) => text.replaceAll("…", "...").replace(NO_LETTER, " ").toLowerCase();
  const letters = (text) => spelt(text).replaceAll(" ", "");

  /** The rows of a line: all of it, or 400 characters each of a longer one. */
  function rows(line, number) {
    const text = plain(line);
    if (text.length <= ROW) return text ? [{ line: number, text }] : [];
    const characters = [...text];
    const pieces = [];
    for (let start = 0; start < characters.length; start += ROW) {
      pieces.push({ line: number, text: characters.slice(start, start + ROW).join("") });
    }
    return pieces;
  }

  /** The messages and signs of all issues. */
  function texts(issues) {
    return issues.flatMap((issue, number) =>
      ["message", "sign"].flatMap((strength) =>
        issue[`${strength}s`].map((text) => {
          const pieces = text.split(ELLIPSIS);
          const parts = pieces.filter((_, position) => position % 3 === 0).map(letters);
          const reaches = parts.slice(1).map((_, gap) => {
            return pieces[3 * gap + 1] || pieces[3 * gap + 2] ? FEW_LINES : WORD;
          });
          const length = parts.reduce((sum, part) => sum + part.length, 0);
          return { issue: number, strength, text, parts, reaches, length };
        }),
      ),
    );
  }

  /** The letters of all rows, one after another. */
  class Stream {
    constructor(rows) {
      this.spelt = rows.map((row) => spelt(row.text));
      const pieces = this.spelt.map((text) => text.replaceAll(" ", ""));
      this.letters = pieces.join("");
      this.starts = [0];
      for (const piece of pieces) this.starts.push(this.starts.at(-1) + piece.length);
    }

    /** The row that has a letter. */
    row(at) {
      let [low, high] = [0, this.starts.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.starts[middle] <= at) low = middle + 1;
        else high = middle;
      }
      return low - 1;
    }

    /** Whether a word may begin at a letter: a row does, or no other word ends there. */
    partsWords(at) {
      const row = this.row(at);
      const around = this.letters.slice(Math.max(at - 1, 0), at + 1);
      if (!/^[a-z0-9_]{2}$/.test(around) || this.starts[row] === at) return true;
      let ahead = at - this.starts[row];
      for (let position = 0; ; position += 1) {
        if (this.spelt[row][position] === " ") continue;
        if (ahead === 0) return this.spelt[row][position - 1] === " ";
        ahead -= 1;
      }
    }

    /** Each letter at which a word, and these letters, begin. */
    *places(start) {
      for (let at = this.letters.indexOf(start); at >= 0; at = this.letters.indexOf(start, at + 1)) {
        if (this.partsWords(at)) yield at;
      }
    }

    /** The end of the rest of a text, of which the first part ends at a letter; -1 if it is not there. */
    end(text, at) {
      let end = at;
      for (const [gap, reach] of text.reaches.entries()) {
        const part = text.parts[gap + 1];
        const between = this.letters.slice(end, end + reach + part.length).indexOf(part);
        if (between < 0) return -1;
        if (reach === WORD && !IN_WORD.test(this.letters.slice(end, end + between))) return -1;
        end += between + part.length;
      }
      return this.partsWords(end) ? end : -1;
    }

    /** Each hit of a text. */
    *whole(text) {
      for (const at of this.places(text.parts[0])) {
        const end = this.end(text, at + text.parts[0].length);
        if (end >= 0) yield { text, first: this.row(at), last: this.row(end - 1), length: text.length };
      }
    }

    /** Each hit of the beginning of a text, where three dots and the end of a row follow. */
    *cut(text) {
      if (text.parts[0].length <= CUT) return;
      for (const at of this.places(text.parts[0].slice(0, CUT))) {
        const row = this.row(at);
        const rest = this.letters.slice(at, this.starts[row + 1]);
        const begun = rest.slice(0, -3);
        if (rest.endsWith("...") && begun.length >= CUT && text.parts[0].startsWith(begun)) {
          yield { text: { ...text, strength: "part" }, first: row, last: row, length: begun.length };
        }
      }
    }

    /** The hit of a text of which the only row is a part; the shorter the text, the better. */
    *part(text) {
      const whole = letters(text.text);
      const only = this.spelt.length === 1 && this.letters.length >= QUESTION;
      if (only && whole.includes(this.letters)) {
        yield { text: { ...text, strength: "part" }, first: 0, last: 0, length: -whole.length };
      }
    }
  }

  const worse = (one, other) =>
    STRENGTHS.indexOf(one.text.strength) - STRENGTHS.indexOf(other.text.strength) ||
    other.length - one.length;

  /** All hits that count: where two stand in one row, the better one alone does. */
  function counted(hits) {
    const best = new Map();
    for (const hit of hits) {
      for (let row = hit.first; row <= hit.last; row += 1) {
        if (!best.has(row) || worse(hit, best.get(row)) < 0) best.set(row, hit);
      }
    }
    return hits.filter((hit) => worse(hit, best.get(hit.first)) === 0);
  }

  /** What `triage` of triage.py returns, from all hits that count. */
  function fits(hits, log, issues) {
    const order = (one, other) => worse(one, other) || one.first - other.first;
    const byIssue = new Map();
    for (const hit of hits) {
      if (!byIssue.has(hit.text.issue)) byIssue.set(hit.text.issue, []);
      byIssue.get(hit.text.issue).push(hit);
    }
    const sorted = [...byIssue.values()].map((hits) => hits.sort(order));
    sorted.sort(([one], [other]) => order(one, other) || one.text.issue - other.text.issue);
    return sorted.map((hits) => {
      const lines = new Map();
      for (const hit of hits) {
        const { line, text } = log[hit.first];
        if (!lines.has(line)) lines.set(line, { line, text, fits: hit.text.text });
      }
      const { id, title } = issues[hits[0].text.issue];
      return {
        id,
        title,
        strength: hits[0].text.strength,
        lines: [...lines.values()].slice(0, SHOWN),
        more: Math.max(lines.size - SHOWN, 0),
      };
    });
  }

  /**
   * Read a log in steps, so that whoever takes them can draw in between; the last one returns what
   * fits, as `triage` of triage.py does.
   */
  return function* triage(log, issues) {
    const read = [];
    for (const [number, line] of log.split("\n").entries()) {
      read.push(...rows(line, number + 1));
      if (number % 1000 === 0) yield;
    }
    const stream = new Stream(read);
    const known = texts(issues);
    const titles = issues.map((issue, number) => ({ issue: number, text: issue.title }));
    const hits = [];
    for (const [way, asked] of [["whole", known], ["cut", known], ["part", [...known, ...titles]]]) {
      for (const text of hits.length ? [] : asked) {
        yield;
        for (const hit of stream[way](text)) hits.push(hit);
      }
    }
    return fits(counted(hits), read, issues);
  };
})();

/** Set up the field in which a log is pasted, on the page that has it. */
function showTriage() {
  const LARGE = 100_000; // characters of which a field shows the end alone: more makes it slow
  const END = 10_000; // characters of that end
  const PAUSE = 200; // milliseconds without typing
  const SLICE = 20; // milliseconds of work before the browser may draw

  const room = document.querySelector("#triage");
  if (!room?.hidden) return;
  const field = room.querySelector("textarea");
  const file = room.querySelector("input[type=file]");
  const said = room.querySelector("[role=status]");
  const list = room.querySelector("ol");
  let current;

  const element = (name, ...children) => {
    const made = document.createElement(name);
    made.append(...children);
    return made;
  };

  const item = (fit) => {
    const link = element("a", fit.title);
    // The builder knows where it put the page; the table has the links.
    link.href = document.querySelector(`a[data-issue="${fit.id}"]`).href;
    const lines = fit.lines.map(({ line, text }) =>
      element("li", `Line ${line}: `, element("code", text)),
    );
    if (fit.more) lines.push(element("li", `and ${fit.more} more`));
    return element("li", ...(fit.strength === "message" ? [] : ["Perhaps: "]), link, element("ul", ...lines));
  };

  const show = (fits) => {
    list.replaceChildren(...fits.map(item));
    room.querySelector("[data-triage=nothing]").hidden = fits.length > 0;
    if (fits.length === 0) return "Nothing that we know fits.";
    return fits.length === 1 ? "One issue fits:" : `${fits.length} issues fit, the best first:`;
  };

  /** Find what fits a log; whatever is given next ends it. */
  const find = async (log) => {
    const work = triage(log, TRIAGE_ISSUES);
    current = work;
    list.replaceChildren();
    room.querySelector("[data-triage=nothing]").hidden = true;
    said.textContent = "";
    if (log.trim() === "") return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    for (;;) {
      const until = performance.now() + SLICE;
      while (performance.now() < until) {
        if (current !== work) return;
        const step = work.next();
        if (step.done) {
          said.textContent = show(step.value);
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
  };

  /** Take a log that is not typed: of a long one the field shows the end alone. */
  const take = (log) => {
    field.value = log.length > LARGE ? log.slice(-END) : log;
    find(log);
  };

  field.addEventListener("input", () => find(field.value));
  field.addEventListener("paste", (event) => {
    const log = event.clipboardData.getData("text");
    if (log.length <= LARGE) return;
    event.preventDefault();
    take(log);
  });
  file.addEventListener("change", async () => {
    if (file.files.length) take(await file.files[0].text());
  });
  room.hidden = false;
  // Some browsers keep what was in it.
  find(field.value);
}

if (typeof document$ !== "undefined") document$.subscribe(showTriage); // Material's pages
else if (typeof document !== "undefined") {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", showTriage);
  else showTriage();
}
