// One request as JavaScript holds it, so that one crossing from wasm does the work of several. No
// decision is made here. A list arrives as one text, joined by newlines, which no header's name or
// value can have; a plan joins its parts by NUL, which none of them can have.
import { edit, lines, record } from "./headers.mjs";
import { on_failure, on_signature } from "./index.js";
import { identifier, write } from "./line.mjs";
import { patiently } from "./patience.mjs";
import { signed } from "./sign.mjs";

const { subtle } = crypto;

export class Exchange {
  /** `id`: a number that no other request of the isolate has. */
  constructor(request, env, context, id) {
    this.request = request;
    this.env = env;
    this.context = context;
    this.id = id;
    this.started = Date.now();
  }

  /** A header of the request. */
  header(name) {
    return this.request.headers.get(name);
  }

  /** The names of the request's headers that a pattern finds, a newline after each. */
  names(pattern) {
    let found = "";
    for (const name of this.request.headers.keys()) if (pattern.test(name)) found += `${name}\n`;
    return found;
  }

  /** Names the request, for the log and, in a header, for its origin and its client. */
  identify(header) {
    this.named = [header, identifier(this.request.headers)];
  }

  /** What is reported of the request, one part a line; the first parts of it anew. */
  note(text) {
    const parts = text.split("\n");
    this.point = [...parts, ...(this.point ?? []).slice(parts.length)];
  }

  /** One signature check. Whatever it comes to, an error too, is for wasm to judge. */
  verify(parameters, key, signature, input) {
    return subtle.verify(parameters, key, signature, input).then(
      (verdict) => on_signature(this, this.id, verdict),
      (error) => on_signature(this, this.id, error),
    );
  }

  /** An answer of the Worker's own. `set`: header name, value, name, value … */
  respond(status, set, body, line) {
    const headers = record(set);
    if (this.named) headers[this.named[0]] = this.named[1];
    const response = new Response(body, { status, headers });
    write(this, line, status);
    return response;
  }

  /** Sends the request on as a plan says (`plan.rs`), signed by `signer` if it has to be. */
  forward(plan, signer, resource, notice, limit) {
    [this.target, this.removed, this.set, this.cache, this.binding, this.input, this.cors, this.vary,
      this.owner, this.caller, this.line, this.end] = plan.split("\0");
    this.resource = resource;
    this.notice = notice;
    this.limit = limit;
    return this.input ? signed(this, signer) : this.send(this.set);
  }

  /**
   * Method, signal and manual redirects stay as they are, and the body's stream where none was
   * read. What was read is framed anew: what was said of its length may be another's.
   */
  send(set) {
    try {
      const { request, body, cache, binding } = this;
      const outgoing = new Request(this.target, body ? withBody(request, body) : request);
      edit(outgoing.headers, lines(this.removed), set);
      if (body) edit(outgoing.headers, FRAMING, "");
      if (this.named) outgoing.headers.set(...this.named);
      const fetcher = binding ? this.env[binding] : globalThis;
      return patiently(fetcher.fetch(outgoing, cache ? { cache } : undefined), this);
    } catch (error) {
      return on_failure(this, "unreachable", String(error));
    }
  }

  /** The origin's response as it came. */
  handBack() {
    if (this.response.bodyUsed) throw new TypeError("the body of the origin's answer was used");
    forwarded(this, this.response.status);
    return this.response;
  }

  /**
   * A response with other headers; status and the native body stay, also where there is none (304,
   * HEAD).
   */
  rebuild(response, removed, added) {
    const answer = new Response(response.body, response);
    edit(answer.headers, removed, this.cors);
    edit(answer.headers, [], added);
    if (this.vary) answer.headers.append("Vary", this.vary);
    if (this.named) answer.headers.set(...this.named);
    forwarded(this, answer.status);
    return answer;
  }
}

const FRAMING = ["content-length", "transfer-encoding"];

const withBody = ({ method, headers, signal }, body) => ({ method, headers, signal, body, redirect: "manual" });

const forwarded = (exchange, status) => write(exchange, exchange.line && exchange.line + exchange.end, status);
