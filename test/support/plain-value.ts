import type { ColumnCodec } from '../../src/core/table.ts';
import type { ValueWriter } from '../../src/core/value-writer.ts';
import { type Plain, PlainWriter } from './plain-writer.ts';

/** What a codec makes of a text; null for NULL and for what has no representation. */
export function plainValue(codec: ColumnCodec, text: string | Uint8Array | null): Plain {
  if (text === null) return null;
  // Other bytes around the value: a codec must not look at them.
  const bytes = Buffer.concat([Buffer.from('1-'), Buffer.from(text as Uint8Array), Buffer.from('7.')]);
  const out = new PlainWriter(codec.schema);
  if (codec.write(bytes, 2, bytes.length - 2, out)) return out.take()!;
  if (out.take() !== undefined) throw new Error('a codec that does not write has written nothing');
  return null;
}

export function plainOf(codec: ColumnCodec, write: (out: ValueWriter) => void): Plain {
  const out = new PlainWriter(codec.schema);
  write(out);
  return out.take()!;
}
