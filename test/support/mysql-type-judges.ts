/** What a mode makes of the types: the settings of `types:` of one source. */
export interface TypeSettings {
  readonly decimal?: 'double' | 'string';
  readonly time?: 'microseconds' | 'nanoseconds' | 'connect' | 'isostring';
  readonly binary?: 'base64' | 'base64-url-safe' | 'hex';
  readonly bigint_unsigned?: 'precise';
}

/** Compares a value that was published with what the server itself says of it. */
export interface Judge {
  /** SQL that has the value of a column as text, or of a FLOAT as a number. */
  ask(column: string): string;
  /** What must be published where the server says `text`. */
  expected(text: string, settings: TypeSettings): unknown;
}

const asText = (column: string) => `CAST(${column} AS CHAR)`;
const asHex = (column: string) => `HEX(${column})`;

export const integer: Judge = { ask: asText, expected: (text) => Number(text) };
export const bigint: Judge = { ask: asText, expected: (text) => BigInt(text) };

/** Wraps around where it has to fit 64 bits with a sign. */
export const bigintUnsigned: Judge = {
  ask: asText,
  expected: (text, settings) =>
    settings.bigint_unsigned === 'precise' ? unscaled(BigInt(text)) : BigInt.asIntN(64, BigInt(text)),
};

/** The number itself: as text, a FLOAT is rounded to six digits, and the longest of DOUBLE to sixteen. */
export const float: Judge = { ask: (column) => `${column} * 1e0`, expected: Number };

export const decimal: Judge = {
  ask: asText,
  expected(text, settings) {
    if (settings.decimal === 'string') return text;
    if (settings.decimal === 'double') return Number(text);
    return unscaled(BigInt(text.replace('.', '')));
  },
};

export function bit(bits: number): Judge {
  return {
    ask: asHex,
    expected(text) {
      const value = BigInt(`0x${text}`);
      if (bits === 1) return value === 1n;
      const digits = value.toString(16).padStart(Math.ceil(bits / 8) * 2, '0');
      return Buffer.from(digits, 'hex').reverse();
    },
  };
}

export const text: Judge = { ask: (column) => `CONVERT(${column} USING utf8mb4)`, expected: (said) => said };
export const printed: Judge = { ask: asText, expected: (said) => said };

export const binary: Judge = {
  ask: asHex,
  expected(hex, { binary: form }) {
    const bytes = Buffer.from(hex, 'hex');
    if (form === undefined) return bytes;
    const base64 = bytes.toString('base64');
    if (form === 'base64-url-safe') return base64.replaceAll('+', '-').replaceAll('/', '_');
    return form === 'hex' ? hex.toLowerCase() : base64;
  },
};

export const date: Judge = {
  ask: asText,
  expected(said, { time }) {
    const ms = epochMs(said, '00:00:00');
    if (ms === null) return null;
    return time === 'isostring' ? `${said}Z` : ms / 86_400_000;
  },
};

export function datetime(digits: number): Judge {
  return {
    ask: asText,
    expected(said, { time = digits <= 3 ? 'connect' : 'microseconds' }) {
      const [day = '', clock = ''] = said.split(' ');
      const [seconds = '', fraction = ''] = clock.split('.');
      const ms = epochMs(day, seconds);
      if (ms === null) return null;
      if (time === 'isostring') return `${day}T${seconds}${trimmed(fraction)}Z`;
      const micros = BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'));
      if (time === 'microseconds') return micros;
      return time === 'nanoseconds' ? within64Bits(micros * 1000n) : (micros - modulo(micros, 1000n)) / 1000n;
    },
  };
}

/** Ask it in UTC. */
export const timestamp: Judge = {
  ask: asText,
  expected: (said) => (said.startsWith('0000') ? null : `${said.replace(' ', 'T')}Z`),
};

export const time: Judge = {
  ask: asText,
  expected(said, settings) {
    const [, sign, hours = '', minutes = '', seconds = '', fraction = ''] =
      /^(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(said) ?? [];
    if (settings.time === 'isostring') return `${sign}${hours}:${minutes}:${seconds}${trimmed(fraction)}Z`;
    const magnitude =
      (BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
    const micros = sign === '-' ? -magnitude : magnitude;
    if (settings.time === 'nanoseconds') return micros * 1000n;
    if (settings.time !== 'connect') return micros;
    return micros < 0n || micros > 86_400_000_000n ? null : Number(micros / 1000n);
  },
};

/** The server keeps the reference system in front of the shape. */
export const geometry: Judge = {
  ask: (column) => `CONCAT(ST_SRID(${column}), ' ', HEX(${column}))`,
  expected(said) {
    const [srid = '', hex = ''] = said.split(' ');
    return { wkb: Buffer.from(hex.slice(8), 'hex'), srid: Number(srid) || null };
  },
};

export const point: Judge = {
  ask: geometry.ask,
  expected(said, settings) {
    const { wkb, srid } = geometry.expected(said, settings) as { wkb: Buffer; srid: number | null };
    return { x: wkb.readDoubleLE(5), y: wkb.readDoubleLE(13), wkb, srid };
  },
};

export const vector: Judge = {
  ask: asHex,
  expected(hex) {
    const bytes = Buffer.from(hex, 'hex');
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
  },
};

/** Milliseconds since 1970 of a day of the proleptic Gregorian calendar; null where it is none. */
function epochMs(day: string, clock: string): number | null {
  const ms = Date.parse(`${day}T${clock}Z`);
  // What is no day may be taken for one of the next month.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day ? null : ms;
}

function trimmed(fraction: string): string {
  const digits = fraction.replace(/0+$/, '');
  return digits === '' ? '' : `.${digits}`;
}

function within64Bits(value: bigint): bigint {
  const greatest = 2n ** 63n - 1n;
  if (value > greatest) return greatest;
  return value < -greatest - 1n ? -greatest - 1n : value;
}

function modulo(value: bigint, divisor: bigint): bigint {
  return ((value % divisor) + divisor) % divisor;
}

/** The shortest two's complement, as Java has it. */
function unscaled(value: bigint): Buffer {
  let bytes = 1;
  while (BigInt.asIntN(bytes * 8, value) !== value) bytes += 1;
  const hex = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0');
  return Buffer.from(hex, 'hex');
}
