// Lists of headers as wasm writes them (`header_lists.rs`): one text, joined by newlines, which no
// header's name or value can have.

export const lines = (text) => (text ? text.split("\n") : []);

/** A list of names and values, each name once, as the runtime takes it most quickly. */
export function record(set) {
  const headers = {};
  const list = lines(set);
  for (let i = 0; i < list.length; i += 2) headers[list[i]] = list[i + 1];
  return headers;
}

/** Takes some headers out, and sets those of a list of names and values. */
export function edit(headers, removed, set) {
  for (const name of removed) headers.delete(name);
  const list = lines(set);
  for (let i = 0; i < list.length; i += 2) headers.set(list[i], list[i + 1]);
}
