const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** The 32-bit murmur2 of Kafka's Java client (`Utils.murmur2`), signed, over `bytes[start, end)`. */
export function murmur2(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let hash = SEED ^ length;
  let at = start;
  for (const wordsEnd = start + (length & ~3); at < wordsEnd; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    word = Math.imul(word, M);
    word ^= word >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = length & 3;
  if (rest === 3) hash ^= bytes[at + 2]! << 16;
  if (rest >= 2) hash ^= bytes[at + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[at]!, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** The partition that the Java client's default partitioner gives a key. */
export function partitionOfKey(bytes: Uint8Array, start: number, end: number, partitions: number): number {
  return (murmur2(bytes, start, end) & 0x7fffffff) % partitions;
}

/** The one partition of a topic's records without key. */
export function partitionOfKeyless(topic: string, partitions: number): number {
  const name = Buffer.from(topic);
  return partitionOfKey(name, 0, name.length, partitions);
}
