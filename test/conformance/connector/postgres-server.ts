import pg from 'pg';
import { connector } from '../../../connectors/postgres/index.ts';
import type { ConnectorConfig, SourceConnector } from '../../../src/core/connector.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { postgresUrl } from '../../support/services.ts';
import { uniqueName } from '../../support/unique-name.ts';
import type { ConformanceDatabase, ConformanceServer } from './conformance-database.ts';

const PATIENCE_MS = 2_000;

export const POSTGRES: ConformanceServer = {
  name: 'PostgreSQL',
  connector: connector as unknown as SourceConnector<ConnectorConfig, unknown>,
  createDatabase,
};

async function createDatabase(): Promise<ConformanceDatabase> {
  const database = await createPostgresDatabase({ prefix: 'conf' });
  const [owner, reader] = [uniqueName('owner'), uniqueName('reader')];
  await database.query(`
    CREATE ROLE ${owner}; GRANT ALL ON SCHEMA public TO ${owner};
    CREATE ROLE ${reader} LOGIN REPLICATION; GRANT ${owner} TO ${reader};
    GRANT CREATE ON DATABASE ${database.name} TO ${reader}`);
  const application = new pg.Client(database.url);
  await application.connect();
  await application.query(`SET ROLE ${owner}`);
  const url = new URL(database.url);
  url.username = reader;
  const slot = (source: string) => `s_${source}`;
  const publication = (source: string) => `p_${source}`;
  return {
    url: url.href,
    qualified: (table) => `public.${table}`,
    settings: (source) => ({
      url: url.href,
      slot: { name: slot(source), publication: publication(source) },
      status_interval_ms: 200,
    }),
    largeText: { type: 'text', maxBytes: 32 * 1024 * 1024 },
    async run(...statements) {
      for (const statement of statements) await application.query(statement);
    },
    traces: () =>
      database.query(
        `SELECT pubname::text AS name FROM pg_publication
         UNION ALL SELECT slot_name FROM pg_replication_slots WHERE database = current_database()
         UNION ALL SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY name`,
      ),
    async writeElsewhere() {
      const elsewhere = new pg.Client(postgresUrl());
      await elsewhere.connect();
      await elsewhere.query("SELECT pg_logical_emit_message(true, 'elsewhere', repeat('x', 100000))");
      await elsewhere.end();
    },
    async becomeImpatient() {
      await database.query(`ALTER DATABASE ${database.name} SET wal_sender_timeout = ${PATIENCE_MS}`);
      return { patienceMs: PATIENCE_MS, [Symbol.asyncDispose]: async () => {} };
    },
    losses: [
      {
        because: 'the slot was dropped',
        async happen(source, position) {
          await database.query('SELECT pg_drop_replication_slot($1)', [slot(source)]);
          return position;
        },
      },
      {
        because: 'the slot was dropped and made again',
        async happen(source, position) {
          await database.query('SELECT pg_drop_replication_slot($1)', [slot(source)]);
          await database.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot(source)]);
          return position;
        },
      },
      {
        because: 'the slot was moved on',
        async happen(source, position) {
          await database.query('SELECT pg_replication_slot_advance($1, pg_current_wal_insert_lsn())', [slot(source)]);
          return position;
        },
      },
      {
        because: 'the publication was dropped',
        async happen(source, position) {
          await database.query(`DROP PUBLICATION ${publication(source)}`);
          return position;
        },
      },
    ],
    async [Symbol.asyncDispose]() {
      await application.end();
      await database.drop();
      const server = new pg.Client(postgresUrl());
      await server.connect();
      await server.query(`DROP ROLE ${reader}, ${owner}`);
      await server.end();
    },
  };
}
