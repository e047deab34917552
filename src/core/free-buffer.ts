/**
 * Gives the memory of a buffer back now, where garbage collection would keep it until V8 feels like it: buffers are outside
 * of its heap, and tens of megabytes of them do not hurry it.
 *
 * Only for a buffer that has its memory to itself (`Buffer.allocUnsafeSlow`) and that nobody reads or writes any more, a
 * pending write to a socket included. Afterwards its length is 0.
 */
export function freeBuffer(buffer: Uint8Array): void {
  // A part of something larger, Node's shared pool for one, is never given away, whatever the caller thinks.
  if (buffer.length === buffer.buffer.byteLength) (buffer.buffer as ArrayBuffer).transfer(0);
}
