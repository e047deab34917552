import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { columnCodec } from '../../../../../connectors/postgres/column-codecs.ts';
import { MalformedValueError } from '../../../../../src/core/errors.ts';
import type { ColumnCodec } from '../../../../../src/core/table.ts';
import { plainValue } from '../../../../support/plain-value.ts';
import { PlainWriter } from '../../../../support/plain-writer.ts';
import { recordedTables } from '../../../../support/postgres-type-fixtures.ts';
import { DEBEZIUM_VARIANTS } from '../debezium-variants.ts';

interface Sample {
  readonly place: string;
  readonly column: ReturnType<typeof recordedTables>[number]['columns'][number];
  readonly text: string;
}

/** Short ASCII texts of every type. */
const samples: Sample[] = recordedTables().flatMap((table) =>
  Object.values(table.rows).flatMap((row) =>
    row.flatMap((text, index) => {
      const column = table.columns[index]!;
      const usable = text !== null && text.length < 200 && /^[\x20-\x7e]*$/.test(text);
      return usable ? [{ place: `${table.name}.${column.name}`, column, text }] : [];
    }),
  ),
);

const edit = fc.record({
  at: fc.nat(200),
  remove: fc.nat(3),
  insert: fc.string({ unit: fc.constantFrom(...'0123456789-+:. ,;(){}[]<>"\\eENaBCfityNULx$/'), maxLength: 3 }),
});

describe('text that was tampered with', () => {
  for (const [variant, modes] of Object.entries(DEBEZIUM_VARIANTS)) {
    it(`${variant}: gives an error or a value that fits the schema`, () => {
      fc.assert(
        fc.property(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 3 }), (sample, edits) => {
          const codec = columnCodec(sample.column.type, sample.column.typmod, modes);
          if (codec === null) return;
          let text = sample.text;
          for (const { at, remove, insert } of edits) {
            const place = at % (text.length + 1);
            text = text.slice(0, place) + insert + text.slice(place + remove);
          }
          try {
            plainValue(codec, text);
          } catch (error) {
            if (!(error instanceof MalformedValueError)) throw error;
            // What is wrong may be told, the value may not.
            assert.ok(text.length < 8 || !error.message.includes(text), sample.place);
          }
        }),
        { numRuns: 400 },
      );
    });
  }

  it('a cut value is never read beyond its end', () => {
    const seen = new Set<string>();
    for (const [variant, modes] of Object.entries(DEBEZIUM_VARIANTS)) {
      for (const { column, text } of samples) {
        const codec = columnCodec(column.type, column.typmod, modes);
        const sample = `${variant} ${column.type.name} ${column.typmod} ${text}`;
        if (codec === null || codec.schema.type === 'string' || seen.has(sample)) continue;
        seen.add(sample);
        const whole = Buffer.from(text);
        for (let length = 0; length < whole.length; length++) {
          // Behind the cut lies the rest of a good value, or nothing at all.
          const alone = Buffer.from(whole.subarray(0, length));
          const cut = outcome(codec, whole, length);
          const own = outcome(codec, alone, length);
          // An assertion for each of them would be slow.
          if (!isDeepStrictEqual(cut, own)) assert.deepEqual(cut, own, `${column.type.name} ${length}`);
        }
      }
    }
  });
});

function outcome(codec: ColumnCodec, bytes: Uint8Array, end: number): unknown {
  const out = new PlainWriter(codec.schema);
  try {
    return codec.write(bytes, 0, end, out) ? out.take() : 'not written';
  } catch (error) {
    if (error instanceof MalformedValueError) return 'malformed';
    throw error;
  }
}
