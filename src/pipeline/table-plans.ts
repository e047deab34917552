import type { TailraceError } from '../core/errors.ts';
import { IncompatibleSchemaError } from '../core/incompatible-schema-error.ts';
import type { TableVersion } from '../core/table.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { TablePlan, TablePlanner } from './table-plan.ts';

/** What a table's changes go through: its plan, or why all of them become dead letters. */
export type Prepared =
  | { readonly plan: TablePlan; readonly refusal: null }
  | { readonly plan: null; readonly refusal: TailraceError };

/** The plans of the table versions that were met. */
export class TablePlans {
  readonly #planner: TablePlanner;
  readonly #deadLetters: DeadLetters;
  readonly #prepared = new WeakMap<TableVersion, Prepared>();
  #lastVersion: TableVersion | null = null;
  #lastPrepared: Prepared | null = null;
  /** Resolves once whoever came before is done; never rejects. */
  #preparing: Promise<void> = Promise.resolve();

  constructor(planner: TablePlanner, deadLetters: DeadLetters) {
    this.#planner = planner;
    this.#deadLetters = deadLetters;
  }

  /** Null where the version was not prepared for. Quick where the same one is asked for again and again. */
  lookUp(version: TableVersion): Prepared | null {
    if (version === this.#lastVersion) return this.#lastPrepared;
    const prepared = this.#prepared.get(version) ?? null;
    if (prepared !== null) {
      this.#lastVersion = version;
      this.#lastPrepared = prepared;
    }
    return prepared;
  }

  /**
   * Resolves once the version's schemas have ids and its topic exists. Under the policy `dead_letter` a schema that the
   * registry refuses sends the table's changes to the dead letters. One at a time: readers of one table meet its version
   * together, and a registry refuses to create what is being created.
   */
  async prepare(version: TableVersion, signal: AbortSignal): Promise<void> {
    const turn = this.#preparing.then(() => this.#prepareNext(version, signal));
    this.#preparing = turn.then(settled, settled);
    await turn;
  }

  async #prepareNext(version: TableVersion, signal: AbortSignal): Promise<void> {
    if (!this.#prepared.has(version)) this.#prepared.set(version, await this.#plan(version, signal));
  }

  async #plan(version: TableVersion, signal: AbortSignal): Promise<Prepared> {
    try {
      return { plan: await this.#planner.plan(version, signal), refusal: null };
    } catch (error) {
      if (!(error instanceof IncompatibleSchemaError) || error.policy !== 'dead_letter') throw error;
      await this.#deadLetters.prepare(signal);
      return { plan: null, refusal: error };
    }
  }
}

function settled(): void {}
