import { defineConfig } from "vite";

// Served by the Rostrum server at /reference/; scripts come from there only, as its policy wants.
export default defineConfig({
  base: "/reference/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
  },
  server: {
    proxy: { "/openapi.json": "http://127.0.0.1:8080", "/v2": "http://127.0.0.1:8080" },
  },
});
