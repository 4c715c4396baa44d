// The Worker's entry: hands each request and its head to the wasm module, and starts a fresh
// instance of it after a panic. A panic leaves wasm in an unknown state; the next request must not
// meet it. No decision is made here.
import * as workers from "cloudflare:workers";
import { Exchange } from "./exchange.mjs";
import * as wasm from "./index.js";

let panicked = false;
let requests = 0;
addEventListener("error", (event) => {
  if (event.error instanceof WebAssembly.RuntimeError) panicked = true;
});
try {
  // The settings are read while the isolate starts. An older runtime has none here: there, and
  // after a panic, the first request reads them.
  if (workers.env) wasm.prepare(workers.env);
} catch {
  panicked = true;
}

export default {
  async fetch(request, env, context) {
    if (panicked) {
      wasm.__wbg_reset_state();
      panicked = false;
    }
    const { headers, method, url } = request;
    try {
      const exchange = new Exchange(request, env, context, ++requests);
      return await wasm.fetch(exchange, requests, method, url, headers.get("origin"), headers.get("authorization"));
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) panicked = true;
      throw error;
    }
  },
};
