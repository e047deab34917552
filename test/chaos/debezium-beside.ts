import { setTimeout as pause } from 'node:timers/promises';
import { debeziumVersion } from '../../deploy/local/debezium.ts';
import { Daemon } from '../support/daemon-process.ts';
import { Debezium } from '../support/debezium.ts';
import { debeziumSettings } from '../support/debezium-settings.ts';
import { deleteKafkaTopics, topicEnd } from '../support/kafka-topics.ts';
import type { LoadedTable } from '../support/loaded-table.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import { uniqueName } from '../support/unique-name.ts';
import { verify } from '../support/verify-command.ts';

const SNAPSHOT_MS = 3_600_000;
const CATCH_UP_MS = 600_000;
/** A topic that has not grown for so long has everything that was handed to the producer. */
const SILENCE_MS = 3_000;

/** Of Debezium's topic, at rest. */
export interface DebeziumVerdict {
  readonly version: string;
  /** From the signal to the end of its incremental snapshot. */
  readonly seconds: number;
  /** Keys in the topic that the table does not have: phantom rows. */
  readonly extra: number;
  readonly missing: number;
  readonly different: number;
}

/** Debezium's incremental snapshot of the same table, under the same load, asked for with its signalling table. */
export class DebeziumBeside implements AsyncDisposable {
  readonly #database: 'postgres' | MysqlServer;
  readonly #table: LoadedTable;
  readonly #debezium: Debezium;
  readonly #prefix = uniqueName('debezium');
  #startedAtMs = 0;

  private constructor(database: 'postgres' | MysqlServer, table: LoadedTable, debezium: Debezium) {
    this.#database = database;
    this.#table = table;
    this.#debezium = debezium;
  }

  /** Streams already; the table has `SIGNAL_TABLE` beside it. */
  static async start(database: 'postgres' | MysqlServer, table: LoadedTable): Promise<DebeziumBeside> {
    const beside = new DebeziumBeside(database, table, await Debezium.start(database, 'avro'));
    try {
      await beside.#connect();
      await beside.#debezium.said(/Starting streaming|Searching for WAL resume position|Keepalive thread is running/);
      return beside;
    } catch (error) {
      await beside[Symbol.asyncDispose]();
      throw error;
    }
  }

  async snapshot(): Promise<void> {
    const data = JSON.stringify({ type: 'incremental', 'data-collections': [`${this.#table.schema}.rows`] });
    this.#startedAtMs = performance.now();
    await this.#signal('execute-snapshot', data);
  }

  /**
   * Kills it so often while the snapshot is under way, and waits for the end of that; the load goes on.
   * @returns the seconds that it took.
   */
  async completed(rows: number, kills: number): Promise<number> {
    for (let kill = 1; kill <= kills; kill++) {
      const at = (rows * kill) / (kills + 1);
      await this.#debezium.until(`Debezium has read up to ${at}`, () => this.#lastKey() >= at, SNAPSHOT_MS);
      await this.#debezium.restart();
      await this.#connect();
    }
    await this.#debezium.said(/aggregateType='Incremental Snapshot', type='COMPLETED'/, SNAPSHOT_MS);
    return (performance.now() - this.#startedAtMs) / 1000;
  }

  /** Waits until it has caught up with a table at rest, and compares. */
  async judge(seconds: number): Promise<DebeziumVerdict> {
    const told = uniqueName('told');
    await this.#signal('log', JSON.stringify({ message: told }));
    await this.#debezium.said(new RegExp(told), CATCH_UP_MS);
    const topic = `${this.#prefix}.${this.#table.schema}.rows`;
    for (let end = -1; ; ) {
      const now = await topicEnd(topic);
      if (now === end) break;
      end = now;
      await pause(SILENCE_MS);
    }
    const columns = this.#database === 'mysql' ? { exclude: [`${this.#table.schema}\\.rows\\.j`] } : {};
    const tables = { include: [`${this.#table.schema}\\.rows`] };
    await using daemon = await Daemon.create({
      sources: [{ ...this.#table.source(this.#prefix), tables, columns }],
    });
    const { report, stderr } = await verify(daemon.configPath, this.#prefix, '--tolerate', 'debezium');
    const counts = report?.tables[0]?.counts;
    if (counts === undefined) throw new Error(`Debezium's topic was not compared: ${stderr}`);
    return { version: debeziumVersion(this.#database), seconds, ...counts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#debezium[Symbol.asyncDispose]();
    await deleteKafkaTopics(this.#prefix);
  }

  async #connect(): Promise<void> {
    const { schema } = this.#table;
    const signals = `${schema}.dbz_signal`;
    const settings = debeziumSettings(this.#database, this.#table, this.#prefix, {
      'snapshot.mode': 'no_data',
      'table.include.list': `${schema}.rows,${signals}`,
      'signal.data.collection': signals,
      'notification.enabled.channels': 'log',
      // It writes the JSON of MySQL's log anew, which is another defect than the one that is counted here.
      ...(this.#database === 'mysql' ? { 'column.exclude.list': `${schema}.rows.j` } : {}),
    });
    await this.#debezium.connect(this.#prefix, settings);
  }

  #lastKey(): number {
    return Number([...this.#debezium.log.matchAll(/last_processed_key=(\d+)/g)].at(-1)?.[1] ?? 0);
  }

  async #signal(type: string, data: string): Promise<void> {
    const id = uniqueName('signal');
    await this.#table.query(`INSERT INTO dbz_signal VALUES ('${id}', '${type}', '${data}')`);
  }
}
