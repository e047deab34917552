import { mariadb, mysql } from '../../../connectors/mysql/index.ts';
import type { ConnectorConfig, SourceConnector } from '../../../src/core/connector.ts';
import { awaitUntil } from '../../support/await-until.ts';
import {
  createMysqlDatabase,
  type MysqlDatabase,
  type MysqlServer,
  uniqueAccount,
} from '../../support/mysql-database.ts';
import type { ServerFeatures } from '../../support/server-features.ts';
import { uniqueName } from '../../support/unique-name.ts';
import type { ConformanceDatabase, ConformanceServer } from './conformance-database.ts';

const PATIENCE_MS = 2_000;
const PASSWORD = 'pa55-of-the-reader';
const GRANTS: Readonly<Record<MysqlServer, string>> = {
  mysql: 'REPLICATION SLAVE, REPLICATION CLIENT',
  mariadb: 'REPLICATION SLAVE, BINLOG MONITOR',
};

/** The server that a run is about. */
export function binlogServer(features: ServerFeatures): ConformanceServer {
  const connector = features.server === 'mysql' ? mysql : mariadb;
  return {
    name: features.label,
    connector: connector as unknown as SourceConnector<ConnectorConfig, unknown>,
    createDatabase: () => createDatabase(features),
  };
}

async function createDatabase({ server, largestTextBytes }: ServerFeatures): Promise<ConformanceDatabase> {
  const database = await createMysqlDatabase(server);
  const reader = uniqueAccount();
  await database.query(`CREATE USER '${reader}'@'%' IDENTIFIED BY '${PASSWORD}'`);
  await database.query(`GRANT ${GRANTS[server]} ON *.* TO '${reader}'@'%'`);
  await database.query(`GRANT SELECT ON ${database.name}.* TO '${reader}'@'%'`);
  const url = new URL(database.url);
  url.username = reader;
  url.password = PASSWORD;
  return {
    url: url.href,
    qualified: (table) => `${database.name}.${table}`,
    settings: () => ({ url: url.href }),
    largeText: { type: 'longtext', maxBytes: largestTextBytes },
    async run(...statements) {
      for (const statement of statements) await database.query(statement);
    },
    traces: () =>
      database.query(
        `SELECT TABLE_NAME AS name, CREATE_TIME AS made FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = '${database.name}' ORDER BY TABLE_NAME`,
      ),
    async writeElsewhere() {
      const other = uniqueName('elsewhere');
      await database.query(`CREATE DATABASE ${other}`);
      await database.query(`CREATE TABLE ${other}.t (id int PRIMARY KEY)`);
      await database.query(`INSERT INTO ${other}.t VALUES (1), (2)`);
      await database.query(`DROP DATABASE ${other}`);
    },
    async becomeImpatient() {
      const [before] = await database.query<{ s: number }>('SELECT @@global.net_write_timeout AS s');
      await database.query(`SET GLOBAL net_write_timeout = ${PATIENCE_MS / 1000}`);
      return {
        patienceMs: PATIENCE_MS,
        [Symbol.asyncDispose]: async () => {
          await database.query(`SET GLOBAL net_write_timeout = ${before!.s}`);
        },
      };
    },
    losses: [
      {
        because: 'the binlog was purged',
        async happen(_source, position) {
          await purge(database, position.split(':')[0]!);
          return position;
        },
      },
      {
        because: 'the server lacks what was published, as after a restore',
        happen: async (_source, position) => aheadOf(position),
      },
    ],
    async [Symbol.asyncDispose]() {
      await database.query(`DROP USER '${reader}'@'%'`);
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Removes the binlog `file` and those before it; a dump that the server believes to be alive delays that. */
async function purge(database: MysqlDatabase, file: string): Promise<void> {
  await database.query('FLUSH BINARY LOGS');
  await awaitUntil(
    `the server removed ${file}`,
    async () => {
      const files = (await database.query<{ Log_name: string }>('SHOW BINARY LOGS')).map(({ Log_name }) => Log_name);
      if (!files.includes(file)) return true;
      await database.query(`PURGE BINARY LOGS TO '${files.at(-1)}'`);
      return false;
    },
    { timeoutMs: 90_000 },
  );
}

/** The position of a server that went on: a million transactions, or without GTIDs as many bytes, further. */
function aheadOf(position: string): string {
  const [place = '', epoch = '', gtids] = position.split(';');
  const further = (text: string) => text.replace(/\d+$/, (digits) => String(Number(digits) + 1_000_000));
  return gtids === undefined ? `${further(place)};${epoch}` : `${place};${epoch};${further(gtids)}`;
}
