import type { TailraceError } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { PublicationChange, PublicationPair, PublicationProblem } from './publication-plan.ts';
import type { PublishableTable } from './publishable-tables.ts';

const IDENTITY = 'Give them a primary key or REPLICA IDENTITY FULL';
const OWNERSHIP = 'make the role of this source a member of the role that owns them and the publications';

/** Says what happened to the publications, and once, for as long as it lasts, what is wrong with them. */
export class PublicationReport {
  readonly #logger: Logger;
  readonly #pair: PublicationPair;
  readonly #isOurs: boolean;
  #said: ReadonlySet<string> = new Set();

  /** @param isOurs the source changes the publications itself. */
  constructor(logger: Logger, pair: PublicationPair, isOurs: boolean) {
    this.#logger = logger;
    this.#pair = pair;
    this.#isOurs = isOurs;
  }

  done(changes: readonly PublicationChange[]): void {
    const { updates, inserts } = this.#pair;
    const of = (kind: PublicationChange['kind'], to: string) =>
      namesOf(changes.filter((change) => change.kind === kind && change.to === to).map(({ table }) => table));
    for (const publication of [updates, inserts]) {
      const tables = of('added', publication);
      if (tables.length === 0) continue;
      const message = 'added tables to the publication; earlier changes of them are not captured';
      this.#logger.info({ publication, tables }, message);
    }
    const withoutIdentity = of('added', inserts);
    if (withoutIdentity.length > 0) {
      this.#logger.warn(
        { tables: withoutIdentity },
        `only INSERT and TRUNCATE of these tables are captured: they have no usable replica identity. ${IDENTITY}.`,
      );
    }
    const detached = of('detached', updates);
    if (detached.length > 0) {
      this.#logger.info(
        { publication: updates, tables: detached },
        'added partitions to the publication by themselves',
      );
    }
    const lost = of('lost', inserts);
    if (lost.length > 0) {
      this.#logger.warn(
        { from: updates, to: inserts, tables: lost },
        `moved tables that have no usable replica identity any more, so that their UPDATE and DELETE go on working: only INSERT and TRUNCATE are captured from now on. ${IDENTITY}.`,
      );
    }
    const gained = of('gained', updates);
    if (gained.length > 0) {
      this.#logger.info(
        { from: inserts, to: updates, tables: gained },
        'moved tables that have a usable replica identity now: UPDATE and DELETE of transactions that begin from now on are captured, earlier ones are not',
      );
    }
  }

  /** What is wrong now. */
  problems(problems: readonly PublicationProblem[], failures: ReadonlyMap<PublishableTable, TailraceError>): void {
    const now = new Set<string>();
    const isNews = (key: string, table: PublishableTable) => {
      now.add(`${key} ${table.oid}`);
      return !this.#said.has(`${key} ${table.oid}`);
    };
    for (const [kind, message] of Object.entries(this.#messages())) {
      const affected = problems.filter((problem) => problem.kind === kind);
      const tables = namesOf(affected.map(({ table }) => table).filter((table) => isNews(kind, table)));
      if (tables.length > 0) this.#logger.warn({ publication: this.#pair.updates, tables }, message);
    }
    for (const [table, { code, message, remedy }] of failures) {
      if (!isNews(code, table)) continue;
      this.#logger.warn(
        { code, tables: namesOf([table]) },
        `could not change how the table is published, and goes on trying: ${message} ${remedy}`,
      );
    }
    this.#said = now;
  }

  #messages(): Readonly<Record<PublicationProblem['kind'], string>> {
    const ours = this.#isOurs ? `, or ${OWNERSHIP}` : '';
    return {
      uncovered: this.#isOurs
        ? `these tables are configured and not published, because this role does not own them or the publication: ${OWNERSHIP}, or exclude them.`
        : 'these tables are configured but not in the publication; add them to it, or exclude them.',
      refused: `Postgres refuses UPDATE and DELETE of these tables: they are published and have no usable replica identity. ${IDENTITY}${ours}.`,
      kept: `UPDATE and DELETE of these tables could be captured and are not: they are published with a row filter or a column list, or are not owned by this role. Add them to the publication, or ${OWNERSHIP}.`,
    };
  }
}

function namesOf(tables: readonly PublishableTable[]): readonly string[] {
  return tables.map(({ schema, name }) => `${schema}.${name}`);
}
