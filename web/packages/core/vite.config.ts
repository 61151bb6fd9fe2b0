import { defineConfig } from "vite";

// The SDK as plain modules, for pages without a bundler: dist/rostrum.js, and beside it the worker of end-to-end
// encryption, which it starts from its own address.
export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    lib: { entry: "src/index.ts", formats: ["es"], fileName: "rostrum" },
    reportCompressedSize: false,
  },
  worker: { format: "es" },
});
