// Reports a request to the Analytics Engine, by the binding AUDIT. No decision is made here.

/**
 * Writes a request's point. `point`: outcome, reason, resource, and what else wasm knows
 * (`log.rs`). A binding that fails costs no request.
 */
export function report({ env, point }, version, ms) {
  const [outcome, reason, resource = "", ...rest] = point;
  try {
    env.AUDIT.writeDataPoint({ indexes: [resource], blobs: [outcome, reason, ...rest, version], doubles: [ms, 1] });
  } catch (error) {
    console.error(`AUDIT: ${JSON.stringify(String(error))}`);
  }
}
