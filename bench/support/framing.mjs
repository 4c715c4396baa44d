// Where an HTTP/1.1 answer ends, and nothing more: status, and the number of body bytes, by
// content-length or chunks.

const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");

export class Framing {
  #rest = null; // an unfinished head or chunk-size line
  #state = "head";
  #left = 0;
  #status = 0;
  #bytes = 0;
  #close = false;

  /**
   * done(status, body bytes, whether the server closes after it) is called at the end of each
   * answer.
   */
  constructor(done) {
    this.done = done;
  }

  get idle() {
    return this.#state === "head" && !this.#rest;
  }

  push(chunk) {
    let data = chunk;
    if (this.#rest) {
      data = Buffer.concat([this.#rest, chunk]);
      this.#rest = null;
    }
    let at = 0;
    while (at < data.length) {
      const next = this.#step(data, at);
      if (next < 0) {
        this.#rest = data.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** Reads on from `at`; gives where it came to, or -1 if more is needed to go on. */
  #step(data, at) {
    if (this.#state === "head") {
      const end = data.indexOf(HEAD_END, at);
      if (end < 0) return -1;
      this.#head(data.latin1Slice(at, end + 2));
      return end + 4;
    }
    if (this.#state === "size") {
      const end = data.indexOf(LINE_END, at);
      if (end < 0) return -1;
      this.#left = parseInt(data.latin1Slice(at, end), 16);
      this.#bytes += this.#left;
      this.#state = this.#left === 0 ? "trailer" : "chunk";
      this.#left += 2;
      return end + 2;
    }
    const taken = Math.min(this.#left, data.length - at);
    this.#left -= taken;
    if (this.#left === 0) {
      if (this.#state === "chunk") this.#state = "size";
      else this.#end();
    }
    return at + taken;
  }

  #head(text) {
    this.#status = Number(text.slice(9, 12));
    if (this.#status < 200) return;
    this.#bytes = 0;
    this.#close = /\r\nconnection: *close/i.test(text);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text);
    if (length) {
      this.#bytes = this.#left = Number(length[1]);
      this.#state = "body";
      if (this.#left === 0) this.#end();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(text)) {
      this.#state = "size";
    } else if (this.#status === 204 || this.#status === 304) {
      this.#end();
    } else {
      throw new Error(`an answer without framing: ${text.slice(0, 200)}`);
    }
  }

  #end() {
    this.#state = "head";
    this.done(this.#status, this.#bytes, this.#close);
  }
}
