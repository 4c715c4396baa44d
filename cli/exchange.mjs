// The doctor's HTTP: with node:http, so that headers come as they are and no redirect is followed.

import { isUtf8 } from "node:buffer";
import http from "node:http";
import https from "node:https";

// The Worker's own bounds, src/limits.rs.
const SECONDS = 5;
const BYTES = 64 * 1024;

/**
 * One exchange, as `core.doctor` asks for it: { status, headers, body, whole, garbled, address },
 * or an { error }. Nothing is thrown.
 */
export function exchange({ method, url, headers, body }) {
  return new Promise((done) => {
    let late;
    const give = (answer) => {
      clearTimeout(late);
      done(answer);
    };
    const fail = (error) => give({ error: reason(error) });
    try {
      const length = body === null ? {} : { "content-length": Buffer.byteLength(body) };
      const request = (url.startsWith("https:") ? https : http).request(url, {
        method,
        headers: { "user-agent": "mcp-edge-auth-doctor", ...Object.fromEntries(headers), ...length },
        agent: false,
      });
      late = setTimeout(() => request.destroy(new Error(`no answer within ${SECONDS} s`)), SECONDS * 1000);
      request.on("error", fail);
      request.on("response", (response) => {
        const chunks = [];
        let size = 0;
        const whole = (all) => {
          const pairs = [];
          const body = Buffer.concat(chunks);
          for (let i = 0; i < response.rawHeaders.length; i += 2) pairs.push([response.rawHeaders[i].toLowerCase(), response.rawHeaders[i + 1]]);
          give({ status: response.statusCode, headers: pairs, body: body.toString("utf8"), whole: all, garbled: !isUtf8(body), address: response.socket.remoteAddress ?? null });
          request.destroy();
        };
        response.on("error", fail);
        response.on("data", (chunk) => {
          size += chunk.length;
          if (size > BYTES) whole(false);
          else chunks.push(chunk);
        });
        response.on("end", () => whole(true));
        // An event stream has begun to answer, and does not end.
        if (/^text\/event-stream/.test(response.headers["content-type"] ?? "")) whole(false);
      });
      request.end(body ?? undefined);
    } catch (error) {
      fail(error);
    }
  });
}

/** What Node's messages do not tell everybody. */
function reason(error) {
  if (error.code === "ENOTFOUND") return "there is no such host";
  if (/wrong version number/.test(error.message)) return "no TLS there: is it http, not https?";
  return error.message || error.code;
}
