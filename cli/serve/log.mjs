// The Worker's log outside Cloudflare, where nothing else says when a line was written.

/**
 * A line of the Worker's log with the time at its head (RFC 3339, milliseconds); undefined for what
 * is no line of it.
 */
export const timed = (line, now = new Date()) =>
  line.startsWith('{"event":') ? `{"time":"${now.toISOString()}",${line.slice(1)}` : undefined;
