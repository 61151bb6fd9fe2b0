import { expect, it } from "vitest";
import { generate } from "../scripts/generate.mjs";
import committed from "../src/messages.ts?raw";

it("is what the committed schema generates (else: npm run generate)", async () => {
  expect(committed).toBe(await generate());
});
