// The page of `hunkwise serve`. All text goes in as text: nothing that a diff, a model or a file name holds becomes markup.
import { isDiff, parsed } from "./diff.js";

export const byId = (id) => document.getElementById(id);
const SIGNS = { added: "+", removed: "\u2212" }; // for who sees no colours
const REFRESH = 5000; // milliseconds between two looks at models and load
let running = null; // the request of the review that runs
let shown = null; // what the shown review is of: the lines of each file

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, call] of Object.entries(value)) node.addEventListener(event, call);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

export async function ask(path, options = {}) {
  const token = byId("token").value;
  const headers = { ...(options.headers || {}), ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(path, { ...options, headers });
  byId("asks-token").hidden = answer.status !== 401 && !token;
  if (answer.ok) return answer;
  const text = await answer.text();
  let said = text;
  try { said = JSON.parse(text).error; } catch { /* plain text */ }
  throw new Error(answer.status === 401 ? "this server wants a token" : said || `the server answered ${answer.status}`);
}

export async function* lines(answer) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of answer.body) {
    const pieces = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = pieces.pop();
    for (const piece of pieces) if (piece.trim()) yield JSON.parse(piece);
  }
  if (rest.trim()) yield JSON.parse(rest);
}

// ---- what is reviewed

function draw(files) {
  shown = new Map();
  byId("files").replaceChildren(...files.map((file) => {
    const body = make("tbody");
    const rows = new Map();
    for (const row of file.rows) {
      const node = make("tr", { class: row.kind }, make("td", { class: "number" }, row.line ? String(row.line) : ""),
        make("td", { class: "sign" }, SIGNS[row.kind] || ""), make("td", { class: "code" }, row.code || " "));
      if (row.line) rows.set(row.line, node);
      body.append(node);
    }
    shown.set(file.path, { body, rows });
    return make("details", { class: "file", open: true }, make("summary", {}, file.path || "the text"), make("table", {}, body));
  }));
}

function place(finding) {
  if (!shown.has(finding.path)) {
    const body = make("tbody");
    shown.set(finding.path, { body, rows: new Map() });
    byId("files").append(make("details", { class: "file", open: true }, make("summary", {}, finding.path), make("table", {}, body)));
  }
  const { body, rows } = shown.get(finding.path);
  const sure = finding.confidence === null ? "not measured" : `confidence ${Math.round(finding.confidence * 100)} %`;
  const source = finding.source.rule ? `${finding.source.tool} ${finding.source.rule}` : finding.source.tool;
  const title = `${finding.level}, line ${finding.line}: ${finding.title}`;
  const node = make("article", { class: `finding ${finding.level}`, tabindex: "-1", "aria-label": title },
    make("h3", {}, make("span", { class: "level" }, finding.level), finding.title),
    make("p", { class: "facts" }, `line ${finding.line} · ${finding.dimension} · ${sure} · ${source}`),
    make("p", {}, finding.description),
    finding.advice ? make("p", {}, finding.advice) : null,
    finding.fix === null ? null : make("div", {}, "In place of these lines:", make("pre", {}, finding.fix)),
    finding.example ? make("div", {}, "An example that is right:", make("pre", {}, finding.example)) : null);
  const row = make("tr", {}, make("td", { colspan: "3" }, node));
  let after = rows.get(finding.end_line) || rows.get(finding.line) || null;
  if (after) while (after.nextSibling && after.nextSibling.querySelector(".finding")) after = after.nextSibling;
  if (after) after.after(row); else body.prepend(row);
}

function conclude(review) {
  const count = review.findings.length;
  document.querySelectorAll(".finding").forEach((node) => node.closest("tr").remove());
  review.findings.forEach(place);
  byId("headline").textContent = count === 0 ? "Nothing was found" : count === 1 ? "1 finding" : `${count} findings`;
  byId("moving").hidden = count < 2;
  const status = review.status.slice(0, 1).toUpperCase() + review.status.slice(1);
  byId("state").textContent = `${status} in ${review.seconds.toFixed(1)} s` + (review.model ? ` by ${review.model}` : ", without a model");
  byId("dimensions").replaceChildren(...Object.entries(review.dimensions).map(([name, number]) =>
    make("span", { class: number ? "some" : "none" }, `${name} ${number}`)));
  const unread = (review.not_read || []).map((each) => `${each.path}: ${each.reason}`);
  byId("warning").replaceChildren(...[review.error, review.warning, ...unread].filter(Boolean).map((text) => make("p", {}, text)));
  const formats = review.status === "done" ? Object.keys(FORMATS) : [];
  byId("downloads").replaceChildren(...(formats.length ? ["Save as"] : []), ...formats.map((format) =>
    make("button", { type: "button", "aria-label": `Save as ${FORMATS[format][0]}`, on: { click: () => download(review.id, format) } }, FORMATS[format][0])));
}

const FORMATS = { markdown: ["Markdown", "md"], sarif: ["SARIF", "sarif"], html: ["HTML", "html"] };

