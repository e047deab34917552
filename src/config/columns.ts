import { z } from 'zod';
import type { ColumnRules } from '../core/settings.ts';
import { choice, integer, list, pattern, secret, text } from './fields.ts';

export const HASH_ALGORITHMS = [
  'md5',
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'sha3-384',
  'sha3-512',
] as const;

const column = () => pattern('schema.table.column');

const maskSchema = z.strictObject({
  match: column().meta({ description: 'Columns of character types to replace.' }),
  with: text({ empty: true }).meta({ description: 'The text that every value becomes.' }),
});

const hashSchema = z.strictObject({
  match: column().meta({ description: 'Columns of character types to replace by a hash.' }),
  algorithm: choice(HASH_ALGORITHMS).prefault('sha256').meta({ description: 'The hash function.' }),
  salt: secret().meta({ description: 'Put before the value, so that a hash cannot be looked up.' }),
});

const truncateSchema = z.strictObject({
  match: column().meta({ description: 'Columns of character types to shorten.' }),
  length: integer({ min: 1, max: 2 ** 31 - 1 }).meta({ description: 'Characters that are kept.' }),
});

/** What happens to columns before anything leaves the process. */
export const columnsSchema = z
  .strictObject({
    exclude: list(column()).prefault([]).meta({ description: 'Columns left out of values; a key keeps them.' }),
    mask: list(maskSchema).prefault([]).meta({ description: 'Columns replaced by a fixed text.' }),
    hash: list(hashSchema).prefault([]).meta({ description: 'Columns replaced by a salted hash, in hexadecimal.' }),
    truncate: list(truncateSchema).prefault([]).meta({ description: 'Columns cut to a length.' }),
    propagate_source_type: list(column()).prefault([]).meta({
      description: 'Columns whose declared type, length and scale are written into the schema’s parameters.',
    }),
  })
  .transform(
    ({ propagate_source_type, ...rules }): ColumnRules => ({ ...rules, propagateSourceType: propagate_source_type }),
  );
