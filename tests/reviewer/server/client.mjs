// What Ollama's client for JavaScript says of a server: prints one JSON object.
import { Ollama } from "ollama";

const [host, model] = process.argv.slice(2);
const client = new Ollama({ host });
const messages = [{ role: "user", content: "Hello" }];

const pieces = [];
for await (const part of await client.chat({ model, messages, stream: true })) pieces.push(part.message.content);
const whole = await client.generate({ model, prompt: "Hello", options: { num_predict: 5 } });
const shown = await client.show({ model });
const listed = await client.list();
const embedded = await client.embed({ model, input: ["one", "two"] });
const missing = await client.generate({ model: "none", prompt: "x" }).catch((error) => error.message);
console.log(
  JSON.stringify({
    streamed: pieces.join(""),
    whole: whole.response,
    done: whole.done_reason,
    family: shown.details.family,
    listed: listed.models.map((each) => each.name),
    embedded: embedded.embeddings.length,
    missing,
  }),
);
