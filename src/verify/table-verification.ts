import type { RowEncoder } from '../avro/row-encoder.ts';
import type { ChangeBatch } from '../core/change-batch.ts';
import { freeBuffer } from '../core/free-buffer.ts';
import type { SnapshotTable } from '../core/snapshot.ts';
import { qualifiedName, type TableVersion } from '../core/table.ts';
import type { Candidate } from './candidate.ts';
import { ColumnSets } from './column-sets.ts';
import { compareKeys } from './compare-keys.ts';
import { compareValues } from './compare-values.ts';
import { type Division, divide, partOf } from './comparison-parts.ts';
import { KeyCandidates } from './key-candidates.ts';
import { KeyFilter } from './key-filter.ts';
import type { OpenKeys } from './open-keys.ts';
import { PartedEntries } from './parted-entries.ts';
import { RecordStates } from './record-states.ts';
import type { VerifyProgress } from './report.ts';
import { FORM_WORDS, putForm, putOutside } from './row-entry.ts';
import { type RowForm, RowStates } from './row-states.ts';
import { type TableChunk, TableReading, type VisitRow } from './table-reading.ts';
import { toleratedColumns } from './tolerated-columns.ts';
import { TopicReading } from './topic-reading.ts';
import type { TopicExtent } from './topic-source.ts';
import { hashText, putState, STATE_WORDS, StateKind, type TopicState } from './topic-state.ts';
import { type ValueCandidate, ValueCandidates } from './value-candidates.ts';
import type { VerifyDependencies } from './verify-dependencies.ts';

/** Differing keys that are kept to be looked at again. */
const MOST_CANDIDATES = 100_000;
/** Looks at what still differs, before it is left as changing all the time. */
const MOST_ROUNDS = 6;
const POLL_MS = 300;
/** Rows after which progress is told. */
const PROGRESS_ROWS = 1_000;

const NO_FORM: RowForm = { row: new Int32Array(4), columnSet: 0, isTolerated: false };

/** The table has other columns than when its comparison began: it has to begin again. */
export class TableAlteredError extends Error {
  override readonly name = 'TableAlteredError';
}

/** What one comparison of a table with its topic found. */
export interface Comparison {
  readonly encoder: RowEncoder | null;
  readonly states: RecordStates;
  readonly isKeyless: boolean;
  readonly rows: number;
  readonly unpublishable: number;
  readonly partial: number;
  readonly tolerated: number;
  readonly outside: number;
  readonly open: OpenKeys;
  /** Keys beyond those that were looked at again. */
  readonly unexamined: { missing: number; extra: number; different: number };
}

/**
 * One comparison of a table with its topic. First the topic is read, then the table, then the topic as far as it has come
 * by then; all of it is kept as hashes in parts on disk, which are compared one by one. What differs is read on, and read
 * again, until it is known to be different or not.
 */
export class TableVerification implements AsyncDisposable {
  readonly #dependencies: VerifyDependencies;
  readonly #table: SnapshotTable;
  readonly #name: string;
  readonly #topic: string;
  readonly #extent: TopicExtent | null;
  readonly #filter: string | null;
  readonly #reading: TableReading;
  readonly #columnSets = new ColumnSets();
  readonly #rowStates = new Map<string, RowStates>();
  #encoder: RowEncoder | null = null;
  #rows = 0;
  #unpublishable = 0;
  #isKeyless = false;
  /** Whether the columns are settled: of a table that was empty there are none. */
  #isProbed = false;
  #chunks: readonly TableChunk[] = [];

  constructor(table: SnapshotTable, extent: TopicExtent | null, dependencies: VerifyDependencies) {
    this.#dependencies = dependencies;
    this.#table = table;
    this.#name = qualifiedName(table.id);
    this.#topic = dependencies.topicOf(table.id);
    this.#extent = extent;
    this.#filter = dependencies.filterOf(table.id);
    this.#reading = new TableReading(dependencies.reader, table, dependencies);
  }

