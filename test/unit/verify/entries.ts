import { PartedEntries } from '../../../src/verify/parted-entries.ts';
import { FORM_WORDS, putForm, putOutside } from '../../../src/verify/row-entry.ts';
import { putState, STATE_WORDS, type StateKind, TopicState } from '../../../src/verify/topic-state.ts';

/** A state of a topic in a test: keys and rows are small numbers. */
export interface TestState {
  readonly kind: StateKind;
  readonly key: number;
  readonly row?: number;
  readonly columnSet?: number;
  readonly partition?: number;
  readonly offset?: number;
  readonly timestampMs?: number;
}

export interface TestForm {
  readonly key: number;
  readonly row: number;
  readonly columnSet?: number;
  readonly isTolerated?: boolean;
  readonly chunk?: number;
  /** Stands for the row being left out by the filter, not for the row itself. */
  readonly isOutside?: boolean;
}

/** Keys that differ in one word only, the fourth: groups must look at all of them. */
export function hashOf(value: number, into: Int32Array): void {
  into.set([5, 5, value >> 4, value & 15]);
}

export function stateOf(test: TestState, position = 0): TopicState {
  const state = new TopicState();
  hashOf(test.key, state.key);
  hashOf(test.row ?? 0, state.row);
  state.kind = test.kind;
  state.columnSet = test.columnSet ?? 0;
  state.partition = test.partition ?? 0;
  state.offset = test.offset ?? position;
  state.timestampMs = test.timestampMs ?? position;
  return state;
}

export function loadStates(states: readonly TestState[]) {
  const entries = new PartedEntries(1, STATE_WORDS, 256);
  states.forEach((test, position) => {
    const at = entries.add(0);
    putState(stateOf(test, position), entries.words, entries.doubles, at);
  });
  return loaded(entries);
}

export function loadForms(forms: readonly TestForm[]) {
  const entries = new PartedEntries(1, FORM_WORDS, 256);
  for (const { key, row, columnSet = 0, isTolerated = false, chunk = 0, isOutside = false } of forms) {
    const keyHash = new Int32Array(4);
    const rowHash = new Int32Array(4);
    hashOf(key, keyHash);
    hashOf(row, rowHash);
    const at = entries.add(0);
    if (isOutside) putOutside(keyHash, entries.words, at);
    else putForm(keyHash, { row: rowHash, columnSet, isTolerated }, chunk, entries.words, at);
  }
  return loaded(entries);
}

/** The number whose hash this text is. */
export function numberOf(hash: string): number {
  const words = new Int32Array(Buffer.from(hash, 'latin1').buffer.slice(0));
  const bytes = Buffer.from(hash, 'latin1');
  return words.length >= 4 ? bytes.readInt32LE(8) * 16 + bytes.readInt32LE(12) : -1;
}

function loaded(entries: PartedEntries) {
  const part = entries.load(0);
  entries.close();
  return part;
}
