// Writes src/messages.ts from schema.json. `npm run generate` after the Python models changed:
//
//   python -m signaling.protocol.schema > web/packages/protocol/schema.json
//   cd web && npm run generate
//
// Tests fail when a committed file is not what this would write (tests/, and tests/web/ of the repository).

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const BANNER = `/* Generated from the JSON Schema of signaling/protocol/messages by \`npm run generate\`. Do not edit. */
`;

const SCHEMA_PATH = fileURLToPath(new URL("../schema.json", import.meta.url));
const OUTPUT_PATH = fileURLToPath(new URL("../src/messages.ts", import.meta.url));

/** Names of the definitions that `node` leads to. */
function reachable(definitions, node, seen = new Set()) {
  for (const [, name] of JSON.stringify(node).matchAll(/"#\/\$defs\/(\w+)"/g)) {
    if (seen.has(name)) continue;
    seen.add(name);
    reachable(definitions, definitions[name], seen);
  }
  return seen;
}

/** The server leaves nothing out, and every request names its type, though Python has defaults for both. */
function requireWhatIsSent(definition, isFromServer) {
  const properties = Object.keys(definition.properties ?? {});
  const always = properties.filter((name) => isFromServer || definition.properties[name].const !== undefined);
  if (always.length === 0) return definition;
  return { ...definition, required: [...new Set([...(definition.required ?? []), ...always])].sort() };
}

/** Which result answers which request; `Empty` where none is named. */
function resultOf(names) {
  const one = (name) => ({ $ref: `#/$defs/${name}` });
  const properties = Object.entries(names).map(([type, any]) => [type, any.length > 1 ? { anyOf: any.map(one) } : one(any[0])]);
  return { type: "object", properties: Object.fromEntries(properties), required: Object.keys(names) };
}

/** Without the titles pydantic gives to fields, which would each become a type alias of their own. */
function withoutFieldTitles(node, isDefinition = false) {
  if (Array.isArray(node)) return node.map((item) => withoutFieldTitles(item));
  if (node === null || typeof node !== "object") return node;
  const entries = Object.entries(node).filter(
    ([key, value]) => isDefinition || key !== "title" || typeof value !== "string",
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutFieldTitles(value)]));
}

export async function generate() {
  const schema = JSON.parse(await readFile(SCHEMA_PATH, "utf8"));
  const fromClient = reachable(schema.$defs, schema.requests);
  const definitions = Object.fromEntries(
    Object.entries(schema.$defs).map(([name, definition]) => [
      name,
      withoutFieldTitles(requireWhatIsSent(definition, !fromClient.has(name)), true),
    ]),
  );
  definitions.AnyRequest = schema.requests;
  definitions.AnyEvent = schema.events;
  definitions.ResultOf = resultOf(schema.result_of);
  const source = await compile({ title: "ClientProtocol", $defs: definitions }, "ClientProtocol", {
    additionalProperties: false,
    bannerComment: BANNER,
    format: true,
    ignoreMinAndMaxItems: true,
    strictIndexSignatures: false,
    style: { printWidth: 110 },
    unknownAny: true,
    unreachableDefinitions: true,
  });
  return source
    .replace(/export interface ClientProtocol \{[^}]*\}\n/, "")
    .replace(/( \*\n)? \* This interface was referenced by `ClientProtocol`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g, "")
    .replace(/\/\*\*\n \*\/\n/g, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(OUTPUT_PATH, await generate());
}