  /** @throws TableAlteredError */
  async compare(signal: AbortSignal): Promise<Comparison> {
    await this.#reading.readFirst(1, (batch, index) => this.#rowStatesOf(batch.versions[index]!), signal);
    this.#isProbed = true;
    this.#isKeyless = this.#encoder === null ? this.#table.key === null : this.#encoder.keyLayout === null;
    const states = this.#recordStates();
    const topicReading = new TopicReading(this.#dependencies.topics, this.#topic, this.#extent, states);
    const records = (this.#extent?.partitions ?? []).reduce((sum, { start, end }) => sum + end - start, 0);
    // A row that the filter leaves out takes the room of two.
    const rows = Math.max(this.#table.estimatedRows ?? 0, 0) * (this.#filter === null ? 1 : 2);
    const division = divide(records, Math.max(rows, Math.min(records, 10_000_000)), this.#dependencies.memoryBytes);
    const partialKeys = new KeyFilter(records);
    const seen = new PartedEntries(division.parts, STATE_WORDS, division.blockBytes);
    const forms = new PartedEntries(division.parts, FORM_WORDS, division.blockBytes);
    try {
      const keep = (state: TopicState): void => keepState(state, seen, division, partialKeys);
      const tell = (done: number): void => this.#progress('reading the topic', done, records);
      await topicReading.readOn(keep, tell, signal);
      const settled = Array.from({ length: division.parts }, (_, part) => seen.count(part));
      this.#chunks = await this.#readTable(forms, division, partialKeys, signal);
      await this.#reading.endView();
      await topicReading.readOn(keep, tell, signal);
      const compared = this.#compareParts(seen, settled, forms, division);
      seen.close();
      forms.close();
      await this.#follow(compared.open, topicReading, this.#dependencies.patienceMs, signal);
      await this.#lookAgain(compared.open, topicReading, signal);
      const [encoder, isKeyless, rows, unpublishable] = [
        this.#encoder,
        this.#isKeyless,
        this.#rows,
        this.#unpublishable,
      ];
      return { ...compared, encoder, states, isKeyless, rows, unpublishable };
    } finally {
      seen.close();
      forms.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reading[Symbol.asyncDispose]();
  }

  #recordStates(): RecordStates {
    const { topics, texts, schemaById } = this.#dependencies;
    return new RecordStates({
      keyLayout: this.#encoder?.keyLayout ?? null,
      rowLayout: this.#encoder?.rowLayout ?? null,
      isKeyless: this.#isKeyless,
      columns: this.#encoder?.shape.value.map(({ column }) => column.name) ?? [],
      columnSets: this.#columnSets,
      texts,
      schemaById,
      unavailableColumns: (record) => topics.unavailableColumns(record),
    });
  }

  async #readTable(
    forms: PartedEntries,
    division: Division,
    partialKeys: KeyFilter,
    signal: AbortSignal,
  ): Promise<readonly TableChunk[]> {
    let chunk = 0;
    const estimate = this.#table.estimatedRows;
    const visit: VisitRow = (batch, index) => {
      this.#rows += 1;
      if (this.#rows % PROGRESS_ROWS === 0) this.#progress('reading the table', this.#rows, estimate);
      const states = this.#rowStatesOf(batch.versions[index]!);
      if (!states.locate(batch, index)) {
        this.#unpublishable += 1;
        return;
      }
      const part = partOf(states.key, division.parts);
      const keep = (form: RowForm): void => {
        const at = forms.add(part);
        putForm(states.key, form, chunk, forms.words, at);
      };
      if (this.#isKeyless) keep(NO_FORM);
      else states.forms(batch, partialKeys.mayHave(states.key, 0), keep);
    };
    const visitOutside: VisitRow = (batch, index) => {
      const states = this.#rowStatesOf(batch.versions[index]!);
      if (!states.locate(batch, index)) return;
      const at = forms.add(partOf(states.key, division.parts));
      putOutside(states.key, forms.words, at);
    };
    const outside = this.#filter === null ? null : { filter: this.#filter, visit: visitOutside };
    const enter = (number: number): void => {
      chunk = number;
    };
    return this.#reading.readAll(enter, visit, signal, outside);
  }

  #compareParts(seen: PartedEntries, settled: readonly number[], forms: PartedEntries, { parts }: Division) {
    const unexamined = { missing: 0, extra: 0, different: 0 };
    const counts = { partial: 0, tolerated: 0, outside: 0 };
    const keys: Candidate[] = [];
    const values: ValueCandidate[] = [];
    const differingKey = (candidate: Candidate): void => {
      if (keys.length < MOST_CANDIDATES) keys.push(candidate);
      else unexamined[kindOf(candidate)] += 1;
    };
    const differingValue = (candidate: ValueCandidate): void => {
      if (values.length < MOST_CANDIDATES) values.push(candidate);
      else unexamined[candidate.rows > candidate.records ? 'missing' : 'extra'] += 1;
    };
    for (let part = 0; part < parts; part++) {
      this.#progress('comparing', part, parts);
      const states = seen.load(part);
      const rows = forms.load(part);
      if (this.#isKeyless) {
        counts.outside += compareValues(states, settled[part]!, rows, this.#filter !== null, differingValue).outside;
      } else {
        const { partial, tolerated, outside } = compareKeys(states, settled[part]!, rows, differingKey);
        counts.partial += partial;
        counts.tolerated += tolerated;
        counts.outside += outside;
      }
      // Now and not when the collector feels like it: a part is large, and the next is coming.
      for (const { words } of [states, rows]) freeBuffer(new Uint8Array(words.buffer));
    }
    const open: OpenKeys = this.#isKeyless ? new ValueCandidates(values) : new KeyCandidates(keys);
    return { open, unexamined, ...counts };
  }

  /**
   * Reads the topic on until nothing differs any more, or it holds all that was read of the table, or neither the source's
   * checkpoint nor what differs has changed for a while.
   * @returns whether it holds all of it: a change that is not there then never comes
   */
  async #follow(open: OpenKeys, topic: TopicReading, patienceMs: number, signal: AbortSignal): Promise<boolean> {
    let { size } = open;
    let published = '';
    let until = performance.now() + patienceMs;
    while (open.size > 0) {
      // Asked for before the topic is read: what it stands for is in the topic by then.
      const upTo = await this.#dependencies.publishedUpTo(signal);
      const isPassed = upTo !== null && this.#reading.isPassed(upTo.position);
      await topic.readOn(
        (state) => open.apply(state),
        () => {},
        signal,
      );
      if (isPassed) return true;
      const now = performance.now();
      if (open.size < size || (upTo !== null && upTo.text !== published)) until = now + patienceMs;
      else if (now >= until) return false;
      size = open.size;
      published = upTo?.text ?? '';
      if (size > 0) await this.#dependencies.clock.sleep(POLL_MS, signal);
    }
    return true;
  }

  async #lookAgain(open: OpenKeys, topic: TopicReading, signal: AbortSignal): Promise<void> {
    for (let round = 1; open.size > 0 && round <= MOST_ROUNDS; round++) {
      this.#progress('looking again', round, MOST_ROUNDS);
      await this.#readAgain(open, signal);
      open.endReading();
      open.endRound(await this.#follow(open, topic, this.#dependencies.patienceAgainMs, signal));
    }
  }

  async #readAgain(open: OpenKeys, signal: AbortSignal): Promise<void> {
    let chunk = -1;
    const visit: VisitRow = (batch, index) => this.#visitAgain(open, batch, index, chunk);
    const enter = (number: number): void => {
      chunk = number;
    };
    const places = open.places();
    const wanted = places === null ? open.chunks() : [];
    if (places !== null) await this.#reading.readKeys(places, visit, signal);
    if (wanted === null) this.#chunks = await this.#reading.readAll(enter, visit, signal);
    for (const number of wanted ?? []) {
      enter(number);
      await this.#reading.readChunk(this.#chunks[number]!, visit, signal);
    }
    await this.#reading.endView();
  }

  #visitAgain(open: OpenKeys, batch: ChangeBatch<unknown>, index: number, chunk: number): void {
    const states = this.#rowStatesOf(batch.versions[index]!);
    if (!states.locate(batch, index)) return;
    const key = hashText(states.key, 0);
    if (!open.has(key)) return;
    if (open instanceof ValueCandidates) open.addRow(key, states.keyBytes);
    else if (open instanceof KeyCandidates) {
      const place = this.#dependencies.reader.keyOf(this.#table, batch, index);
      const row = { key, chunk, rowKey: Buffer.from(states.keyBytes), place };
      states.forms(batch, true, (form) => open.addForm(row, form));
    }
  }

  /** @throws TableAlteredError where the rows have other columns than those before. */
  #rowStatesOf(version: TableVersion): RowStates {
    const known = this.#rowStates.get(version.fingerprint);
    if (known !== undefined) return known;
    const { createEncoder, tolerate } = this.#dependencies;
    const encoder = createEncoder(version);
    if (!this.#isProbed) this.#encoder ??= encoder;
    if (this.#encoder === null || namesOf(this.#encoder) !== namesOf(encoder)) {
      throw new TableAlteredError(`${this.#name} was altered while it was compared`);
    }
    const states = new RowStates(encoder, toleratedColumns(encoder, tolerate), this.#columnSets);
    this.#rowStates.set(version.fingerprint, states);
    return states;
  }

  #progress(phase: VerifyProgress['phase'], done: number, total: number | null): void {
    this.#dependencies.progress({ table: this.#name, phase, done, total });
  }
}

function keepState(state: TopicState, seen: PartedEntries, { parts }: Division, partialKeys: KeyFilter): void {
  if (state.kind === StateKind.partial) partialKeys.add(state.key, 0);
  if (state.kind !== StateKind.truncate) {
    const at = seen.add(partOf(state.key, parts));
    putState(state, seen.words, seen.doubles, at);
    return;
  }
  // It is about the keys of every part.
  for (let part = 0; part < parts; part++) {
    const at = seen.add(part);
    putState(state, seen.words, seen.doubles, at);
  }
}

function kindOf({ forms, topic }: Candidate): 'missing' | 'extra' | 'different' {
  if (topic === null || topic.kind === StateKind.deleted) return 'missing';
  return forms.length === 0 ? 'extra' : 'different';
}

function namesOf({ keyLayout, rowLayout }: RowEncoder): string {
  return JSON.stringify([keyLayout, rowLayout].map((layout) => layout?.fields.map(({ name }) => name) ?? null));
}
