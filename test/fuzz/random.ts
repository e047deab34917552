/** A whole number from 0 to below. */
export type Random = (below: number) => number;

/** Mulberry32: the same numbers for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
}

const TELLING_BYTES = [0, 1, 0x7f, 0x80, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];

/** A copy with one to three places changed, or with bytes left out, put in, or cut off; the first `kept` bytes stay. */
export function mutated(bytes: Buffer, random: Random, kept = 0): Buffer {
  const copy = Buffer.from(bytes);
  const body = copy.length - kept;
  const place = () => kept + random(body + 1);
  switch (random(7)) {
    case 0:
      return copy.subarray(0, place());
    case 1: {
      const at = place();
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + 1 + random(8)))]);
    }
    case 2: {
      const at = place();
      const more = Buffer.from(Array.from({ length: 1 + random(8) }, () => random(256)));
      return Buffer.concat([copy.subarray(0, at), more, copy.subarray(at)]);
    }
    default: {
      if (body === 0) return copy;
      const kind = random(3);
      for (let left = 1 + random(3); left > 0; left--) {
        const at = kept + random(body);
        if (kind === 0) copy[at] = copy[at]! ^ (1 << random(8));
        else copy[at] = kind === 1 ? TELLING_BYTES[random(TELLING_BYTES.length)]! : random(256);
      }
      return copy;
    }
  }
}

/** The bytes in pieces of one to `most` bytes. */
export function pieces(bytes: Buffer, random: Random, most: number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random(most));
    // Each in memory of its own, as a socket gives it.
    found.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return found;
}
