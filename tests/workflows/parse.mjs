// What GitHub's own parser says of workflows and actions: their paths on the command line, JSON by path on standard output.
import { readFileSync } from "node:fs";
import { register } from "node:module";

register("./json.mjs", import.meta.url);
const { validate } = await import("@actions/languageservice");
const { TextDocument } = await import("vscode-languageserver-textdocument");

const found = {};
for (const path of process.argv.slice(2)) {
  const document = TextDocument.create(`file://${path}`, "yaml", 0, readFileSync(path, "utf8"));
  found[path] = (await validate(document)).map((one) => `${one.range.start.line + 1}: ${one.message}`);
}
process.stdout.write(JSON.stringify(found));
