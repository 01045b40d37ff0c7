import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.GRAFT_URL ?? "http://127.0.0.1:7317";
const proxied = ["/api", "/v1", "/health", "/ready", "/openapi.json"];

export default defineConfig({
  plugins: [react()],
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: true }])) },
  build: { target: "es2023", manifest: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  css: { modules: { localsConvention: "camelCaseOnly" } },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
