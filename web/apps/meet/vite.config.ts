import { defineConfig } from "vite";

// Served by the Rostrum server at /meet/. No inline script or style leaves the build, so that a strict
// Content-Security-Policy (default-src 'self') holds.
export default defineConfig({
  base: "/meet/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: { "/v2": { target: "http://127.0.0.1:8080", ws: true } },
  },
});
