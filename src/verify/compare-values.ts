import { EntryGroups } from './entry-groups.ts';
import type { LoadedEntries } from './parted-entries.ts';
import { FORM_WORDS, isOutside } from './row-entry.ts';
import { hashText, STATE_WORDS, StateKind } from './topic-state.ts';
import { Truncates } from './truncates.ts';
import type { ValueCandidate } from './value-candidates.ts';

/**
 * Compares one part of a topic without keys with the same part of its table: each value must be there as often. It is equal
 * where the topic had as many at any moment from that on at which reading the table began (`settled` states before).
 *
 * Where the snapshot has a filter, rows that it leaves out were in the table before the topic was told of any: of a value
 * that it leaves out there may be fewer in the topic, even less than none.
 * @returns rows that are equal, and rows that are left out and not in the topic
 */
export function compareValues(
  topic: LoadedEntries,
  settled: number,
  table: LoadedEntries,
  isFiltered: boolean,
  differing: (candidate: ValueCandidate) => void,
): { readonly equal: number; readonly outside: number } {
  const groups = new EntryGroups(topic, STATE_WORDS, table, FORM_WORDS);
  const most = topic.count + table.count;
  const rows = new Int32Array(most);
  const records = new Int32Array(most);
  const wasEqual = new Uint8Array(most);
  const shown = new Int32Array(most).fill(-1);
  const isLeftOut = new Uint8Array(most);
  for (let form = 0; form < table.count; form++) {
    const group = groups.of(1, form);
    if (isOutside(table.words, form * FORM_WORDS)) isLeftOut[group] = 1;
    else rows[group]! += 1;
  }
  /** Of a value that the table does not have now nobody knows whether the filter leaves it out. */
  const mayLack = (group: number): boolean => isLeftOut[group] === 1 || (isFiltered && rows[group] === 0);
  const fits = (group: number): boolean =>
    records[group] === rows[group] || (records[group]! < rows[group]! && mayLack(group));
  const before = truncatesAmong(topic, 0, settled);
  // All there are, before anything is counted: what comes only later was not there, which may be what the table says.
  for (let entry = 0; entry < topic.count; entry++) {
    if (kindOf(topic, entry) !== StateKind.truncate) groups.of(0, entry);
  }
  const settle = (): void => {
    for (let group = 0; group < groups.count; group++) if (fits(group)) wasEqual[group] = 1;
  };
  for (let entry = 0; entry < topic.count; entry++) {
    if (entry === settled) settle();
    const kind = kindOf(topic, entry);
    if (kind === StateKind.truncate) {
      // Of those before the reading the places decide, below: their partitions were read one after the other.
      if (entry >= settled) {
        records.fill(0);
        for (let group = 0; group < groups.count; group++) if (fits(group)) wasEqual[group] = 1;
      }
      continue;
    }
    if (entry < settled && isBefore(before, topic, entry)) continue;
    const group = groups.of(0, entry);
    records[group]! += kind === StateKind.row ? 1 : -1;
    if (kind === StateKind.row) shown[group] = entry;
    if (entry >= settled && fits(group)) wasEqual[group] = 1;
  }
  settle();
  let equal = 0;
  let outside = 0;
  for (let group = 0; group < groups.count; group++) {
    if (wasEqual[group] !== 1) {
      differing(candidateOf(group));
      continue;
    }
    const lacking = mayLack(group) ? Math.max(0, rows[group]! - Math.max(0, records[group]!)) : 0;
    outside += lacking;
    equal += rows[group]! - lacking;
  }
  return { equal, outside };

  function candidateOf(group: number): ValueCandidate {
    const { words, at } = groups.hashOf(group);
    const entry = shown[group]!;
    const record =
      entry < 0
        ? null
        : {
            partition: topic.words[entry * STATE_WORDS + 9]!,
            offset: topic.doubles[entry * (STATE_WORDS / 2) + 5]!,
          };
    return {
      key: hashText(words, at),
      rows: rows[group]!,
      records: records[group]!,
      mayLack: mayLack(group),
      record,
      rowKey: null,
      unchangedRounds: 0,
    };
  }
}

function truncatesAmong(topic: LoadedEntries, from: number, to: number): Truncates {
  const truncates = new Truncates();
  for (let entry = from; entry < to; entry++) {
    if (kindOf(topic, entry) === StateKind.truncate) truncates.add(...placeOf(topic, entry));
  }
  return truncates;
}

function isBefore(truncates: Truncates, topic: LoadedEntries, entry: number): boolean {
  return !truncates.none && truncates.follow(...placeOf(topic, entry)) === 'yes';
}

function kindOf({ words }: LoadedEntries, entry: number): number {
  return words[entry * STATE_WORDS + 8]! & 0xff;
}

function placeOf({ words, doubles }: LoadedEntries, entry: number): [number, number, number] {
  const at = entry * (STATE_WORDS / 2);
  return [words[entry * STATE_WORDS + 9]!, doubles[at + 5]!, doubles[at + 6]!];
}
