// Questions to a repository: passages as they are found, sentences as they are checked. All text goes in as text.
import { ask, byId, lines, make, post } from "./page.js";

let running = null; // the request of the question that runs
const VERDICTS = { "answered": "Answer", "not in the documents": "The documents don't say", "passages only": "Passages" };

function said(sentence) {
  const own = sentence.text !== sentence.quote;
  return make("figure", {}, make("p", {}, own ? sentence.text : `\u201c${sentence.quote}\u201d`),
    make("figcaption", { class: "facts" }, `${sentence.path}:${sentence.line}`, own ? make("q", {}, sentence.quote) : null));
}

function passage(each, number) {
  const title = each.title ? `  ${each.title}` : "";
  return make("details", { class: "passage", open: number === 0 && byId("passages-only").checked },
    make("summary", {}, `${each.path}:${each.line}-${each.end_line}${title}`), make("pre", {}, each.text));
}

const drawPassages = (passages) => byId("passages").replaceChildren(...passages.map(passage));

function conclude(answer) {
  byId("verdict").textContent = VERDICTS[answer.verdict];
  byId("sentences").replaceChildren(...answer.answer.map(said));
  drawPassages(answer.passages);
  const by = answer.model ? ` by ${answer.model}${answer.measured ? "" : ", for which nobody measured when it is right"}` : "";
  byId("inquiry-state").textContent = `${answer.passages.length} passages read${by}.`;
}

async function inquire(event) {
  event.preventDefault();
  const question = byId("question").value.trim();
  if (!question || running) return;
  running = new AbortController();
  byId("inquire").disabled = true;
  byId("inquire-stop").hidden = false;
  byId("answer").hidden = false;
  byId("verdict").textContent = "Reading \u2026";
  byId("sentences").replaceChildren();
  drawPassages([]);
  byId("inquiry-state").textContent = "Passages come at once, the answer after some seconds.";
  const body = { question, repository: byId("repository").value, model: byId("model").value, passages_only: byId("passages-only").checked };
  const request = post(body);
  try {
    const headers = { ...request.headers, accept: "application/x-ndjson" };
    const reply = await ask("api/ask", { ...request, headers, signal: running.signal });
    for await (const line of lines(reply)) {
      if (line.passages) drawPassages(line.passages);
      if (line.sentence) byId("sentences").append(said(line.sentence));
      if (line.answer) conclude(line.answer);
      if (line.error) throw new Error(line.error);
    }
    byId("verdict").focus();
  } catch (error) {
    byId("verdict").textContent = "No answer";
    byId("inquiry-state").textContent = error.name === "AbortError" ? "Stopped." : error.message;
  } finally {
    running = null;
    byId("inquire").disabled = false;
    byId("inquire-stop").hidden = true;
  }
}

async function listRepositories() {
  try {
    const { repositories } = await (await ask("api/ask")).json();
    byId("repository").replaceChildren(...repositories.map((each) =>
      make("option", { value: each.name, disabled: !each.indexed }, each.indexed ? each.name : `${each.name}, not indexed`)));
    byId("inquiry").hidden = !repositories.length;
  } catch { /* without a token nothing can be asked yet */ }
}

byId("inquiry").addEventListener("submit", inquire);
byId("inquire-stop").addEventListener("click", () => running && running.abort());
byId("token").addEventListener("change", listRepositories);
listRepositories();
