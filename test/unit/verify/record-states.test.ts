import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ColumnSets } from '../../../src/verify/column-sets.ts';
import { RecordStates } from '../../../src/verify/record-states.ts';
import { type RowForm, RowStates, type ToleratedColumn } from '../../../src/verify/row-states.ts';
import type { TopicRecord } from '../../../src/verify/topic-source.ts';
import { hashText, StateKind, type TopicState } from '../../../src/verify/topic-state.ts';
import { type RecordedRecord, type RecordedTopic, recordedTopics } from '../../support/debezium-fixtures.ts';
import type { Row } from '../avro/recorded-table.ts';
import { batchOf, encoderOf, PLACEHOLDER, shapeOf, topicRecord } from './recorded-rows.ts';

/** Bytes are recorded as hexadecimal digits. */
const TELLING = new RegExp(`${PLACEHOLDER}|${Buffer.from(PLACEHOLDER).toString('hex')}`);

interface Compared {
  readonly states: RecordStates;
  readonly columnSets: ColumnSets;
  readonly rows: RowStates;
  stateOf(record: TopicRecord): Promise<{ kind: number; key: string; form: string }[]>;
  formsOf(key: Row | null, after: Row, withSets?: boolean): { key: string; forms: string[] };
}

function compared(
  topic: RecordedTopic,
  record: RecordedRecord,
  tolerated: readonly ToleratedColumn[] = [],
  unavailable: readonly string[] = [],
): Compared | null {
  const shape = shapeOf(topic, record);
  if (shape === null) return null;
  const encoder = encoderOf(shape);
  const columnSets = new ColumnSets();
  const rows = new RowStates(encoder, tolerated, columnSets);
  const states = new RecordStates({
    keyLayout: encoder.keyLayout,
    rowLayout: encoder.rowLayout,
    isKeyless: encoder.keyLayout === null,
    columns: shape.value.map(({ column }) => column.name),
    columnSets,
    texts: new Map(),
    schemaById: async (id) => {
      const text = topic.schemas[String(id)];
      return text === undefined ? null : { type: 'AVRO', text };
    },
    unavailableColumns: () => unavailable,
  });
  return {
    states,
    columnSets,
    rows,
    async stateOf(of) {
      await states.prepare([of]);
      const seen: { kind: number; key: string; form: string }[] = [];
      states.take(of, 0, (state: TopicState) =>
        seen.push({
          kind: state.kind,
          key: hashText(state.key, 0),
          form: `${state.columnSet}:${hashText(state.row, 0)}`,
        }),
      );
      return seen;
    },
    formsOf(key, after, withSets = false) {
      const batch = batchOf(shape, key, after);
      assert.ok(rows.locate(batch, 0));
      const forms: string[] = [];
      rows.forms(batch, withSets, (form: RowForm) => forms.push(`${form.columnSet}:${hashText(form.row, 0)}`));
      return { key: hashText(rows.key, 0), forms };
    },
  };
}

/** Records of rows, with the table that their schemas describe. */
function* rowRecords(): Generator<{ topic: RecordedTopic; record: RecordedRecord; value: Row }> {
  for (const topic of recordedTopics()) {
    for (const record of topic.records) {
      if (record.valueHex === null || record.valueId === null) continue;
      yield { topic, record, value: record.value as Row };
    }
  }
}

describe('a record that Debezium wrote', () => {
  it('leaves its key in the state that its row is expected to have', async () => {
    let rows = 0;
    let deleted = 0;
    for (const { topic, record, value } of rowRecords()) {
      const { stateOf, formsOf } = compared(topic, record) ?? {};
      if (stateOf === undefined || formsOf === undefined || record.keyHex === null) continue;
      const [state] = await stateOf(topicRecord(record));
      if (value.op === 'd') {
        assert.equal(state?.kind, StateKind.deleted);
        deleted += 1;
        continue;
      }
      if (value.after === null || value.after === undefined) continue;
      // A row with the placeholder is compared below.
      if (state?.kind === StateKind.partial) continue;
      const expected = formsOf(record.key as Row, value.after as Row);
      assert.equal(state?.kind, StateKind.row);
      assert.equal(state?.key, expected.key, topic.topic);
      assert.deepEqual([state?.form], expected.forms, topic.topic);
      rows += 1;
    }
    assert.ok(rows > 300 && deleted > 10, `${rows} rows, ${deleted} deletions`);
  });

  it('is another state where a byte of its row is another, or cannot be read, at every byte of the row', async () => {
    const found =
      [...rowRecords()].find(
        ({ topic, record, value }) => record.keyHex !== null && value.op === 'c' && topic.topic.endsWith('t_num'),
      ) ?? [...rowRecords()].find(({ record, value }) => record.keyHex !== null && value.op === 'c');
    const { topic, record, value } = found!;
    const { stateOf, formsOf } = compared(topic, record)!;
    const { forms } = formsOf(record.key as Row, value.after as Row);
    const original = topicRecord(record);
    // Behind the row lies the source block, which begins with the version of the connector.
    const end = original.value!.indexOf('.Final') - 6;
    assert.ok(end > 10);
    for (let at = 7; at < end; at++) {
      const changed = Buffer.from(original.value!);
      changed[at]! ^= 0x02;
      const [state] = await stateOf({ ...original, value: changed });
      assert.ok(state?.kind === StateKind.damaged || state?.form !== forms[0], `byte ${at} does not matter`);
    }
  });

  it('deletes its key as a tombstone, and tells nothing where its schema is unknown', async () => {
    const { topic, record } = [...rowRecords()].find(
      ({ record: { keyHex }, value }) => keyHex !== null && value.op === 'c',
    )!;
    const { stateOf, states } = compared(topic, record)!;
    const [tombstone] = await stateOf({ ...topicRecord(record), value: null });
    assert.equal(tombstone?.kind, StateKind.deleted);
    const unknown = topicRecord(record);
    unknown.value!.writeUInt32BE(0x7fffffff, 1);
    const [state] = await stateOf(unknown);
    assert.deepEqual([state?.kind, states.damaged, states.blind], [StateKind.damaged, 1, 0]);
    assert.equal(state?.key, tombstone?.key);
  });
});

