import type { ConnectorSettings } from './debezium.ts';
import type { LoadedTable } from './loaded-table.ts';
import type { MysqlServer } from './mysql-database.ts';
import { kafkaBrokers } from './services.ts';

/** Debezium's signalling table, to be made beside the table `rows`. */
export const SIGNAL_TABLE =
  'CREATE TABLE dbz_signal (id varchar(42) PRIMARY KEY, type varchar(32), data varchar(2048))';

/** What Debezium's manual gives for throughput; the rest is at its defaults. */
export const TUNED: ConnectorSettings = {
  'max.batch.size': '8192',
  'max.queue.size': '32768',
  'poll.interval.ms': '50',
  'producer.override.linger.ms': '20',
  'producer.override.batch.size': '262144',
  'producer.override.buffer.memory': '67108864',
};

/** A connector that captures the table; `prefix` is of its topics, and names what it makes on the source. */
export function debeziumSettings(
  database: 'postgres' | MysqlServer,
  table: Pick<LoadedTable, 'schema' | 'url'>,
  prefix: string,
  more: ConnectorSettings,
): ConnectorSettings {
  const { hostname, port, username, password, pathname } = new URL(table.url);
  return {
    'database.hostname': hostname,
    'database.port': port,
    'database.user': username,
    'database.password': password,
    'topic.prefix': prefix,
    'table.include.list': `${table.schema}.rows`,
    'tasks.max': '1',
    'topic.creation.default.replication.factor': '-1',
    'topic.creation.default.partitions': '1',
    ...(database === 'postgres' ? postgres(pathname.slice(1), prefix) : binlog(database, table.schema, prefix)),
    ...more,
  };
}

function postgres(database: string, prefix: string): ConnectorSettings {
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.dbname': database,
    'plugin.name': 'pgoutput',
    'slot.name': prefix,
    'publication.name': prefix,
    'publication.autocreate.mode': 'filtered',
  };
}

function binlog(server: MysqlServer, database: string, prefix: string): ConnectorSettings {
  return {
    'connector.class':
      server === 'mysql'
        ? 'io.debezium.connector.mysql.MySqlConnector'
        : 'io.debezium.connector.mariadb.MariaDbConnector',
    'database.server.id': '60321',
    'database.include.list': database,
    'schema.history.internal.kafka.bootstrap.servers': kafkaBrokers().join(','),
    'schema.history.internal.kafka.topic': `${prefix}_history`,
    'schema.history.internal.store.only.captured.tables.ddl': 'true',
  };
}
