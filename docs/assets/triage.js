// Tells which known issues a log shows, where it is pasted: nothing of it leaves the browser.
// The rules are those of triage.py, which explains them; a test holds both to the same answers.

// Made from the front matter of the pages by `just known-issues`: begin.
const TRIAGE_ISSUES = [
 {
  "id": "grpc-segfault",
  "title": "Fatal Python error: Segmentation fault … Garbage-collecting",
  "description": "A pytest run over grpc.aio dies with Fatal Python error: Segmentation fault while Garbage-collecting, exit status 139. How to tell that it is this, and the missing line.",
  "messages": [
   "Fatal Python error: Segmentation fault … Garbage-collecting",
   "Fatal Python error: Bus error … Garbage-collecting",
   "Garbage-collecting",
   "INTERNALERROR> ValueError: generator already executing"
  ],
  "signs": [
   "Fatal Python error: Segmentation fault",
   "Fatal Python error: Bus error",
   "Extension modules: … grpc._cython.cygrpc",
   "ValueError: generator already executing",
   "running the test CRASHED with signal 11",
   "Segmentation fault",
   "exit status 139",
   "exit code 139",
   "exit code -11",
   "exit value 139",
   "signal 11",
   "SIGSEGV",
   "segfault at",
   "node down: Not properly terminated"
  ]
 },
 {
  "id": "preexec-fn-child",
  "title": "epoll_wait error: Bad file descriptor, and a child ends with -6",
  "description": "Some children of a process with an open gRPC channel die of SIGABRT before they begin, when they are started with preexec_fn. The cure is start_new_session.",
  "messages": [
   "encountered epoll_wait error: Bad file descriptor",
   "Kick failed: UNKNOWN:eventfd_write"
  ],
  "signs": [
   "encountered epoll_wait error"
  ]
 },
 {
  "id": "aio-code-never-returns",
  "title": "await call.code() never returns (grpc.aio)",
  "description": "A test hangs at await call.code() or call.details(): the call was never sent, since its metadata are no text, and its deadline never comes. Await the call itself.",
  "messages": [
   "await self._cython_call.status()).code() … CancelledError",
   "TypeError: Expected str, not <class 'int'>"
  ],
  "signs": []
 },
 {
  "id": "run-does-not-end",
  "title": "The pytest run does not end after “N passed” (gRPC)",
  "description": "All tests of a gRPC suite pass and the pytest process does not end, or hangs at a test's end until CI's time-out. Three causes, told apart by the stack that faulthandler prints.",
  "messages": [
   "The executor did not finishing joining its threads within 300 seconds",
   "coroutine 'AioServer.shutdown' was never awaited"
  ],
  "signs": [
   "in _python_exit",
   "in _do_shutdown",
   "Timeout (…)!"
  ]
 },
 {
  "id": "blocking-io-error",
  "title": "BlockingIOError in PollerCompletionQueue._handle_events",
  "description": "With grpcio before 1.80 and two event loops in two threads asyncio logs BlockingIOError: [Errno 11] from PollerCompletionQueue._handle_events. Calls are answered all the same.",
  "messages": [
   "Exception in callback PollerCompletionQueue._handle_events",
   "PollerCompletionQueue._handle_events … BlockingIOError: [Errno 11] Resource temporarily unavailable"
  ],
  "signs": [
   "BlockingIOError: [Errno 11] Resource temporarily unavailable"
  ]
 },
 {
  "id": "event-loop-closed",
  "title": "RuntimeError: Event loop is closed; a different loop (grpc.aio)",
  "description": "A second async test over a grpc.aio channel fails with Event loop is closed, a first one with attached to a different loop; or event_loop is not found. Which loop owns what, and the cure.",
  "messages": [
   "RuntimeError: Event loop is closed",
   "attached to a different loop",
   "fixture 'event_loop' not found",
   "ScopeMismatch: You tried to access the function scoped fixture _function_scoped_runner",
   "ScopeMismatch: You tried to access the function scoped fixture event_loop",
   "requested an async fixture … with no plugin or hook that handled it",
   "async def functions are not natively supported."
  ],
  "signs": [
   "raise RuntimeError('Event loop is closed')",
   "attached to a different event loop",
   "is bound to a different event loop",
   "scoped fixture 'event_loop' with a"
  ]
 },
 {
  "id": "no-current-event-loop",
  "title": "There is no current event loop in thread 'MainThread' (grpc.aio)",
  "description": "A sync test that makes a grpc.aio channel or client passes alone and fails with RuntimeError after any async test. Make the client in a running event loop.",
  "messages": [
   "There is no current event loop in thread 'MainThread'"
  ],
  "signs": [
   "There is no current event loop",
   "no running event loop",
   "ResourceWarning: unclosed event loop"
  ]
 },
 {
  "id": "descriptor-pool",
  "title": "Couldn't build proto file into descriptor pool",
  "description": "Each test passes alone; together one fails with TypeError and duplicate file name: two .proto files had the same path as protoc saw it.",
  "messages": [
   "Couldn't build proto file into descriptor pool: duplicate file name",
   "Couldn't build proto file into descriptor pool"
  ],
  "signs": [
   "duplicate file name",
   "A file with this name is already in the pool",
   "File already exists in database"
  ]
 },
 {
  "id": "gencode-versions",
  "title": "VersionError: incompatible Protobuf Gencode/Runtime versions",
  "description": "pytest cannot import a generated module: protobuf or grpcio is older than the tools that generated it. How to read the message, and which side to move.",
  "messages": [
   "Detected incompatible Protobuf Gencode/Runtime versions",
   "Detected mismatched Protobuf Gencode/Runtime",
   "Runtime version cannot be older than the linked gencode version",
   "cannot import name 'runtime_version' from 'google.protobuf'",
   "The grpc package installed is at version … but the generated code",
   "Descriptors cannot be created directly"
  ],
  "signs": [
   "google.protobuf.runtime_version",
   "cannot import name 'builder' from 'google.protobuf.internal'",
   "unexpected keyword argument '_registered_method'",
   "has no attribute 'add_registered_method_handlers'"
  ]
 },
 {
  "id": "pb2-import",
  "title": "ModuleNotFoundError: No module named 'x_pb2' in x_pb2_grpc.py",
  "description": "A generated x_pb2_grpc.py imports x_pb2 as if it were at the top, and pytest does not find it. Generate from the root of the package.",
  "messages": [
   "ModuleNotFoundError: No module named '…_pb2'",
   "ModuleNotFoundError: No module named '…_pb2_grpc'"
  ],
  "signs": [
   "No module named '…_pb2'",
   "No module named '…_pb2_grpc'"
  ]
 },
 {
  "id": "connection-refused",
  "title": "failed to connect to all addresses … Connection refused",
  "description": "The first gRPC call to a server in a process of its own fails with UNAVAILABLE and Connection refused: the process runs, and does not listen yet.",
  "messages": [
   "failed to connect to all addresses … Connection refused",
   "Failed to connect to remote host: Connection refused"
  ],
  "signs": [
   "failed to connect to all addresses",
   "status = StatusCode.UNAVAILABLE",
   "terminated with (StatusCode.UNAVAILABLE"
  ]
 },
 {
  "id": "deadline-in-the-loop",
  "title": "DEADLINE_EXCEEDED from a sync stub in an async test",
  "description": "A call of a sync gRPC stub in an async test ends with DEADLINE_EXCEEDED, or never, since it holds the event loop in which the server should run.",
  "messages": [],
  "signs": [
   "terminated with (StatusCode.DEADLINE_EXCEEDED",
   "status = StatusCode.DEADLINE_EXCEEDED",
   "Deadline Exceeded"
  ]
 },
 {
  "id": "http-proxy",
  "title": "failed to connect to all addresses … HTTP proxy returned 403",
  "description": "gRPC sends calls for a server on 127.0.0.1 to the proxy of http_proxy, https_proxy or grpc_proxy: UNAVAILABLE. NO_PROXY in upper case does not help.",
  "messages": [
   "HTTP proxy returned response code",
   "HTTP proxy handshake with"
  ],
  "signs": [
   "via HTTP proxy",
   "cannot parse value of 'http_proxy'"
  ]
 },
 {
  "id": "shared-port",
  "title": "The wrong server answers under pytest-xdist; Failed to bind",
  "description": "Two gRPC servers can listen on the same port on Linux, so workers of pytest-xdist are answered by each other's servers. Port 0 is the cure, for Failed to bind to address too.",
  "messages": [
   "Failed to bind to address",
   "Failed to add port to server"
  ],
  "signs": [
   "Failed to add any wildcard listeners",
   "Address already in use"
  ]
 },
 {
  "id": "fork-noise-on-stderr",
  "title": "Other threads are currently calling into gRPC (fork_posix.cc)",
  "description": "gRPC writes a line to standard error when a process forks during a call, and a test that wants standard error empty fails. One variable silences it.",
  "messages": [],
  "signs": [
   "skipping fork() handlers",
   "All log messages before absl::InitializeLog()"
  ]
 },
 {
  "id": "forked-coverage",
  "title": "Coverage falls with --forked: only what runs at import counts",
  "description": "With pytest-forked the coverage of a gRPC suite falls to the lines that run at import, without any error. Two lines of configuration bring it back.",
  "messages": [],
  "signs": [
   "--cov … --forked",
   "--forked … --cov",
   "Required test coverage of … not reached"
  ]
 },
 {
  "id": "forked-mixed",
  "title": "previous item was not torn down properly (pytest-forked)",
  "description": "A file whose last test is forked, after one that is not, makes the next file's first test fail with AssertionError at setup. pytest-forked 1.7.5 ends it.",
  "messages": [
   "AssertionError: previous item was not torn down properly"
  ],
  "signs": [
   "previous item was not torn down properly"
  ]
 },
 {
  "id": "grpc-fork-parent",
  "title": "Forked gRPC tests hang or crash from the first one on",
  "description": "With --forked, tests hang or die of a signal since the pytest process opened a gRPC channel or started a server before the fork: which combinations do, and the way out.",
  "messages": [
   "Check failed: next_worker->state == KICKED",
   "Timeout (…)! … in add_insecure_port"
  ],
  "signs": [
   "running the test CRASHED with signal 11",
   "running the test CRASHED with signal 6",
   "EXITED with status 1"
  ]
 },
 {
  "id": "init-before-fork",
  "title": "Forked grpc.aio tests time out: init_grpc_aio() before the fork",
  "description": "Under --forked every grpc.aio channel stays unconnected, since pytest's own process has called grpc.aio.init_grpc_aio(), often in a library that was imported.",
  "messages": [],
  "signs": [
   "in watch_connectivity_state … CancelledError",
   "in channel_ready … TimeoutError",
   "skipping fork() handlers … Fatal Python error: Aborted",
   "skipping fork() handlers … Fatal Python error: Segmentation fault"
  ]
 },
 {
  "id": "pytest-forked-pytest-9.2",
  "title": "running the test EXITED with status 3 (pytest 9.2, --forked)",
  "description": "Since pytest 9.2.0 every test that is run with --forked fails with EXITED with status 3, or CRASHED with signal 0. A few lines of conftest.py make every forked test right again.",
  "messages": [
   "running the test EXITED with status 3",
   "running the test CRASHED with signal 0",
   "ValueError: unmarshallable object"
  ],
  "signs": []
 },
 {
  "id": "abandoned-call",
  "title": "server.stop(grace) takes all of its grace (grpc.aio)",
  "description": "Since grpcio 1.83 a grpc.aio stream that a test leaves after its first message runs on, and the server's stop waits for it: each such test is slower by the grace.",
  "messages": [],
  "signs": [
   "stop() takes all of its grace"
  ]
 },
 {
  "id": "aio-request-empty",
  "title": "Exception serializing message! (grpc.aio sends it empty)",
  "description": "A grpc.aio stub that is called with a request of the wrong type sends an empty message, and the call ends with OK: a test can pass for the wrong reason.",
  "messages": [
   "Exception serializing message!"
  ],
  "signs": []
 }
];
// End of what `just known-issues` makes.

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
  const AS_EXPECTED =
    /^(?:(?:\[ *[0-9]+%\] )?(?:PASSED|SKIPPED|XFAIL|XPASS) [^ :]+::[A-Za-z0-9_:]+(?:\[.*\])?(?: - .*)?|[^ :]+::[A-Za-z0-9_:]+(?:\[.*\])? (?:PASSED|SKIPPED|XFAIL|XPASS)(?: \(.*\))?(?: ?\[ *[0-9]+%\])?)$/s;
  const NUMBER = /[0-9]+/g;
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

  const counted = (row) => (AS_EXPECTED.test(row) ? "" : spelt(row));
  const numbered = (letters) => letters.replace(NUMBER, " $& ");

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
      this.spelt = rows.map((row) => counted(row.text));
      const pieces = this.spelt.map((text) => text.replaceAll(" ", ""));
      this.letters = pieces.join("");
      this.starts = [0];
      for (const piece of pieces) this.starts.push(this.starts.at(-1) + piece.length);
      this.words = new Map(); // where the words of a row end, for the rows that were asked for
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

    /** Whether white space stands before a letter, in its row. */
    spaced(at) {
      const row = this.row(at);
      if (!this.words.has(row)) {
        const ends = new Set();
        let end = 0;
        for (const word of this.spelt[row].split(" ")) if (word) ends.add((end += word.length));
        this.words.set(row, ends);
      }
      return this.words.get(row).has(at - this.starts[row]);
    }

    /** Whether a word may begin at a letter: a row does, or no other word ends there. */
    partsWords(at) {
      const around = this.letters.slice(Math.max(at - 1, 0), at + 1);
      if (!/^[a-z0-9_]{2}$/.test(around)) return true;
      return this.starts[this.row(at)] === at || this.spaced(at);
    }

    /** Whether an ellipsis may stand for these letters. */
    bridged(reach, start, end) {
      if (reach === FEW_LINES) return this.partsWords(start) && this.partsWords(end);
      if (!IN_WORD.test(this.letters.slice(start, end))) return false;
      for (let at = start + 1; at <= end; at += 1) if (this.spaced(at)) return false;
      return true;
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
        if (between < 0 || !this.bridged(reach, end, end + between)) return -1;
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
      if (only && numbered(whole).includes(numbered(this.letters))) {
        yield { text: { ...text, strength: "part" }, first: 0, last: 0, length: -whole.length };
      }
    }
  }

  const worse = (one, other) =>
    STRENGTHS.indexOf(one.text.strength) - STRENGTHS.indexOf(other.text.strength) ||
    other.length - one.length;

  /** Where two hits stand in one row, the better one alone. */
  function best(hits) {
    const ranks = new Map();
    for (const hit of hits) {
      for (let row = hit.first; row <= hit.last; row += 1) {
        if (!ranks.has(row) || worse(hit, ranks.get(row)) < 0) ranks.set(row, hit);
      }
    }
    return hits.filter((hit) => worse(hit, ranks.get(hit.first)) === 0);
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
    const told = issues.flatMap((issue, number) =>
      [issue.title, issue.description].map((text) => ({ issue: number, text })),
    );
    for (const [way, asked] of [["whole", known], ["cut", known], ["part", [...known, ...told]]]) {
      const hits = [];
      for (const text of asked) {
        yield;
        for (const hit of stream[way](text)) hits.push(hit);
      }
      if (hits.length) return fits(way === "part" ? hits : best(hits), read, issues);
    }
    return [];
  };
})();

/** Set up the field in which a log is pasted, on the page that has it. */
function showTriage() {
  const LARGE = 100_000; // characters of which a field shows the end alone: more makes it slow
  const END = 10_000; // characters of that end
  const PAUSE = 200; // milliseconds without typing
  const SLICE = 20; // milliseconds of work before the browser may draw

  const room = document.querySelector("#triage");
  if (!room || room.dataset.triage) return;
  room.dataset.triage = "shown";
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
    // The builder knows where it put the page; the list of all messages has the links.
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
  // Some browsers keep what was in it, and who is quick has pasted before.
  find(field.value);
}

if (typeof document$ !== "undefined") document$.subscribe(showTriage); // Material's pages
else if (typeof document !== "undefined") {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", showTriage);
  else showTriage();
}
