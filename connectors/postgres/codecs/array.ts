import { unavailableArray } from '../../../src/core/codecs/placeholder.ts';
import { Scratch } from '../../../src/core/codecs/scratch.ts';
import type { TypeModes } from '../pg-type.ts';
import { malformed, type PostgresCodec } from './codec.ts';
import { latin1 } from './float.ts';

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const BOUNDS = /^(?:\[-?\d+:-?\d+\])+$/;
/** Deepest nesting that Postgres has (MAXDIM). */
const MAX_DEPTH = 6;

/**
 * An array in text form: `{1,NULL,"a,\"b"}`, with bounds `[0:1]={…}`, nested for more dimensions. Connect's array has one
 * dimension, so elements of several are written in row-major order.
 * @param delimiter what stands between elements: a comma for all types but `box`
 */
export function arrayCodec(
  element: PostgresCodec,
  itemsOptional: boolean,
  modes: TypeModes,
  delimiter = COMMA,
): PostgresCodec {
  const { canWrite } = element;
  return {
    schema: { type: 'array', items: element.schema, itemsOptional },
    write(bytes, start, end, out) {
      elements.read(bytes, start, end, delimiter);
      out.beginArray(elements.count);
      for (let i = 0; i < elements.count; i++) {
        const kind = elements.kinds[i]!;
        const from = elements.starts[i]!;
        const to = elements.ends[i]!;
        const source = kind === ESCAPED ? elements.unescaped.bytes : bytes;
        if (kind === NULL || (canWrite !== undefined && !canWrite(source, from, to))) {
          if (!itemsOptional) throw malformed('array without NULL elements, which is all its schema allows');
          out.absent(0);
          continue;
        }
        if (itemsOptional) out.present(0);
        element.write(source, from, to, out);
      }
      out.endArray();
      return true;
    },
    writeFallback(out) {
      out.beginArray(0);
      out.endArray();
    },
    writeUnavailable: unavailableArray(element.schema, itemsOptional, modes, element.writeUnavailable),
  };
}

const PLAIN = 0;
const ESCAPED = 1;
const NULL = 2;

/** Where the elements of one array lie: in the source, or where they had escapes, in `unescaped`. Reused. */
class ArrayElements {
  count = 0;
  kinds = new Uint8Array(64);
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  readonly unescaped = new Scratch();

  read(bytes: Uint8Array, start: number, end: number, delimiter: number): void {
    this.count = 0;
    this.unescaped.begin(end - start);
    let at = skipBounds(bytes, start, end);
    if (at >= end || bytes[at] !== OPEN) throw malformed('array', at - start);
    let depth = 0;
    // What may follow: an element or a nested array; a delimiter or the end of the (nested) array.
    let expectValue = true;
    let isEmpty = false;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte === OPEN) {
        if (!expectValue || ++depth > MAX_DEPTH) throw malformed('array', at - start);
        isEmpty = true;
        at++;
      } else if (byte === CLOSE) {
        if ((expectValue && !isEmpty) || depth === 0) throw malformed('array', at - start);
        depth--;
        expectValue = false;
        isEmpty = false;
        at++;
        if (depth === 0) break;
      } else if (byte === delimiter) {
        if (expectValue) throw malformed('array', at - start);
        expectValue = true;
        at++;
      } else {
        if (!expectValue) throw malformed('array', at - start);
        expectValue = false;
        isEmpty = false;
        at = byte === QUOTE ? this.readQuoted(bytes, at + 1, end) : this.readPlain(bytes, at, end, delimiter);
      }
    }
    if (depth !== 0 || at !== end) throw malformed('array', at - start);
  }

  private readQuoted(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++;
    if (at < end && bytes[at] === QUOTE) {
      this.add(PLAIN, start, at);
      return at + 1;
    }
    const { unescaped } = this;
    const from = unescaped.length;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) {
        this.add(ESCAPED, from, unescaped.length);
        return i + 1;
      }
      if (byte === BACKSLASH && ++i >= end) break;
      unescaped.bytes[unescaped.length++] = bytes[i]!;
    }
    throw malformed('array');
  }

  private readPlain(bytes: Uint8Array, start: number, end: number, delimiter: number): number {
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === delimiter || byte === CLOSE) break;
      if (byte === OPEN || byte === QUOTE || byte === BACKSLASH) throw malformed('array', at - start);
    }
    this.add(isNull(bytes, start, at) ? NULL : PLAIN, start, at);
    return at;
  }

  private add(kind: number, start: number, end: number): void {
    if (this.count === this.kinds.length) this.grow();
    this.kinds[this.count] = kind;
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }

  private grow(): void {
    const capacity = this.count * 2;
    const { kinds, starts, ends } = this;
    this.kinds = new Uint8Array(capacity);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.kinds.set(kinds);
    this.starts.set(starts);
    this.ends.set(ends);
  }
}

const elements = new ArrayElements();

/** Skips `[0:1][-2:3]=`. */
function skipBounds(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== 0x5b) return start;
  const equals = bytes.indexOf(0x3d, start);
  if (equals < 0 || equals >= end) throw malformed('array');
  if (!BOUNDS.test(latin1(bytes, start, equals))) throw malformed('array');
  return equals + 1;
}

function isNull(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 4 &&
    bytes[start] === 0x4e &&
    bytes[start + 1] === 0x55 &&
    bytes[start + 2] === 0x4c &&
    bytes[start + 3] === 0x4c
  );
}
