import type { RowEncoder } from '../avro/row-encoder.ts';
import { NULL_VALUE } from '../avro/row-image.ts';
import type { ChangeBatch } from '../core/change-batch.ts';
import { PoisonChangeError } from '../core/errors.ts';
import { RowCells } from '../core/table.ts';
import type { ColumnSets } from './column-sets.ts';
import { HASH_WORDS, hash128 } from './hash-128.ts';

/** `columnSet` of a row that cannot be published: no record has it. */
export const UNPUBLISHABLE = -1;

/** A column whose value may also be in the topic as NULL, or NULL as the column's default. */
export interface ToleratedColumn {
  readonly at: number;
  readonly as: 'null' | 'default';
}

/** What a row of the table may be in the topic as: one form where nothing is tolerated and nothing unknown. */
export interface RowForm {
  /** Hash of the row without the columns of `columnSet`. */
  readonly row: Int32Array;
  columnSet: number;
  /** Whether something was tolerated to make it so. */
  isTolerated: boolean;
}

/** Brings rows of a table into the states that their records are expected to leave. */
export class RowStates {
  readonly encoder: RowEncoder;
  readonly #tolerated: readonly ToleratedColumn[];
  readonly #columnSets: ColumnSets;
  readonly #cells = new RowCells();
  readonly #form: RowForm = { row: new Int32Array(HASH_WORDS), columnSet: 0, isTolerated: false };
  /** Hash of the key of the row that was located last; of the whole row in a table without key. */
  readonly key = new Int32Array(HASH_WORDS);
  /** Avro bytes of that key; of the row in a table without key. Valid until the next row. */
  keyBytes: Buffer = Buffer.alloc(0);

  constructor(encoder: RowEncoder, tolerated: readonly ToleratedColumn[], columnSets: ColumnSets) {
    this.encoder = encoder;
    this.#tolerated = tolerated;
    this.#columnSets = columnSets;
  }

  /** Reads the key of a row. @returns false where the row has none that can be published. */
  locate(batch: ChangeBatch<unknown>, index: number): boolean {
    const { encoder } = this;
    const version = batch.versions[index]!;
    this.#cells.reserve(version.columns.length);
    version.locate(batch, index, 'after', this.#cells);
    try {
      this.keyBytes =
        encoder.key === null ? encoder.encodeRow(batch, this.#cells) : encoder.encodeKey(batch, this.#cells);
    } catch (error) {
      if (error instanceof PoisonChangeError) return false;
      throw error;
    }
    const { bytes, length } = (encoder.key ?? encoder.row).compose(null);
    hash128(bytes, 0, length, this.key, 0);
    return true;
  }

  /** Emits the forms of the row that was located; `withSets`: also those without the columns of each set. */
  forms(batch: ChangeBatch<unknown>, withSets: boolean, emit: (form: RowForm) => void): void {
    const form = this.#form;
    form.isTolerated = false;
    try {
      this.encoder.encodeRow(batch, this.#cells);
    } catch (error) {
      if (!(error instanceof PoisonChangeError)) throw error;
      form.columnSet = UNPUBLISHABLE;
      emit(form);
      return;
    }
    this.#emit(withSets, emit);
    if (this.#tolerated.length > 0) this.#emitTolerated(batch, withSets, emit);
  }

  /** Each defect may have been there or not when the record was written, for all its columns alike. */
  #emitTolerated(batch: ChangeBatch<unknown>, withSets: boolean, emit: (form: RowForm) => void): void {
    const { row, rowLayout } = this.encoder;
    const affected = this.#tolerated.filter(({ at, as }) => row.isNull(at) === (as === 'default'));
    if (affected.length === 0) return;
    this.#form.isTolerated = true;
    const kinds = [...new Set(affected.map(({ as }) => as))];
    for (let subset = 1; subset < 1 << kinds.length; subset++) {
      if (subset > 1) this.encoder.encodeRow(batch, this.#cells);
      for (const { at, as } of affected) {
        if (((subset >> kinds.indexOf(as)) & 1) === 1)
          row.replace(at, as === 'null' ? NULL_VALUE : rowLayout.fields[at]!.missing);
      }
      this.#emit(withSets, emit);
    }
  }

  #emit(withSets: boolean, emit: (form: RowForm) => void): void {
    const form = this.#form;
    const { row } = this.encoder;
    const whole = row.compose(null);
    hash128(whole.bytes, 0, whole.length, form.row, 0);
    form.columnSet = 0;
    emit(form);
    if (!withSets) return;
    this.#columnSets.all.forEach((set, i) => {
      const { bytes, length } = row.compose(set);
      hash128(bytes, 0, length, form.row, 0);
      form.columnSet = i + 1;
      emit(form);
    });
  }
}
