// Copies the text of a snippet; without JavaScript it can be selected.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select the text to copy it"; // a page without TLS may not write to the clipboard
  }
});

// Follows the events of a job. All texts of events are strangers': they become text, never markup.
{
  const followed = document.getElementById("events");
  if (followed) followJob(followed);
}

function followJob(root) {
  const MAX_LINES = 2000;
  const ENDS = ["succeeded", "failed", "cancelled"];
  const log = root.querySelector(".log");
  const caption = root.querySelector("figcaption");
  const lines = new Map(); // points of each metric whose name ends in "loss"
  let state = "";
  let drawing = 0;
  let refreshing = 0;

  const source = new EventSource(root.dataset.events);
  const on = (kind, action) =>
    source.addEventListener(kind, (event) => action(JSON.parse(event.data)));
  on("log", (event) => addLine(event.at, event.message));
  on("metric", (event) => {
    if (event.name.endsWith("loss")) addPoint(event.name, event.step, event.value);
  });
  on("progress", ({ progress }) => {
    if (progress.loss != null) addPoint("loss", progress.done, progress.loss);
    const text = document.querySelector("#progress .progress-text");
    if (!text) return refresh();
    document.querySelector("#progress progress").value = (100 * progress.done) / progress.total;
    text.textContent =
      `${progress.done.toLocaleString("en")} of ${progress.total.toLocaleString("en")}` +
      (progress.loss == null ? "" : `, loss ${progress.loss.toPrecision(4)}`);
  });
  on("state", (event) => {
    state = event.state;
    addLine(event.at, event.message ? `${state}: ${event.message}` : state);
    refresh();
  });
  on("waiting", (event) => {
    document.getElementById("waiting").replaceChildren(
      ...event.waiting.map((reason) => {
        const line = document.createElement("p");
        line.textContent = reason.message;
        return line;
      }),
    );
  });
  // The server ends the stream after the job's end; without close() it would be asked for again.
  source.onerror = () => {
    if (ENDS.includes(state)) source.close();
  };

  function refresh() {
    clearTimeout(refreshing); // the events so far come at once
    refreshing = setTimeout(() => {
      const shown = document.getElementById("state");
      const stale = state && shown.dataset.state !== state;
      if (stale || !shown.querySelector("progress")) htmx.trigger(shown, "job-changed");
    }, 200);
  }

  function addLine(at, text) {
    const follows = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    log.append(`${at.slice(11, 19)} ${text}\n`);
    while (log.childNodes.length > MAX_LINES) log.firstChild.remove();
    if (follows) log.scrollTop = log.scrollHeight;
  }

  function addPoint(name, step, value) {
    if (!Number.isFinite(value)) return;
    if (!lines.has(name)) lines.set(name, []);
    lines.get(name).push([step, value]);
    cancelAnimationFrame(drawing);
    drawing = requestAnimationFrame(draw);
  }

  function draw() {
    const all = [...lines.values()].flat();
    const range = (index) =>
      all.reduce(([low, high], point) => [Math.min(low, point[index]), Math.max(high, point[index])], [Infinity, -Infinity]);
    const [left, right] = range(0);
    const [low, high] = range(1);
    const x = (step) => 10 + (580 * (step - left)) / (right - left || 1);
    const y = (value) => 190 - (180 * (value - low)) / (high - low || 1);
    root.querySelector("svg g").replaceChildren(
      ...[...lines.values()].map((points, index) => {
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", `line${index % 2}`);
        path.setAttribute("d", "M" + points.map(([step, value]) => `${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("L"));
        return path;
      }),
    );
    caption.textContent =
      `Steps ${left} to ${right}; ` +
      [...lines].map(([name, points]) => `${name}: now ${points.at(-1)[1].toPrecision(4)}`).join(", ") +
      `; lowest ${low.toPrecision(4)}, highest ${high.toPrecision(4)}`;
  }
}
