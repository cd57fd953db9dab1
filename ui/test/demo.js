import { spawn } from "node:child_process";
import { once } from "node:events";

// startDemo runs the built program on a free port and returns its origin.
export async function startDemo() {
  const program = new URL("../../kartotek", import.meta.url).pathname;
  const demo = spawn(program, ["demo", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const origin = await new Promise((resolve, reject) => {
    let output = "";
    demo.stdout.on("data", (text) => {
      output += text;
      const found = output.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) resolve(found[0]);
    });
    demo.on("error", reject);
    demo.on("exit", (status) => reject(new Error(`the demo ended with status ${status}`)));
  });
  return {
    origin,
    async stop() {
      demo.kill();
      await once(demo, "exit");
    },
  };
}
