import assert from 'node:assert/strict';
import { decode, type Fields, type PlainRecord, type ReceivedRecord, show } from './golden-comparison.ts';

/**
 * The table whose columns and key changed between its rows. Debezium read nullability, defaults and key from whatever the
 * catalog was by then, so its schemas tell of its lag; ours have to be right, whenever they are made.
 */
export function compareEvolution(expected: readonly PlainRecord[], ours: readonly ReceivedRecord[]): void {
  const rows = ours.map((record) => ({
    key: decode(record.key, record.keySchema),
    value: decode(record.value, record.valueSchema),
  }));
  assert.deepEqual(
    rows.map(({ value }) => value?.op ?? null),
    expected.map(({ value }) => value?.op ?? null),
  );
  rows.forEach(({ key, value }, i) => {
    const wanted = expected[i]!.value;
    // Every column of the log, no other, with the value it had.
    assert.equal(show(value?.after ?? null), show(wanted?.after ?? null));
    assert.deepEqual(Object.keys(key!), keyColumnsOf(Number(key!.id)));
  });
  const deleted = rows.find(({ value }) => value?.op === 'd')!.value!.before as Fields;
  assert.deepEqual({ ...deleted }, { id: 9, bb: 'nine', c: null, d: 'dd' });
  assertVersions(expected, ours);
  assert.equal(ours.at(-1)!.keySchema, expected.at(-1)!.keySchema, 'nothing comes after the last row');
  assert.equal(ours.at(-1)!.valueSchema, expected.at(-1)!.valueSchema);
  assert.equal(ours[0]!.keySchema, expected[0]!.keySchema);
}

/** The key was (id), and (id, bb) from the row 9 on. */
function keyColumnsOf(id: number): readonly string[] {
  return id < 9 ? ['id'] : ['id', 'bb'];
}

/** A row with other columns than the one before it, or of other types, has another schema. */
function assertVersions(expected: readonly PlainRecord[], ours: readonly ReceivedRecord[]): void {
  const layout = ({ value }: PlainRecord) => {
    const after = value?.after as Fields | null | undefined;
    return after ? show(Object.entries(after).map(([name, field]) => [name, typeof field])) : null;
  };
  let previous: { layout: string; schema: string } | null = null;
  let versions = 0;
  expected.forEach((record, i) => {
    const current = { layout: layout(record), schema: ours[i]!.valueSchema };
    if (current.layout === null || current.schema === null) return;
    if (previous !== null && previous.layout !== current.layout) {
      assert.notEqual(current.schema, previous.schema);
      versions += 1;
    }
    previous = current as { layout: string; schema: string };
  });
  assert.ok(versions >= 5, `${versions} changes of layout were found`);
}
