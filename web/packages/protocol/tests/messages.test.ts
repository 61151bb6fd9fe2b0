import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
// @ts-expect-error a plain script
import { generate, OUTPUT_PATH } from "../scripts/generate.mjs";

it("is what the committed schema generates (else: npm run generate)", async () => {
  expect(await readFile(OUTPUT_PATH as string, "utf8")).toBe(await (generate as () => Promise<string>)());
});
