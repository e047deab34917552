import { createHash } from 'node:crypto';
import type { ConnectSchema } from '../core/connect-schema.ts';
import type { Secret } from '../core/secret.ts';
import type { ColumnCodec, SourceType } from '../core/table.ts';
import { StringCapture } from './string-capture.ts';

type Parameters = NonNullable<ConnectSchema['parameters']>;

/** Every value becomes the same text (Debezium's `column.mask.with`). NULL stays NULL. */
export function constantMask(codec: ColumnCodec, mask: string): ColumnCodec {
  return {
    schema: withOwnParameters(codec.schema, [['masked', 'true']]),
    write: (_bytes, _start, _end, out) => {
      out.text(mask);
      return true;
    },
    writeUnavailable: (out) => out.text(mask),
    writeFallback: (out) => out.text(mask),
  };
}

/**
 * The value becomes the hexadecimal digest of salt and UTF-8 text, cut to the column's length (Debezium's
 * `column.mask.hash.v2`). A value that the log did not carry stays the placeholder: hashing that would look like data.
 */
export function hashMask(codec: ColumnCodec, algorithm: string, salt: Secret, type: SourceType): ColumnCodec {
  const capture = new StringCapture();
  const limit = type.length ?? Number.POSITIVE_INFINITY;
  return {
    ...codec,
    schema: withOwnParameters(codec.schema, [['masked', 'true']]),
    write: (bytes, start, end, out) => {
      if (!codec.write(bytes, start, end, capture)) return false;
      const digest = createHash(algorithm).update(salt.reveal(), 'utf8').update(capture.value, 'utf8').digest('hex');
      out.text(digest.length > limit ? digest.slice(0, limit) : digest);
      return true;
    },
  };
}

/** The value is cut to `length` UTF-16 units (Debezium's `column.truncate.to.N.chars`), never inside a character. */
export function truncation(codec: ColumnCodec, length: number): ColumnCodec {
  const capture = new StringCapture();
  return {
    ...codec,
    schema: withOwnParameters(codec.schema, [['truncateLength', String(length)]]),
    write: (bytes, start, end, out) => {
      if (!codec.write(bytes, start, end, capture)) return false;
      out.text(cut(capture.value, length));
      return true;
    },
  };
}

/** Adds the column's declared type to the schema (Debezium's `column.propagate.source.type`). */
export function propagatedSourceType(codec: ColumnCodec, name: string, type: SourceType): ColumnCodec {
  const added: (readonly [string, string])[] = [['__debezium.source.column.type', type.typeName]];
  if (type.length !== null) added.push(['__debezium.source.column.length', String(type.length)]);
  if (type.scale !== null) added.push(['__debezium.source.column.scale', String(type.scale)]);
  added.push(['__debezium.source.column.name', name]);
  return { ...codec, schema: { ...codec.schema, parameters: [...(codec.schema.parameters ?? []), ...added] } };
}

function withOwnParameters(schema: ConnectSchema, added: Parameters): ConnectSchema {
  return { ...schema, parameters: [...(schema.parameters ?? []), ...added] };
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? length - 1 : length);
}
