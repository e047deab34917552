/** The only field, a `long`, of a key in Confluent's wire format: Avro's zigzag encoding behind five bytes. */
export function bigintKey(key: Buffer): number {
  let value = 0;
  let scale = 1;
  for (let at = 5; ; at += 1) {
    const byte = key[at]!;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
