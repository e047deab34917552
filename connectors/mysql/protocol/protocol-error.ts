/** Bytes that are not what the protocol promises. The message never contains a value of a row. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
