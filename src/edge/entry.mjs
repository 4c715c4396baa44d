// The Worker's entry: hands each request to the wasm module, and starts a fresh instance of it after a panic.
// A panic leaves wasm in an unknown state; the next request must not meet it. No decision is made here.
import * as wasm from "../../build/index.js";

const state = wasm.__worker_init_state();
addEventListener("error", (event) => {
  if (event.error instanceof WebAssembly.RuntimeError) state.criticalError = true;
});

export default {
  async fetch(request, env, context) {
    if (state.criticalError) {
      wasm.__wbg_reset_state();
      state.criticalError = false;
    }
    try {
      return await wasm.fetch(request, env, context);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
      throw error;
    }
  },
};
