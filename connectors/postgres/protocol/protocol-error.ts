/** Bytes that are not what the logical replication protocol promises. Carries a place, never the bytes themselves. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
