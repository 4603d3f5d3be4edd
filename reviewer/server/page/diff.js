// What is pasted: a diff, or a whole file, as files with their lines.
export const isDiff = (text) => /^(diff --git |--- .*\n\+\+\+ |Index: )/m.test(text) && /^@@ /m.test(text);

export function parsed(text, path) {
  if (!isDiff(text)) {
    return [{ path, rows: text.replace(/\n$/, "").split("\n").map((code, n) => ({ kind: "whole", line: n + 1, code })) }];
  }
  const files = [];
  let file = null, line = 0, old = 0, left = 0, gone = 0;
  for (const raw of text.split("\n")) {
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(raw);
    if (left > 0 || gone > 0) {
      const kind = { "+": "added", "-": "removed", " ": "context", "": "context" }[raw.slice(0, 1)];
      if (kind) {
        file.rows.push({ kind, line: kind === "removed" ? null : line++, code: raw.slice(1) });
        if (kind !== "removed") left--;
        if (kind !== "added") gone--;
        continue;
      }
      if (raw.startsWith("\\")) continue;
    }
    if (hunk && file) {
      gone = hunk[1] === undefined ? 1 : Number(hunk[1]);
      left = hunk[3] === undefined ? 1 : Number(hunk[3]);
      line = Number(hunk[2]);
      file.rows.push({ kind: "gap", line: null, code: raw });
    } else if (raw.startsWith("+++ ")) {
      const name = raw.slice(4).split("\t")[0].replace(/^"|"$/g, "").replace(/^[a-z]\//, "");
      files.push(file = { path: name, rows: [] });
    }
  }
  return files;
}
