// A rate limiter in workerd without Cloudflare: `limit({ key })` answers as that of
// `[[ratelimits]]` does.
//
// It promises: at most `limit` yeses for a key in a period of the clock; what it keeps is bounded,
// and the oldest key goes first; it counts what this one process does, and forgets it with it.

/** 64 bytes each and what a map takes. */
const KEYS = 65_536;

class Limiter {
  #counts = new Map();
  #period = 0;

  constructor({ limit, period }) {
    this.most = limit;
    this.milliseconds = period * 1000;
  }

  async limit({ key }) {
    const period = Math.floor(Date.now() / this.milliseconds);
    if (period !== this.#period) {
      this.#period = period;
      this.#counts.clear();
    }
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.most) return { success: false };
    if (count === 0 && this.#counts.size >= KEYS) this.#counts.delete(this.#counts.keys().next().value);
    this.#counts.set(key, count + 1);
    return { success: true };
  }
}

export default (env) => new Limiter(env);
