import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GtidSet } from '../../../../../connectors/mysql/protocol/gtid-set.ts';
import { decodeGtidSet, encodeGtidSet } from '../../../../../connectors/mysql/protocol/gtid-set-encoding.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4e11fa47-71ca-11e1-9e33-c80aa9429562';

test('text comes back in the form of the server', () => {
  for (const [text, canonical] of [
    ['', ''],
    [`${A}:1-5`, `${A}:1-5`],
    [`${A}:5:1-3:4`, `${A}:1-5`],
    [`${A}:7:1-3`, `${A}:1-3:7`],
    [`${B}:1,\n${A.toUpperCase()}:1-2`, `${A}:1-2,${B}:1`],
    [`${A}:1,${A}:2`, `${A}:1-2`],
    [`${A}:5-3`, ''],
    [` ${A} : 1 - 3 : Tag_1 : 4 `, `${A}:1-3:tag_1:4`],
    [`${A}:b:1-2:a:7,${A}:3`, `${A}:3:a:7:b:1-2`],
    [`${A}:a:1,${B}:a:1:_:2`, `${A}:a:1,${B}:_:2:a:1`],
    [`${A}:9007199254740991`, `${A}:9007199254740991`],
  ] as const) {
    assert.equal(GtidSet.parse(text).toString(), canonical, text);
  }
});

test('what is not a set is refused', () => {
  for (const text of [
    A,
    `${A}:`,
    `${A}:0`,
    `${A}:0-3`,
    `${A}:1-`,
    `${A}:-1`,
    `${A}:1.5`,
    `${A}:9007199254740992`,
    `${A}:1-9007199254740992`,
    `${A.slice(1)}:1`,
    `${A}:tag_that_is_longer_than_the_32_allowed:1`,
    `${A}:1:!`,
    '0-1-5',
    'nonsense',
  ]) {
    assert.throws(() => GtidSet.parse(text), ProtocolError, text);
  }
});

// The algebra against sets of `source:number` in plain JavaScript sets.
const NUMBERS = 12;
const SOURCES = [A, `${A}:a`, `${A}:b`, B];
type Model = ReadonlySet<string>;
const gtids = fc.uniqueArray(fc.tuple(fc.nat(SOURCES.length - 1), fc.integer({ min: 1, max: NUMBERS })), {
  maxLength: 30,
  selector: ([source, number]) => `${source}:${number}`,
});

function modelOf(picked: readonly (readonly [number, number])[]): Model {
  return new Set(picked.map(([source, number]) => `${SOURCES[source]}:${number}`));
}

function setOf(model: Model): GtidSet {
  let set = GtidSet.empty;
  for (const gtid of model) {
    const at = gtid.lastIndexOf(':');
    const number = Number(gtid.slice(at + 1));
    set = set.with(gtid.slice(0, at), number, number);
  }
  return set;
}

function membersOf(set: GtidSet): Model {
  const members = new Set<string>();
  for (const source of SOURCES) {
    for (let number = 1; number <= NUMBERS; number++) if (set.has(source, number)) members.add(`${source}:${number}`);
  }
  return members;
}

test('union, difference, containment and intersection are those of sets', () => {
  fc.assert(
    fc.property(gtids, gtids, (one, other) => {
      const [a, b] = [modelOf(one), modelOf(other)];
      const [x, y] = [setOf(a), setOf(b)];
      assert.deepEqual(membersOf(x), a);
      assert.deepEqual(membersOf(x.union(y)), new Set([...a, ...b]));
      assert.deepEqual(membersOf(x.subtract(y)), new Set([...a].filter((gtid) => !b.has(gtid))));
      assert.equal(
        x.contains(y),
        [...b].every((gtid) => a.has(gtid)),
      );
      assert.equal(
        x.intersects(y),
        [...a].some((gtid) => b.has(gtid)),
      );
      assert.equal(x.isEmpty, a.size === 0);
    }),
  );
});

test('text and both binary forms come back, in one form only', () => {
  fc.assert(
    fc.property(gtids, (picked) => {
      const set = setOf(modelOf(picked));
      const text = set.toString();
      assert.equal(GtidSet.parse(text).toString(), text);
      assert.equal(setOf(modelOf([...picked].reverse())).toString(), text);
      const bytes = encodeGtidSet(set);
      assert.equal(decodeGtidSet(bytes, 0, bytes.length).toString(), text);
    }),
  );
});

test('a set does not change with what is made of it', () => {
  const set = GtidSet.parse(`${A}:1-5`);
  set.with(A, 6, 9);
  set.union(GtidSet.parse(`${B}:1`));
  set.subtract(GtidSet.parse(`${A}:2`));
  assert.equal(set.toString(), `${A}:1-5`);
});
