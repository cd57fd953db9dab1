import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { defineConfig } from "vite";

const out = "../internal/portal/dist/reference";

// The server embeds the compressed bundle and sends it unchanged.
const compressed = {
  name: "compressed",
  async closeBundle() {
    for (const name of await readdir(out)) {
      if (name === "manifest.json") continue;
      const file = join(out, name);
      const gz = gzipSync(await readFile(file), { level: constants.Z_BEST_COMPRESSION });
      await writeFile(`${file}.gz`, gz);
      await rm(file);
    }
  },
};

export default defineConfig({
  base: "/docs/assets/",
  publicDir: false,
  logLevel: "warn",
  build: {
    outDir: out,
    emptyOutDir: true,
    assetsDir: ".",
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 10_000,
    rolldownOptions: { input: "src/reference.ts" },
  },
  plugins: [compressed],
});
