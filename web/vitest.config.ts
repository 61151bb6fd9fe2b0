import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/tests/**/*.test.ts", "apps/*/tests/**/*.test.ts"],
    // Keys are derived from passphrases, and types are generated: no test is about how long a busy machine takes for it.
    testTimeout: 60_000,
  },
});
