/**
 * Bytes that come in pieces. The room for them is doubled, so that each byte is copied a few times
 * at most and no piece is kept for itself, however small the pieces are.
 */
export class Bytes {
  length = 0;
  #room = new Uint8Array();

  /** All bytes so far, and the next piece of them. */
  with(piece) {
    const length = this.length + piece.length;
    if (length > this.#room.length) {
      const room = new Uint8Array(Math.max(length, 2 * this.#room.length));
      room.set(this.#room);
      this.#room = room;
    }
    this.#room.set(piece, this.length);
    this.length = length;
    return this.#room.subarray(0, length);
  }
}
