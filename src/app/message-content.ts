const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text where the bytes are UTF-8, as nearly everything that people write is; else a copy of them. */
export function textOrBytes(bytes: Uint8Array): string | Buffer {
  try {
    return strict.decode(bytes);
  } catch {
    // Not text: shown as bytes.
    return Buffer.from(bytes);
  }
}
