import mysql from 'mysql2/promise';
import { DEFAULT_MARIADB, startMariadb } from '../../deploy/local/mariadb.ts';
import { DEFAULT_MYSQL, startMysql } from '../../deploy/local/mysql.ts';
import { identifyProcess } from '../../deploy/local/process-identity.ts';
import { createRunDirectory } from '../../deploy/local/run-directory.ts';
import type { Service } from '../../deploy/local/service.ts';
import { endStack } from '../../deploy/local/stack.ts';
import type { MysqlServer } from './mysql-database.ts';

/** Options of MySQL or MariaDB: what is committed survives a SIGKILL of the server. */
export const DURABLE = ['--sync-binlog=1', '--innodb-flush-log-at-trx-commit=1'];
const SERVER_IDS = [2001, 2002] as const;
const CAUGHT_UP_S = 30;

/** A server of a pair. */
export class BinlogNode {
  readonly service: Service;

  constructor(service: Service) {
    this.service = service;
  }

  get url(): string {
    return this.service.url;
  }

  /** Runs the statements on one connection. @returns the rows of the last. */
  async run<R extends object = Record<string, unknown>>(...statements: readonly string[]): Promise<R[]> {
    const connection = await mysql.createConnection({ uri: this.url, charset: 'utf8mb4', dateStrings: true });
    try {
      let result: unknown = [];
      for (const statement of statements) [result] = await connection.query(statement);
      return (Array.isArray(result) ? result : []) as R[];
    } finally {
      await connection.end();
    }
  }

  /** SIGKILL; `service.start()` starts it again. */
  async kill(): Promise<void> {
    for (const running of this.service.processes()) running.signal('SIGKILL');
    await this.service.stop();
  }
}

/** Two servers of one kind, started for one test: who is primary and who replica is what the test makes of them. */
export class BinlogPair implements AsyncDisposable {
  readonly server: MysqlServer;
  readonly nodes: readonly [BinlogNode, BinlogNode];
  readonly #directories: readonly string[];

  private constructor(server: MysqlServer, nodes: readonly [BinlogNode, BinlogNode], directories: readonly string[]) {
    this.server = server;
    this.nodes = nodes;
    this.#directories = directories;
  }

  static async start(server: MysqlServer): Promise<BinlogPair> {
    const owner = identifyProcess(process.pid);
    const directories = SERVER_IDS.map(() => createRunDirectory(owner));
    try {
      const [one, two] = await Promise.all(
        directories.map((runDirectory, index) => {
          const context = {
            runDirectory,
            endsWithParent: true,
            report: () => {},
            signal: new AbortController().signal,
          };
          const options = [...DURABLE, `--server-id=${SERVER_IDS[index]}`];
          return server === 'mysql'
            ? startMysql(DEFAULT_MYSQL, context, options)
            : startMariadb(DEFAULT_MARIADB, context, options);
        }),
      );
      return new BinlogPair(server, [new BinlogNode(one!), new BinlogNode(two!)], directories);
    } catch (error) {
      await Promise.all(directories.map(endStack));
      throw error;
    }
  }

  /** Makes `replica` follow `primary` by GTID, from what it has executed. */
  async follow(replica: BinlogNode, primary: BinlogNode): Promise<void> {
    const { hostname, port, username, password } = new URL(primary.url);
    if (this.server === 'mysql') {
      await replica.run(
        'STOP REPLICA',
        `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '${hostname}', SOURCE_PORT = ${port}, SOURCE_USER = '${username}',
           SOURCE_PASSWORD = '${password}', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`,
        'START REPLICA',
      );
      return;
    }
    const [executed] = await replica.run<{ gtids: string }>('SELECT @@gtid_binlog_pos AS gtids');
    await replica.run(
      'STOP SLAVE',
      `SET GLOBAL gtid_slave_pos = '${executed!.gtids}'`,
      `CHANGE MASTER TO MASTER_HOST = '${hostname}', MASTER_PORT = ${port}, MASTER_USER = '${username}',
         MASTER_PASSWORD = '${password}', MASTER_USE_GTID = slave_pos, MASTER_SSL_VERIFY_SERVER_CERT = 0`,
      'START SLAVE',
    );
  }

  /** What `replica` got so far stays; it is written to as a primary from now on. */
  async promote(replica: BinlogNode): Promise<void> {
    await replica.run(
      ...(this.server === 'mysql' ? ['STOP REPLICA', 'RESET REPLICA ALL'] : ['STOP SLAVE', 'RESET SLAVE ALL']),
    );
  }

  /** Waits until `replica` has executed what `primary` has by now. */
  async caughtUp(replica: BinlogNode, primary: BinlogNode): Promise<void> {
    const isMysql = this.server === 'mysql';
    const [at] = await primary.run<{ gtids: string }>(
      `SELECT @@GLOBAL.${isMysql ? 'gtid_executed' : 'gtid_binlog_pos'} AS gtids`,
    );
    const wait = isMysql ? 'WAIT_FOR_EXECUTED_GTID_SET' : 'MASTER_GTID_WAIT';
    const [answer] = await replica.run<{ late: number }>(
      `SELECT ${wait}('${at!.gtids.replaceAll('\n', '')}', ${CAUGHT_UP_S}) AS late`,
    );
    if (answer?.late === 0) return;
    const status = await replica.run(isMysql ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS');
    throw new Error(`the replica did not catch up in ${CAUGHT_UP_S} s: ${JSON.stringify(status)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#directories.map(endStack));
  }
}
