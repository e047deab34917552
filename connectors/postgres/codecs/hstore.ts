import { semantic } from '../../../src/core/codecs/codec.ts';
import { Scratch, utf8Bytes } from '../../../src/core/codecs/scratch.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const decoder = new TextDecoder();

/** `"a"=>"1", "b"=>NULL`, as a JSON object or as a map. */
export function hstoreCodec(modes: TypeModes): PostgresCodec {
  return modes.hstore === 'map' ? mapCodec(modes) : jsonCodec(modes);
}

function jsonCodec(modes: TypeModes): PostgresCodec {
  const placeholder = jsonString(modes.unavailablePlaceholder);
  return codec(
    semantic('string', 'io.debezium.data.Json'),
    (bytes, start, end, out) => {
      pairs.read(bytes, start, end);
      let json = '';
      for (let i = 0; i < pairs.count; i++) {
        const value = pairs.isNull(i) ? 'null' : jsonString(pairs.valueText(i));
        json += `${i === 0 ? '' : ','}${jsonString(pairs.keyText(i))}:${value}`;
      }
      out.text(`{${json}}`);
      return true;
    },
    (out) => out.text('{}'),
    (out) => out.text(`{${placeholder}:${placeholder}}`),
  );
}

function mapCodec(modes: TypeModes): PostgresCodec {
  const placeholder = utf8Bytes(modes.unavailablePlaceholder);
  return codec(
    { type: 'map', values: { type: 'string' }, valuesOptional: true },
    (bytes, start, end, out) => {
      pairs.read(bytes, start, end);
      out.beginMap(pairs.count);
      for (let i = 0; i < pairs.count; i++) pairs.writeInto(out, i);
      out.endMap();
      return true;
    },
    (out) => {
      out.beginMap(0);
      out.endMap();
    },
    (out) => {
      out.beginMap(1);
      out.mapKey(placeholder, 0, placeholder.length);
      out.present(0);
      out.utf8(placeholder, 0, placeholder.length);
      out.endMap();
    },
  );
}

/** JSON text as Jackson writes it: hexadecimal digits of control characters are upper case. */
function jsonString(text: string): string {
  return JSON.stringify(text).replace(/\\u00[0-9a-f]{2}/g, (code) => `\\u${code.slice(2).toUpperCase()}`);
}

/** The pairs of one value, unescaped into memory that the next value overwrites. */
class HstorePairs {
  count = 0;
  /** Per pair: start and end of the key, start and end of the value; a value that is NULL starts at -1. */
  private readonly places: number[] = [];
  private readonly text = new Scratch();

  read(bytes: Uint8Array, start: number, end: number): void {
    this.count = 0;
    this.text.begin(end - start);
    let at = start;
    while (at < end) {
      if (this.count > 0) {
        if (bytes[at] !== 0x2c || bytes[at + 1] !== 0x20) throw malformed('hstore', at - start);
        at += 2;
      }
      const place = this.count * 4;
      at = this.readQuoted(bytes, at, end, place);
      if (bytes[at] !== 0x3d || bytes[at + 1] !== 0x3e || at + 2 >= end) throw malformed('hstore', at - start);
      at += 2;
      if (bytes[at] === 0x4e && bytes[at + 1] === 0x55 && bytes[at + 2] === 0x4c && bytes[at + 3] === 0x4c) {
        this.places[place + 2] = -1;
        at += 4;
      } else {
        at = this.readQuoted(bytes, at, end, place + 2);
      }
      this.count++;
    }
    if (at !== end) throw malformed('hstore');
  }

  isNull(index: number): boolean {
    return this.places[index * 4 + 2] === -1;
  }

  keyText(index: number): string {
    return this.string(index * 4);
  }

  valueText(index: number): string {
    return this.string(index * 4 + 2);
  }

  writeInto(out: ValueWriter, index: number): void {
    const place = index * 4;
    out.mapKey(this.text.bytes, this.places[place]!, this.places[place + 1]!);
    if (this.isNull(index)) {
      out.absent(0);
      return;
    }
    out.present(0);
    out.utf8(this.text.bytes, this.places[place + 2]!, this.places[place + 3]!);
  }

  private string(place: number): string {
    return decoder.decode(this.text.bytes.subarray(this.places[place]!, this.places[place + 1]!));
  }

  private readQuoted(bytes: Uint8Array, start: number, end: number, place: number): number {
    if (start >= end || bytes[start] !== QUOTE) throw malformed('hstore');
    const { text } = this;
    this.places[place] = text.length;
    for (let at = start + 1; at < end; at++) {
      if (bytes[at] === QUOTE) {
        this.places[place + 1] = text.length;
        return at + 1;
      }
      if (bytes[at] === BACKSLASH && ++at >= end) break;
      text.bytes[text.length++] = bytes[at]!;
    }
    throw malformed('hstore');
  }
}

const pairs = new HstorePairs();