async function download(id, format) {
  const answer = await ask(`api/review/${id}?format=${format}`);
  const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: `review.${FORMATS[format][1]}` });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function review(event) {
  event.preventDefault();
  const text = byId("text").value;
  if (!text.trim() || running) return;
  const path = byId("path").value.trim() || "file.txt";
  if (!isDiff(text) && !byId("path").value.trim()) {
    byId("state").textContent = "Name the file's path: its ending tells the language.";
    byId("path").focus();
    return;
  }
  const body = { ...(isDiff(text) ? { diff: text } : { file_path: path, code: text }), model: byId("model").value };
  running = new AbortController();
  byId("stop").hidden = false;
  byId("start").disabled = true;
  byId("result").hidden = false;
  byId("headline").textContent = "Reviewing …";
  for (const id of ["dimensions", "warning", "downloads"]) byId(id).replaceChildren();
  byId("moving").hidden = true;
  let count = 0;
  byId("state").textContent = "The review runs; findings stand in the text as they come.";
  draw(parsed(text, path));
  try {
    const headers = { accept: "application/x-ndjson", "content-type": "application/json" };
    const answer = await ask("api/review", { method: "POST", headers, body: JSON.stringify(body), signal: running.signal });
    for await (const line of lines(answer)) {
      if (line.finding) {
        place(line.finding);
        byId("state").textContent = `The review runs; ${++count} found so far.`;
      }
      if (line.review) conclude(line.review);
      if (line.error) throw new Error(line.error);
    }
    byId("headline").focus();
  } catch (error) {
    byId("headline").textContent = "No review";
    byId("state").textContent = error.name === "AbortError" ? "Stopped." : error.message;
  } finally {
    running = null;
    byId("stop").hidden = true;
    byId("start").disabled = false;
    refresh();
  }
}

async function open(id) {
  const answer = await (await ask(`api/review/${id}`)).json();
  byId("result").hidden = false;
  draw([]);
  conclude(answer);
  byId("headline").focus();
}

// ---- the server: past reviews, models, load

const told = new Map(); // what each part of the page was last drawn from

// Draw a part only when it differs, so that an open list stays open; who has something of it under the keyboard keeps it.
function whenNew(part, data, render) {
  const text = JSON.stringify(data);
  if (told.get(part) === text) return;
  told.set(part, text);
  const key = document.activeElement.dataset.key;
  render();
  if (key) [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key)?.focus();
}

function sayLoad(text) {
  if (byId("load").textContent !== text) byId("load").textContent = text;
}

export async function refresh() {
  try {
    const [past, tags, loaded] = await Promise.all(
      ["api/review", "api/tags", "api/ps"].map(async (path) => (await ask(path)).json()));
    const active = past.reviews.filter((each) => each.status === "running" || each.status === "queued").length;
    sayLoad(`${active} ${active === 1 ? "review" : "reviews"} running, ${loaded.models.length} of ${tags.models.length} models loaded`);
    whenNew("past", past.reviews, () => drawPast(past.reviews));
    whenNew("models", [tags.models, loaded.models.map((each) => each.name)], () => drawModels(tags.models, loaded.models));
  } catch (error) {
    sayLoad(error.message);
  }
}

function drawPast(reviews) {
  byId("past").replaceChildren(...reviews.map((each) => {
    const found = Object.values(each.dimensions).reduce((sum, number) => sum + number, 0);
    return make("li", {}, make("button", { class: "name", type: "button", "data-key": each.id, on: { click: () => open(each.id) } }, each.of),
      make("span", { class: "facts" }, `${each.status}, ${found} found, ${each.seconds.toFixed(1)} s, ${new Date(each.created * 1000).toLocaleTimeString()}`));
  }));
  if (!reviews.length) byId("past").append(make("li", { class: "facts" }, "None in the last hour."));
}

function drawModels(here, loaded) {
  const names = new Set(loaded.map((each) => each.name));
  const chosen = byId("model").value;
  byId("model").replaceChildren(make("option", { value: "" }, "the server's own"),
    ...here.map((each) => make("option", { value: each.name }, each.name)));
  byId("model").value = here.some((each) => each.name === chosen) ? chosen : "";
  byId("models").replaceChildren(...here.map((each) => {
    const size = `${(each.size / 2 ** 20).toFixed(0)} MiB`;
    const unload = () => settle(ask("api/generate", post({ model: each.name, prompt: "", keep_alive: 0, stream: false })));
    return make("li", {}, make("span", {}, each.name, " "),
      make("span", { class: "facts" }, `${size}, ${names.has(each.name) ? "loaded" : "not loaded"} `),
      names.has(each.name) ? make("button", { type: "button", "data-key": each.name, "aria-label": `Unload ${each.name}`, on: { click: unload } }, "unload") : null);
  }));
  if (!here.length) byId("models").append(make("li", { class: "facts" }, "None yet. Fetch one below."));
}

export const post = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

async function settle(promise) {
  try { await promise; } catch (error) { sayLoad(error.message); }
  refresh();
}

async function pull(event) {
  event.preventDefault();
  const progress = byId("pull-progress");
  try {
    for await (const line of lines(await ask("api/pull", post({ model: byId("pull-name").value.trim() })))) {
      if (line.error) throw new Error(line.error);
      byId("pull-state").textContent = line.status || "";
      progress.hidden = !line.total;
      if (line.total) { progress.max = line.total; progress.value = line.completed || 0; }
    }
  } catch (error) {
    byId("pull-state").textContent = error.message;
  }
  progress.hidden = true;
  refresh();
}

// ---- hands and keys

function move(step) {
  const all = [...document.querySelectorAll(".finding")];
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length];
  next.focus();
  next.scrollIntoView({ block: "center" });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("ask").requestSubmit();
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  if (event.key === "j") move(1);
  if (event.key === "k") move(-1);
});

async function take(file) {
  byId("text").value = await file.text();
  if (!isDiff(byId("text").value)) byId("path").value = file.name;
}

const box = byId("text");
box.addEventListener("dragover", (event) => { event.preventDefault(); box.classList.add("over"); });
box.addEventListener("dragleave", () => box.classList.remove("over"));
box.addEventListener("drop", (event) => {
  box.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});
byId("ask").addEventListener("submit", review);
byId("stop").addEventListener("click", () => running && running.abort());
byId("pull").addEventListener("submit", pull);
byId("token").addEventListener("change", refresh);
byId("asks-token").addEventListener("submit", (event) => event.preventDefault());
refresh();
setInterval(() => document.hidden || refresh(), REFRESH);
