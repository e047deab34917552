import type { ConnectorDependencies, Finding } from '../../src/core/connector.ts';
import { findingsOf } from '../../src/core/preflight-verdict.ts';
import { capturesTable } from '../../src/core/settings.ts';
import { canMakeTemporaryFiles } from '../../src/core/unnamed-file.ts';
import type { MySqlConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import { runChecks } from './preflight-checks.ts';
import type { PreflightFacts } from './preflight-facts.ts';
import { readServerFacts } from './server-facts.ts';
import { readSignalTable } from './signal-table-facts.ts';

/** Looks at the server, the account and the tables. A server that cannot be asked is a finding too. */
export async function preflight(
  config: MySqlConfig,
  _dependencies: ConnectorDependencies,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  await using sql = new SqlConnection(config.connection);
  return await findingsOf(async () => runChecks(await readPreflightFacts(config, sql, signal), config));
}

const TABLES = `
  SELECT t.TABLE_SCHEMA AS db, t.TABLE_NAME AS name, t.ENGINE AS engine,
         EXISTS (SELECT 1 FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = t.TABLE_SCHEMA
                    AND s.TABLE_NAME = t.TABLE_NAME AND s.NON_UNIQUE = 0 AND s.NULLABLE <> 'YES') AS has_key
    FROM information_schema.TABLES t
   WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')`;

async function readPreflightFacts(
  config: MySqlConfig,
  sql: SqlConnection,
  signal: AbortSignal,
): Promise<PreflightFacts> {
  const { signals } = config.source;
  const server = await readServerFacts(sql, config.dialect, signal);
  const doing = 'reading grants and tables';
  const grants = await sql.query(doing, 'SHOW GRANTS', [], signal);
  const tables = await sql.query<{ db: string; name: string; engine: string | null; has_key: number }>(
    doing,
    TABLES,
    [],
    signal,
  );
  const isOldName = config.dialect === 'mariadb' || /^(5|8\.0\.([01]?\d|2[01])\b)/.test(server.version);
  const replicas = await sql
    .query(doing, isOldName ? 'SHOW SLAVE HOSTS' : 'SHOW REPLICAS', [], signal)
    // Without the privilege the grants say so.
    .catch(() => []);
  return {
    server,
    grants: grants.map((row) => String(Object.values(row)[0])),
    hasTemporaryFiles: canMakeTemporaryFiles(),
    replicaIds: replicas.map((row) => Number(row.Server_id ?? row.Server_Id)),
    signalTable: signals.table === null ? null : await readSignalTable(sql, server, signals.table, signal),
    tables: tables
      .map(({ db, name, engine, has_key }) => ({
        name: `${db}.${name}`,
        database: db,
        table: name,
        engine: engine ?? '',
        hasKey: Number(has_key) === 1,
      }))
      .filter(({ name }) => capturesTable(config.source, name)),
  };
}