describe('a column that the record does not carry', () => {
  it('is left out of the comparison where it has the placeholder, and no other column is', async () => {
    let seen = 0;
    for (const { topic, record, value } of rowRecords()) {
      if (!JSON.stringify(value.after ?? null).includes(PLACEHOLDER) || record.keyHex === null) continue;
      const made = compared(topic, record)!;
      const [state] = await made.stateOf(topicRecord(record));
      if (state?.kind !== StateKind.partial) continue;
      const after = value.after as Record<string, Row[string]>;
      const unknown = made.rows.encoder.rowLayout.fields.filter((_, i) => made.columnSets.all[0]?.has(i));
      assert.ok(unknown.length > 0);
      for (const { name } of unknown) assert.match(JSON.stringify(after[name]), TELLING);
      const known = { ...after, [unknown[0]!.name]: 'what the table has' };
      const forms = (row: Row) => made.formsOf(record.key as Row, row, true).forms;
      if (after[unknown[0]!.name] === PLACEHOLDER) assert.ok(forms(known).includes(state.form));
      const other = Object.entries(after).find(
        ([name, is]) => typeof is === 'string' && !is.startsWith('0x') && unknown.every((u) => u.name !== name),
      );
      if (other !== undefined) assert.ok(!forms({ ...after, [other[0]]: 'another' }).includes(state.form));
      seen += 1;
    }
    assert.ok(seen > 0, 'no recorded row has a placeholder');
  });

  it('is left out where a header names it', async () => {
    const { topic, record, value } = [...rowRecords()].find(
      ({ record: { keyHex }, value: { op, after } }) =>
        keyHex !== null && op === 'c' && Object.keys(after as Row).length > 1,
    )!;
    const name = Object.keys(value.after as Row).at(-1)!;
    const made = compared(topic, record, [], [name])!;
    const [state] = await made.stateOf({ ...topicRecord(record), headers: Buffer.of(0) });
    assert.equal(state?.kind, StateKind.partial);
    assert.ok(
      made.formsOf(record.key as Row, { ...(value.after as Row), [name]: null }, true).forms.includes(state!.form),
    );
  });
});

it('a defect that is tolerated gives a row another form beside its own', () => {
  const { topic, record, value } = [...rowRecords()].find(({ topic: of, record: { keyHex }, value: { op, after } }) => {
    if (keyHex === null || op !== 'c' || after === null) return false;
    const shape = shapeOf(of, { ...[...of.records].find((each) => each.keyHex === keyHex)! });
    return shape?.value.some(({ column }) => column.nullable && column.default !== null) === true;
  })!;
  const shape = shapeOf(topic, record)!;
  const at = shape.value.findIndex(({ column }) => column.nullable && column.default !== null);
  const { name } = shape.value[at]!.column;
  const row = { ...(value.after as Row), [name]: null };
  const plain = compared(topic, record)!.formsOf(record.key as Row, row).forms;
  assert.equal(plain.length, 1);
  const made = compared(topic, record, [{ at, as: 'default' }])!;
  const tolerant = made.formsOf(record.key as Row, row).forms;
  assert.equal(tolerant.length, 2);
  assert.deepEqual(tolerant[0], plain[0]);
  assert.notEqual(tolerant[1], plain[0]);
  const nulled = compared(topic, record, [{ at, as: 'null' }])!.formsOf(record.key as Row, value.after as Row).forms;
  if ((value.after as Row)[name] !== null) assert.ok(nulled.includes(plain[0]!));
});
