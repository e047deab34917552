import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnCodec } from '../../../../../connectors/postgres/column-codecs.ts';
import type { ExactJson, ExactNumber } from '../../../../support/exact-json.ts';
import { equalsGolden, showPlain } from '../../../../support/golden-equality.ts';
import { plainOf, plainValue } from '../../../../support/plain-value.ts';
import type { Plain } from '../../../../support/plain-writer.ts';
import { type Golden, readGolden, recordedTables } from '../../../../support/postgres-type-fixtures.ts';
import { DEBEZIUM_VARIANTS } from '../debezium-variants.ts';
import { defectReasons, isDefect, notCompared } from './debezium-defects.ts';

type Row = { readonly [column: string]: ExactJson };

const tables = recordedTables();
const usedDefects = new Set<string>();

describe('values as Debezium wrote them', () => {
  for (const [variant, modes] of Object.entries(DEBEZIUM_VARIANTS)) {
    for (const table of tables) {
      const golden = readGolden(variant, table.name);
      if (golden === null || notCompared(variant, table.name, '*')) continue;
      it(`${variant} ${table.name}`, () => {
        const differences: string[] = [];
        let compared = 0;
        for (const { op, row } of insertedRows(golden)) {
          const id = (row.id as ExactNumber).text;
          const texts = table.rows[id];
          if (texts === undefined) continue;
          table.columns.forEach((column, index) => {
            const { name, type, typmod, defaultExpression } = column;
            if (notCompared(variant, table.name, name)) return;
            const codec = columnCodec(type, typmod, modes);
            if (codec === null) {
              assert.ok(!(name in row), `${name} is left out as Debezium leaves it out`);
              return;
            }
            compared++;
            const ours = plainValue(codec, texts[index]!);
            const theirs = row[name]!;
            if (equalsGolden(theirs, ours)) return;
            // Debezium publishes a stored NULL as the column's default.
            if (texts[index] === null && defaultExpression !== null) return;
            const defect = isDefect(variant, table.name, op, id, name, ours);
            if (defect === null)
              differences.push(`${op} ${id} ${name}: ${showPlain(ours)}, not ${JSON.stringify(theirs)}`);
            else usedDefects.add(defect);
          });
        }
        assert.ok(compared > 0, 'something was compared');
        assert.deepEqual(differences, []);
      });
    }
  }

  it('no longer needs an exclusion that nothing uses', () => {
    assert.deepEqual([...usedDefects].sort(), [...defectReasons()].sort());
  });
});

describe('what stands for values that the log does not carry', () => {
  for (const [variant, modes] of Object.entries(DEBEZIUM_VARIANTS)) {
    const toast = readGolden(variant, 'inv.toast');
    if (toast !== null) {
      it(`${variant}: the placeholder of unchanged TOAST columns`, () => {
        const after = toast.values.find((value) => value?.op === 'u')!.after!;
        const table = tables.find(({ name }) => name === 'inv.toast')!;
        for (const { name, type, typmod } of table.columns.filter((column) => column.name.startsWith('big'))) {
          const codec = columnCodec(type, typmod, modes)!;
          const ours = plainOf(codec, codec.writeUnavailable);
          // Debezium writes NULL for base64, which cannot be told from a stored NULL; ours is what it writes for hex.
          if (name === 'bigb' && modes.binary.startsWith('base64')) assert.equal(ours, modes.unavailablePlaceholder);
          else assert.ok(equalsGolden(after[name]!, ours), `${name}: ${showPlain(ours)}`);
        }
      });
    }
    for (const [name, omitted] of [
      ['inv.ri_default', ['id', 'opt']],
      ['inv.t_num', ['id']],
    ] as const) {
      const golden = readGolden(variant, name);
      if (golden === null) continue;
      it(`${variant} ${name}: an old image with only the key`, () => {
        const before = golden.values.find((value) => value?.op === 'd')!.before!;
        const table = tables.find((candidate) => candidate.name === name)!;
        const required = table.columns.filter(
          (column) => !column.nullable && !(omitted as readonly string[]).includes(column.name),
        );
        assert.ok(required.length > 0);
        for (const { name: column, type, typmod } of required) {
          if (notCompared(variant, name, column)) continue;
          const codec = columnCodec(type, typmod, modes)!;
          const ours: Plain = plainOf(codec, codec.writeFallback);
          assert.ok(equalsGolden(before[column]!, ours), `${column}: ${showPlain(ours)}`);
        }
      });
    }
  }

  it('pg_structured: the epoch', () => {
    const before = readGolden('pg_structured', 'inv.t_default')!.values.find((value) => value?.op === 'd')!.before!;
    const { type, typmod } = tables
      .find(({ name }) => name === 'inv.t_default')!
      .columns.find(({ name }) => name === 'ts3')!;
    const codec = columnCodec(type, typmod, DEBEZIUM_VARIANTS.pg_structured!)!;
    assert.ok(equalsGolden(before.ts3!, plainOf(codec, codec.writeFallback)));
  });
});

function* insertedRows(golden: Golden): Generator<{ op: 'r' | 'c'; row: Row }> {
  for (const value of golden.values) {
    if (value?.after && (value.op === 'r' || value.op === 'c')) yield { op: value.op, row: value.after };
  }
}
