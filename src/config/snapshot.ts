import { z } from 'zod';
import type { SnapshotSettings } from '../core/settings.ts';
import { choice, flag, integer, list, pattern, text } from './fields.ts';

const filterSchema = z.strictObject({
  table: pattern('schema.table').meta({ description: 'Tables that the filter is for.' }),
  filter: text({ kind: 'an SQL condition' }).meta({
    description: 'What a row must fulfil to be read, as it would stand behind WHERE.',
  }),
});

/** The section `snapshot` of a source. */
export const snapshotSchema = z
  .strictObject({
    mode: choice(['always', 'initial', 'initial_only', 'no_data', 'never', 'when_needed']).prefault('initial').meta({
      description:
        'When the rows that are already in the tables are read: at the first start (`initial`), at every start (`always`), at the first start and where the log has lost what was not read (`when_needed`), at the first start and then nothing is streamed (`initial_only`), or not at all (`no_data`, `never`).',
    }),
    blocking: flag().prefault(false).meta({
      description:
        'Whether the stream rests while tables are read, so that all of their rows come before any change. The log is kept meanwhile, and one view of the database is open for as long.',
    }),
    delete_pass: flag().prefault(true).meta({
      description:
        'Whether a resync ends with deletes of what the topics have and the tables do not, of tables with a key and without a filter.',
    }),
    chunk_rows: integer({ min: 100, max: 1_000_000 }).prefault(50_000).meta({
      description: 'The most rows that are read at a time; fewer where they take longer than a quarter of a second.',
    }),
    parallelism: integer({ min: 1, max: 16 }).prefault(2).meta({
      description: 'Connections that read tables at the same time.',
    }),
    where: list(filterSchema).prefault([]).meta({
      description: 'Rows to read; the first filter whose `table` matches counts.',
    }),
  })
  .transform(
    ({ mode, blocking, delete_pass, chunk_rows, parallelism, where }): SnapshotSettings => ({
      mode,
      blocking,
      deletePass: delete_pass,
      chunkRows: chunk_rows,
      parallelism,
      where,
    }),
  );
