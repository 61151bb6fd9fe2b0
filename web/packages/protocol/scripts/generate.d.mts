/** The text of src/messages.ts, from schema.json. */
export function generate(): Promise<string>;
